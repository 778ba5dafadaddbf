"""Payments, their allocations and their reversals."""

from datetime import date
from typing import Final

import msgspec

from rules.model.ids import CustomerId, InvoiceId, PaymentId
from rules.model.money import Minor

DELETED: Final = "deleted"
"""What the reason of a reversal begins with where the ledger only says that a payment is gone."""


class Allocation(msgspec.Struct, frozen=True, gc=False):
    """A part of a payment or credit that settles an invoice. `on` None: the document's date."""

    invoice: InvoiceId
    amount: Minor
    on: date | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Money received. What is not allocated stays the customer's unapplied credit."""

    id: PaymentId
    customer: CustomerId
    currency: str
    on: date
    known_on: date | None = None
    """The day the books learned of it, where that differs from `on`."""
    amount: Minor
    allocations: tuple[Allocation, ...] = ()
    reversed_on: date | None = None
    reversal_reason: str = ""
    reference: str = ""
    """What the customer or the bank wrote with it."""

    @property
    def is_return_known(self) -> bool:
        """Whether it is known to have come back. A payment that was deleted in the ledger may
        have come back as well as been a slip of the pen."""
        return self.reversed_on is not None and not self.reversal_reason.startswith(DELETED)

    @property
    def unapplied(self) -> Minor:
        """What is left for other invoices; nothing once the payment has bounced."""
        if self.reversed_on is not None:
            return 0
        left = self.amount
        for part in self.allocations:
            left -= part.amount
        return left
