"""Invoices that were paid, remembered after they left the working set: how a customer pays."""

from datetime import date

import msgspec

from rules.model.ids import CustomerId, InvoiceId
from rules.model.money import Minor


class Settled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One invoice that the customer paid in full. Amounts are minor units of `currency`."""

    invoice: InvoiceId
    customer: CustomerId
    currency: str
    total: Minor
    issued_on: date
    due_on: date | None
    paid_on: date
    """The day of the last payment: credit notes are not the customer's doing."""
