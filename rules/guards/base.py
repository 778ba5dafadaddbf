"""What a guard sees and says.

A guard is one ground to wait. It protects the customer, so it binds what the customer sees,
fees, credit holds and hand-off; internal actions are never asked. A guard that finds its ground
says until when (`next_on`), or, where nobody knows, when a person should look (`review_on`).
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from rules.account_day import AccountDay
from rules.decision import Reason
from rules.frame import Frame
from rules.model.commitment import Commitment
from rules.model.invoice import Invoice
from rules.policy.stage import Stage

Purpose: TypeAlias = Literal["reminder", "fee", "hold"]
EVERYTHING: Final[frozenset[Purpose]] = frozenset({"reminder", "fee", "hold"})
DEMANDS: Final[frozenset[Purpose]] = frozenset({"reminder", "hold"})
FEES: Final[frozenset[Purpose]] = frozenset({"fee"})

REVIEW_AFTER: Final = timedelta(days=30)
"""A wait without a natural end is looked at by a person after this time."""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A ground to wait."""

    code: str
    reasons: tuple[Reason, ...]
    next_on: date | None = None
    review_on: date | None = None


class Case:
    """One thing that is about to be done to one invoice."""

    __slots__ = ("_told", "day", "frame", "invoice", "purpose", "stage", "today")

    def __init__(
        self, day: AccountDay, invoice: Invoice, purpose: Purpose, stage: Stage | None = None
    ) -> None:
        self.day = day
        self.frame: Frame = day.frame
        self.today = day.today
        self.invoice = invoice
        self.purpose: Purpose = purpose
        self.stage = stage
        self._told: tuple[Commitment, ...] | None = None

    @property
    def told(self) -> tuple[Commitment, ...]:
        """Commitments that bind the invoice and stand today."""
        if self._told is None:
            found = self.day.account.commitments
            self._told = tuple(self.day.told(self.invoice)) if found else ()
        return self._told


Check: TypeAlias = Callable[[Case], Hold | None]


class Guard(msgspec.Struct, frozen=True):
    """A ground to wait and what it binds."""

    check: Check
    binds: frozenset[Purpose] = EVERYTHING
    needs_commitments: bool = False
    """True where it speaks only of what the customer told us: not asked where that is nothing."""
    concerns: Callable[[Frame], bool] | None = None
    """Whether it can hold anything at all in this run; None: that hangs on the case."""
    of_document: bool = False
    """True where it holds nothing of a plain invoice, see `is_plain_invoice`."""


def is_plain_invoice(invoice: Invoice) -> bool:
    """An invoice that is open, has a due date, reached the customer, and of which the ledger says
    nothing else."""
    return (
        invoice.status == "open"
        and invoice.balance > 0
        and invoice.sent is True
        and invoice.due_on is not None
        and invoice.expected_on is None
        and invoice.fee_of is None
        and not invoice.is_fee
        and not invoice.pays_by_itself
    )


def hold(
    code: str,
    *facts: tuple[str, object],
    next_on: date | None = None,
    review_on: date | None = None,
) -> Hold:
    """A hold with one reason; facts are shown as text."""
    told = tuple((name, str(value)) for name, value in facts if value not in (None, ""))
    return Hold(code=code, reasons=(Reason(code, told),), next_on=next_on, review_on=review_on)
