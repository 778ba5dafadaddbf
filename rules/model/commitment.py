"""What people told us: promises, disputes, instalments, retentions, credits to come, pauses, stops.

Every commitment binds either the invoices it names or, with none named, the whole account
of the customer. `ended_on` None means that it stands.
"""

from datetime import date
from typing import Literal, TypeAlias

import msgspec

from rules.model.ids import CustomerId, InvoiceId
from rules.model.money import Minor


class _Commitment(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    customer: CustomerId
    invoices: tuple[InvoiceId, ...] = ()
    on: date
    ended_on: date | None = None
    reason: str = ""
    actor: str = ""
    owner: str = ""
    review_on: date | None = None

    def binds(self, invoice: InvoiceId) -> bool:
        """Whether this commitment speaks of the invoice."""
        return not self.invoices or invoice in self.invoices

    def stands_on(self, day: date) -> bool:
        """Whether it was made by that day and not ended before it."""
        return self.on <= day and (self.ended_on is None or day < self.ended_on)


class Promise(_Commitment, frozen=True, kw_only=True, tag="promise"):
    """The customer will pay `amount` by `due_on`."""

    amount: Minor | None = None
    currency: str = ""
    due_on: date
    consented: bool = False
    """A person agreed to wait longer than the policy takes a promise for."""


class Dispute(_Commitment, frozen=True, kw_only=True, tag="dispute"):
    """The customer contests the whole (`amount` None) or a part of the invoices."""

    amount: Minor | None = None
    won_by: Literal["customer", "us", ""] = ""


class Part(msgspec.Struct, frozen=True):
    """One instalment."""

    due_on: date
    amount: Minor


class Instalments(_Commitment, frozen=True, kw_only=True, tag="instalments"):
    """An agreed payment plan."""

    parts: tuple[Part, ...] = ()
    """In order of their day; payments count against them in that order."""
    currency: str = ""


class Pause(_Commitment, frozen=True, kw_only=True, tag="pause"):
    """Say nothing until `until` (inclusive)."""

    until: date


class Withheld(_Commitment, frozen=True, kw_only=True, tag="withheld"):
    """A retention: this part is not due before `until`."""

    amount: Minor
    until: date


class CreditExpected(_Commitment, frozen=True, kw_only=True, tag="credit_expected"):
    """A credit note of this amount is on its way: it is not asked for before `until` has passed."""

    amount: Minor
    until: date


class Stop(_Commitment, frozen=True, kw_only=True, tag="stop"):
    """Everything that the customer could see stops until a person resumes."""

    because: Literal["insolvency", "deceased", "lawyer", "vulnerable", "other"] = "other"


class Placement(_Commitment, frozen=True, kw_only=True, tag="placement"):
    """The invoices were handed to a collector or a lawyer, until they are recalled."""

    to: Literal["agency", "legal"] = "agency"
    name: str = ""
    """Who has them."""
    overridden: tuple[str, ...] = ()
    """Preconditions that a person set aside."""


Commitment: TypeAlias = (
    Promise | Dispute | Instalments | Pause | Withheld | CreditExpected | Stop | Placement
)


def kind_of(commitment: Commitment) -> str:
    """promise, dispute, instalments, pause, withheld, credit_expected, stop or placement."""
    return str(type(commitment).__struct_config__.tag)


def last_day(commitment: Commitment) -> date | None:
    """The day named in the commitment itself, after which it holds no more; None: a person ends
    it."""
    match commitment:
        case Promise():
            return commitment.due_on
        case Instalments():
            return max((part.due_on for part in commitment.parts), default=None)
        case Pause() | Withheld() | CreditExpected():
            return None if commitment.until == date.max else commitment.until
        case _:
            return None
