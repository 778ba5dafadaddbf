"""What the sandbox's ledger holds. Ids are the vendor's; amounts are minor units.

Rows are frozen: a change is a new row with `version` + 1, so a rendered row can be kept as long
as its version stands. `version` is the QuickBooks SyncToken.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec

from rules.model.money import Minor

Author: TypeAlias = Literal["book", "client", "person"]
"""Who wrote a row: the book file, the connected client, or somebody else in the company."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Bookkeeping that every record carries."""

    id: str
    version: int = 0
    created_at: datetime
    updated_at: datetime
    by: Author = "book"
    extra: Mapping[str, Any] = {}
    """Vendor fields that a client set and that the ledger itself has no use for."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody at the customer. `is_mailed`: documents go there too."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    is_mailed: bool = True


class CustomerRow(Row, frozen=True, kw_only=True):
    name: str
    currency: str
    email: str = ""
    phone: str = ""
    terms_days: int | None = None
    country: str = ""
    parent: str | None = None
    tags: tuple[str, ...] = ()
    is_active: bool = True
    is_erased: bool = False
    """Xero: the person asked to be forgotten, GDPRREQUEST."""
    merged_into: str = ""
    """The customer that took this one's documents over."""
    persons: tuple[Person, ...] = ()
    street: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a document. `amount` is without tax."""

    id: str = ""
    description: str = ""
    amount: Minor
    tax: Minor = 0
    quantity: Decimal = Decimal(1)
    unit_price: Decimal
    item: str = ""
    """QuickBooks: id of the item. Xero: item code."""
    account: str = ""
    """Xero: account code."""
    tax_code: str = ""
    tracking: tuple[tuple[str, str], ...] = ()
    """Xero: (category, option), two at most."""


class Allocation(msgspec.Struct, frozen=True):
    """A part of a payment or credit that settles one invoice (vendor id)."""

    invoice: str
    amount: Minor
    on: date | None = None


class InvoiceRow(Row, frozen=True, kw_only=True):
    number: str
    customer: str
    currency: str
    issued_on: date
    due_on: date | None
    total: Minor
    tax: Minor = 0
    balance: Minor
    status: Literal["open", "paid", "void", "deleted", "draft", "submitted"] = "open"
    sent: bool | None = True
    is_fee: bool = False
    lines: tuple[Line, ...] = ()
    email: str = ""
    po: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """QuickBooks: custom fields besides the purchase order, as text."""
    private_note: str = ""
    """QuickBooks PrivateNote."""
    reference: str = ""
    """Xero Reference."""
    tags: tuple[str, ...] = ()
    deposit: Minor = 0
    """Taken with the invoice. QuickBooks keeps it on the document, Xero as a prepayment."""
    seen: Literal["", "viewed", "disputed"] = ""
    """QuickBooks: what the customer did in the online portal."""
    is_bounced: bool = False
    """QuickBooks: the mail came back."""
    pays_by_itself: bool = False
    """QuickBooks: a payment is scheduled."""

    @property
    def is_live(self) -> bool:
        """Money can be applied to it."""
        return self.status in ("open", "paid")


class PaymentRow(Row, frozen=True, kw_only=True):
    customer: str
    currency: str
    on: date
    amount: Minor
    allocations: tuple[Allocation, ...] = ()
    """Only those on invoices that the ledger has; others wait."""
    credits_used: tuple[tuple[str, Minor], ...] = ()
    """Credit notes (vendor id) that this payment applies: a QuickBooks payment of zero does."""
    status: Literal["live", "void", "deleted"] = "live"
    reason: str = ""
    private_note: str = ""

    @property
    def unapplied(self) -> Minor:
        if self.status != "live":
            return 0
        credits = sum(amount for _, amount in self.credits_used)
        return max(0, self.amount + credits - sum(part.amount for part in self.allocations))


class CreditRow(Row, frozen=True, kw_only=True):
    number: str
    customer: str
    currency: str
    on: date
    total: Minor
    tax: Minor = 0
    allocations: tuple[Allocation, ...] = ()
    remaining: Minor = 0
    status: Literal["live", "void", "deleted"] = "live"
    lines: tuple[Line, ...] = ()
    private_note: str = ""
    reference: str = ""


EstimateStatus: TypeAlias = Literal["open", "accepted", "declined", "expired", "invoiced", "void"]


class EstimateRow(Row, frozen=True, kw_only=True):
    """What may come to be invoiced: an estimate or a quote."""

    number: str
    customer: str
    currency: str
    on: date
    expires_on: date | None = None
    total: Minor
    status: EstimateStatus = "open"
    lines: tuple[Line, ...] = ()
    private_note: str = ""


class NoteRow(Row, frozen=True, kw_only=True):
    """A QuickBooks Attachable or a Xero history record. `targets`: (kind, vendor id), kind as
    in `ROW_TYPES`."""

    text: str
    targets: tuple[tuple[str, str], ...] = ()
    is_sent_along: bool = False
    """QuickBooks IncludeOnSend: the customer gets it with the document."""


class GroupRow(Row, frozen=True, kw_only=True):
    """A Xero contact group; `members` are vendor ids of customers."""

    name: str
    members: frozenset[str] = frozenset()


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the ledger mailed when a client asked it to."""

    invoice: str
    to: str
    at: datetime


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a client put on an invoice."""

    id: str
    invoice: str
    name: str
    content_type: str
    content: bytes
    is_for_customer: bool = False
    """Xero IncludeOnline, QuickBooks IncludeOnSend."""
    at: datetime


class Change(msgspec.Struct, frozen=True):
    """That a record was made, changed or deleted."""

    kind: str
    id: str
    at: datetime
    operation: Literal["Create", "Update", "Delete"]


class Deletion(msgspec.Struct, frozen=True):
    """What is left of a deleted record."""

    kind: str
    id: str
    at: datetime


ROW_TYPES: dict[str, type[Row]] = {
    "customer": CustomerRow,
    "invoice": InvoiceRow,
    "payment": PaymentRow,
    "credit_note": CreditRow,
    "estimate": EstimateRow,
    "note": NoteRow,
    "group": GroupRow,
}
