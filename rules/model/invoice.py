"""Invoices as of a day."""

from datetime import date
from typing import Literal, TypeAlias

import msgspec

from rules.model.fee_part import FeePart
from rules.model.ids import CustomerId, InvoiceId
from rules.model.money import Minor

InvoiceStatus: TypeAlias = Literal["open", "paid", "void", "deleted", "draft"]


class Invoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One sales invoice. Amounts are minor units of `currency`, tax included in `total`."""

    id: InvoiceId
    number: str
    customer: CustomerId
    currency: str
    issued_on: date
    due_on: date | None
    """None where the ledger has no due date: such an invoice is never chased, and says so."""
    total: Minor
    tax: Minor = 0
    balance: Minor
    """Still owed, after the payments and credits that the ledger has applied."""
    status: InvoiceStatus = "open"
    sent: bool | None = True
    """True, False (known not delivered) or None (the ledger cannot tell)."""
    fee_of: InvoiceId | None = None
    """Set on a fee document of ours whose source invoice is known."""
    is_fee: bool = False
    """True on any fee document, ours or the vendor's: never a base, never chased on its own."""
    fee_parts: tuple[FeePart, ...] = ()
    """On a fee document of ours about a whole account: what each invoice bears of it."""
    fee_lines: Minor = 0
    """Fee lines of others inside this invoice (such as the ledger's own late fee)."""
    po: str = ""
    reference: str = ""
    tags: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """Products and services on its lines, as the ledger names them."""
    tracking: tuple[str, ...] = ()
    """What the ledger sorts its lines by: "Class: Retail", "Location: Leeds", "Region: North"."""
    email: str = ""
    """The address that the ledger sent this invoice to: the `invoice` role."""
    is_disputed: bool = False
    """The customer contested it in the ledger's own portal."""
    is_undelivered: bool = False
    """The ledger mailed it and the mail could not be delivered; `sent` is False then."""
    is_viewed: bool = False
    """The customer is known to have opened it."""
    deposit: Minor = 0
    """Taken with the invoice and already off its balance."""
    pays_by_itself: bool = False
    """An automatic or scheduled payment is set up: nothing to chase."""
    online_url: str = ""
    is_payable_online: bool | None = None
    """Whether the ledger lets the customer pay it online; None where it does not say."""
    expected_on: date | None = None
    """When the customer is expected to pay, as somebody noted it in the ledger itself."""
    dates: tuple[tuple[str, date], ...] = ()
    """Further date fields of the invoice by name, such as the day on which the work was done: a
    stage can count from them."""
