"""Payments, their allocations and their reversals."""

from datetime import date

import msgspec

from rules.model.ids import CustomerId, InvoiceId, PaymentId
from rules.model.money import Minor


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

    @property
    def unapplied(self) -> Minor:
        """What is left for other invoices; nothing once the payment has bounced."""
        if self.reversed_on is not None:
            return 0
        return self.amount - sum(part.amount for part in self.allocations)
