"""The few write-backs that every action compiles to. Connectors and channels know only these.

An effect says what has to be true in the outside world and carries its own key; how a ledger
spells it is the connector's business. Amounts are minor units of `currency`.
"""

from datetime import date
from typing import TypeAlias

import msgspec

from rules.model.ids import CustomerId, InvoiceId
from rules.model.money import Minor


class _Effect(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect"):
    key: str
    """Effect key, unique in the book: the root of the vendor key and of the marker."""
    customer: CustomerId
    is_optional: bool = False
    """True where the action is done without it: refused, it is reported and left out."""


class PostNote(_Effect, frozen=True, kw_only=True, tag="post_note"):
    """A note for colleagues on the invoices named, or on the customer where none is named.

    `text` already begins with `mark`. A ledger that takes one note for many invoices writes
    one; a ledger that cannot writes it on the customer when there is more than one invoice.
    """

    mark: str
    text: str
    invoices: tuple[InvoiceId, ...] = ()


class ChargeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a fee document that is about several invoices."""

    invoice: InvoiceId
    amount: Minor
    description: str
    """What the customer reads; it ends with the machine tag of the part
    (`rules.model.fee_part`)."""


class PostCharge(_Effect, frozen=True, kw_only=True, tag="post_charge"):
    """A late fee as a document of its own."""

    number: str
    currency: str
    amount: Minor
    issued_on: date
    due_on: date
    invoice: InvoiceId
    """The invoice that the fee is about."""
    invoice_number: str
    description: str
    """What the customer reads on the fee line."""
    lines: tuple[ChargeLine, ...] = ()
    """One for each invoice where the document is about a whole account; their sum is `amount`.
    None: the document has one line, `description`."""
    tag: str
    """Machine tag `arb1 ...` for the private field."""
    account: str
    """The book's `fee_account`: an account code on Xero, an item on QuickBooks."""
    tax: str
    """The book's `fee_tax`."""
    email: str = ""
    is_draft: bool = False


class PostCredit(_Effect, frozen=True, kw_only=True, tag="post_credit"):
    """A credit note on an invoice, applied to it at once: a bad debt written off, a discount
    that was earned. `amount` includes tax."""

    number: str
    currency: str
    amount: Minor
    issued_on: date
    invoice: InvoiceId
    invoice_number: str
    description: str
    """What the credit line says."""
    tag: str
    """Machine tag for the private field."""
    account: str
    """An account code on Xero, an item on QuickBooks."""
    tax: str = ""
    """Tax type on Xero, tax code on QuickBooks; empty: none is named."""


class ReverseCharge(_Effect, frozen=True, kw_only=True, tag="reverse_charge"):
    """Take a fee document back, wholly (`amount` None) or in part."""

    number: str
    document_id: str
    currency: str
    amount: Minor | None = None
    reason: str = ""


class SetHold(_Effect, frozen=True, kw_only=True, tag="set_hold"):
    """Put the customer on credit hold, or release it."""

    is_on: bool
    mark: str
    reason: str = ""


class SetExpectedDate(_Effect, frozen=True, kw_only=True, tag="set_expected_date"):
    """When the customer promised to pay."""

    invoice: InvoiceId
    on: date


class AttachFile(_Effect, frozen=True, kw_only=True, tag="attach_file"):
    """A file on an invoice, such as a letter."""

    invoice: InvoiceId
    filename: str
    content_type: str
    content: bytes


class SendLedgerInvoice(_Effect, frozen=True, kw_only=True, tag="send_ledger_invoice"):
    """Have the ledger mail its own invoice again."""

    invoice: InvoiceId
    to: str = ""


class SendMessage(_Effect, frozen=True, kw_only=True, tag="send_message"):
    """A message to the customer through one of our own channels."""

    channel: str = "email"
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    subject: str
    text: str
    html: str = ""
    message_id: str
    invoices: tuple[InvoiceId, ...] = ()


LedgerEffect: TypeAlias = (
    PostNote
    | PostCharge
    | PostCredit
    | ReverseCharge
    | SetHold
    | SetExpectedDate
    | AttachFile
    | SendLedgerInvoice
)
Effect: TypeAlias = LedgerEffect | SendMessage

EFFECT_NAMES: dict[type, str] = {
    PostNote: "post_note",
    PostCharge: "post_charge",
    PostCredit: "post_credit",
    ReverseCharge: "reverse_charge",
    SetHold: "set_hold",
    SetExpectedDate: "set_expected_date",
    AttachFile: "attach_file",
    SendLedgerInvoice: "send_ledger_invoice",
    SendMessage: "send_message",
}
