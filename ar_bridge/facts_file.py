"""`customers.toml`: what no ledger holds about a customer, in a file that survives the database.

    schema = 1

    [defaults]
    entity_type = "company"

    [customer.C1]                       # the ledger's id; quote it where it has other signs
    entity_type = "company"             # company, partnership, sole_trader, individual, public_body
    language = "de"
    timezone = "Europe/Berlin"
    region = "DE-BY"                    # public holidays
    country = "DE"
    tags = ["vip"]
    credit_limit = "5000.00"            # in the customer's currency
    terms_days = 30
    parent = "C9"                       # who pays
    autopay = true                      # pays by itself: nothing to chase
    contacts = [{ name = "Ada", email = "ap@north.example", roles = ["billing"] }]
    address = ["1 High Street", "Leeds LS1 1AA"]                # where letters go
    exempt = { reason = "related company" }                                # until a person ends it
    override = { mode = "approve", reason = "new owner", until = 2026-12-31 }   # tightens only

The file's word wins over the ledger's; tags add up; defaults fill what both leave open.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ar_bridge.entity_type import guess_entity_type
from ar_bridge.errors import SetupError
from ar_bridge.facts_reading import CUSTOMER_KEYS, DEFAULT_KEYS, FactsReader
from rules.model import Commitment, Contact, Customer, CustomerId, Pause, Stop
from rules.model.customer import EntityType
from rules.model.money import currency_digits

_ALWAYS = date(2000, 1, 1)
"""Start of an exemption that states none: before any invoice that is still open."""


class Exemption(msgspec.Struct, frozen=True, kw_only=True):
    """This customer is left alone: no message, no fee, no hand-off."""

    reason: str
    since: date | None = None
    until: date | None = None


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A stricter mode for one customer."""

    mode: str
    reason: str
    until: date | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of one customer; None and empty mean that it says nothing."""

    entity_type: EntityType | None = None
    language: str = ""
    timezone: str = ""
    region: str = ""
    country: str = ""
    contacts: tuple[Contact, ...] = ()
    address: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    credit_limit: Decimal | None = None
    terms_days: int | None = None
    parent: str = ""
    autopay: bool = False
    exempt: Exemption | None = None
    override: Override | None = None


class CustomerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    source: str = "customers.toml"
    defaults: Facts = Facts()
    customers: Mapping[str, Facts] = {}

    def of(self, customer: str) -> Facts | None:
        """What the file says of this customer."""
        return self.customers.get(customer)

    def mode(self, customer: str, today: date) -> str | None:
        """The stricter mode that holds for this customer today, if any."""
        facts = self.customers.get(customer)
        override = facts.override if facts is not None else None
        if override is None or (override.until is not None and today > override.until):
            return None
        return override.mode

    def commitments(self) -> tuple[Commitment, ...]:
        """Exemptions in the terms of the rules: a stop, or a pause where they have an end."""
        made: list[Commitment] = []
        for customer, facts in sorted(self.customers.items()):
            exempt = facts.exempt
            if exempt is None:
                continue
            name = f"{self.source}/{customer}/exempt"
            since = exempt.since or _ALWAYS
            if exempt.until is None:
                made.append(
                    Stop(
                        id=name,
                        customer=CustomerId(customer),
                        on=since,
                        reason=exempt.reason,
                        actor=self.source,
                    )
                )
            else:
                made.append(
                    Pause(
                        id=name,
                        customer=CustomerId(customer),
                        on=since,
                        until=exempt.until,
                        reason=exempt.reason,
                        actor=self.source,
                    )
                )
        return tuple(made)


def load_facts(path: Path) -> CustomerFacts:
    """Read the file; a missing one says nothing about anybody. Raises SetupError with every
    problem at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return CustomerFacts(source=path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"{path} cannot be read ({error})", remedy="check its permissions; it is UTF-8 text"
        ) from error
    return parse_facts(text, source=path.name)


def parse_facts(text: str, *, source: str = "customers.toml") -> CustomerFacts:
    """Read the file's text. Raises SetupError with every problem at once: file, line, what is
    wrong and what was probably meant."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(
            f"{source} is not valid TOML: {error}",
            remedy='quote ids that hold other signs than letters, digits, "-" and "_"',
        ) from None
    reader = FactsReader(text, source)
    reader.known(data, (), ("schema", "defaults", "customer"))
    if data.get("schema", 1) != 1:
        reader.problem(("schema",), f"schema {data['schema']} is not known here", "write 1")
    defaults = _facts(reader, reader.table(data, ("defaults",)), ("defaults",), DEFAULT_KEYS)
    customers: dict[str, Facts] = {}
    for customer, entry in reader.table(data, ("customer",)).items():
        path = ("customer", customer)
        if not isinstance(entry, dict):
            reader.problem(path, f"customer {customer} is no table", f"write [customer.{customer}]")
            continue
        customers[customer] = _facts(reader, entry, path, CUSTOMER_KEYS)
        if customers[customer].parent == customer:
            reader.problem((*path, "parent"), f"customer {customer} is its own parent", "")
    if reader.problems:
        raise SetupError(
            f"{source} has {len(reader.problems)} problem(s)",
            problems=reader.problems,
            remedy=f"correct {source}; nothing was done",
        )
    return CustomerFacts(source=source, defaults=defaults, customers=customers)


def augment(customer: Customer, facts: CustomerFacts) -> Customer:
    """The ledger's customer with what the file says, and a guess of its kind where nobody does."""
    said = facts.customers.get(customer.id) or _NOTHING
    default = facts.defaults
    changes: dict[str, Any] = {}
    stated = said.entity_type or (
        customer.entity_type if customer.entity_type != "unknown" else default.entity_type
    )
    if stated is not None:
        if stated != customer.entity_type or said.entity_type is not None:
            changes.update(entity_type=stated, entity_type_is_guess=False)
    else:
        guess = guess_entity_type(customer.name)
        if guess != "unknown":
            changes.update(entity_type=guess, entity_type_is_guess=True)
    for name in ("language", "timezone", "region", "country"):
        value = getattr(said, name) or getattr(customer, name) or getattr(default, name)
        if value != getattr(customer, name):
            changes[name] = value
    if said.contacts:
        changes["contacts"] = (*said.contacts, *customer.contacts)
    if said.address:
        changes["address"] = said.address
    if said.tags:
        changes["tags"] = tuple(dict.fromkeys((*customer.tags, *said.tags)))
    if said.credit_limit is not None:
        # A threshold, not money that moves: digits finer than the currency are cut off.
        changes["credit_limit"] = int(said.credit_limit.scaleb(currency_digits(customer.currency)))
    if said.terms_days is not None:
        changes["terms_days"] = said.terms_days
    if said.parent:
        changes["parent"] = CustomerId(said.parent)
    return msgspec.structs.replace(customer, **changes) if changes else customer


_NOTHING = Facts()


def _facts(
    reader: FactsReader, entry: Mapping[str, Any], path: tuple[str, ...], keys: Mapping[str, Any]
) -> Facts:
    values = reader.values(entry, path, keys)
    if "contacts" in values:
        values["contacts"] = tuple(Contact(**contact) for contact in values["contacts"])
    if "exempt" in values:
        exempt = values["exempt"]
        values["exempt"] = Exemption(
            reason=exempt["reason"], since=exempt.get("from"), until=exempt.get("until")
        )
    if "override" in values:
        values["override"] = Override(**values["override"])
    return Facts(**values)
