"""What is in the sandbox's ledger, as the sandbox itself counts it.

Only what the connected client wrote: documents, notes and mails of the book or of other people
are left out.
"""

from datetime import date, datetime

import msgspec

from connectors.sandbox.ledger import Ledger
from rules.model.money import Minor


class NoteRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    text: str
    targets: tuple[tuple[str, str], ...]
    """(kind, vendor id) of what the note hangs on."""
    at: datetime


class FeeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the client made, by its number. `amount` is minor units of `currency`."""

    id: str
    number: str
    amount: Minor
    currency: str
    customer: str
    customer_book_id: str | None
    tag: str
    """QuickBooks PrivateNote or Xero Reference, where the machine tag stands."""
    issued_on: date
    status: str


class MailRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the ledger mailed because the client asked."""

    invoice: str
    to: str
    at: datetime


class GroupRecord(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    members: tuple[str, ...]


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the client left in the ledger."""

    notes: tuple[NoteRecord, ...]
    fees: tuple[FeeRecord, ...]
    mails: tuple[MailRecord, ...]
    groups: tuple[GroupRecord, ...]


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic so far. Refused and broken calls count too, each as what it asked for."""

    reads: int = 0
    writes: int = 0
    throttled: int = 0
    """Answers with HTTP 429."""
    unauthorized: int = 0
    tokens: int = 0
    """Calls of the OAuth addresses."""
    faults: dict[str, int] = {}
    """How often each fault has struck."""


def records_of(ledger: Ledger) -> Records:
    """Count what the client wrote. Amounts of void documents are zero; deleted ones are gone."""
    return Records(
        notes=tuple(
            NoteRecord(id=note.id, text=note.text, targets=note.targets, at=note.created_at)
            for note in ledger.notes.values()
            if note.by == "client"
        ),
        fees=tuple(
            FeeRecord(
                id=invoice.id,
                number=invoice.number,
                amount=invoice.total,
                currency=invoice.currency,
                customer=invoice.customer,
                customer_book_id=ledger.ids.book_id("customer", invoice.customer),
                tag=invoice.private_note or invoice.reference,
                issued_on=invoice.issued_on,
                status=invoice.status,
            )
            for invoice in ledger.invoices.values()
            if invoice.by == "client"
        ),
        mails=tuple(
            MailRecord(invoice=mail.invoice, to=mail.to, at=mail.at) for mail in ledger.mails
        ),
        groups=tuple(
            GroupRecord(name=group.name, members=tuple(sorted(group.members)))
            for group in ledger.groups.values()
        ),
    )
