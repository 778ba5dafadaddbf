"""Credit notes and other credits that the customer can use."""

from datetime import date
from typing import Literal, TypeAlias

import msgspec

from rules.model.ids import CreditNoteId, CustomerId
from rules.model.money import Minor
from rules.model.payment import Allocation

CreditKind: TypeAlias = Literal["credit_note", "overpayment", "prepayment", "deposit"]


class CreditNote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A credit. A `deposit` is held money: it is never netted against what is owed."""

    id: CreditNoteId
    number: str = ""
    customer: CustomerId
    currency: str
    on: date
    known_on: date | None = None
    total: Minor
    allocations: tuple[Allocation, ...] = ()
    remaining: Minor = 0
    """Not yet allocated, as the ledger states it."""
    kind: CreditKind = "credit_note"
    reference: str = ""
    """What somebody wrote with it."""
