"""Customers and the people to write to."""

from typing import Literal, TypeAlias

import msgspec

from rules.model.ids import CustomerId
from rules.model.money import Minor

EntityType: TypeAlias = Literal[
    "company", "partnership", "sole_trader", "individual", "public_body", "unknown"
]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person or mailbox at the customer. `roles`: billing, owner, guarantor, ..."""

    name: str = ""
    email: str = ""
    phone: str = ""
    roles: tuple[str, ...] = ("billing",)


class Customer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who buys and who pays. `parent` is set where another customer pays the invoices."""

    id: CustomerId
    name: str
    currency: str = ""
    email: str = ""
    """The ledger's main address: the `billing` role when no contact has it."""
    phone: str = ""
    contacts: tuple[Contact, ...] = ()
    terms_days: int | None = None
    country: str = ""
    timezone: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    entity_type: EntityType = "unknown"
    entity_type_is_guess: bool = False
    """True where the type was guessed from the name: good for wording, never for the law."""
    credit_limit: Minor | None = None
    parent: CustomerId | None = None
    is_active: bool = True
    is_on_hold: bool = False
    address: tuple[str, ...] = ()
    """Postal address line by line, without the name; empty where the ledger has none."""
    region: str = ""
    """Holiday region such as GB-ENG; empty: the policy's own."""
