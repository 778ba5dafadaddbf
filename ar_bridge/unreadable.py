"""Records that cannot be read: whom they concern, and what waits because of them.

Such a record is neither paid nor owed at its old balance: we do not know. So everything that
customers see waits. An unreadable invoice that we know from before is paused, and its old balance
is shown to nobody. One that was never readable, and an unreadable customer, payment or credit,
pauses the whole account of who pays: whose it is the row itself may still tell. The pause lasts
for the day of the book and is made again while the record stays unreadable, so it leaves no trace
in what is accrued later. It is a commitment like any other: it shows up as a skip, with its reason.

A record that does not tell whose it is holds nobody back, and every plan warns of it.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import msgspec
from sqlalchemy import Connection

from ar_bridge.store import mirror, quarantine
from ar_bridge.store.quarantine import NAMELESS, QuarantineRow
from connectors.port import Quarantined
from rules.model import Commitment, CustomerId, Invoice, InvoiceId, Pause, Withheld


class Unread(Quarantined, frozen=True, kw_only=True):
    """An unreadable record of the book, with what waits because of it, in words."""

    waits: str = ""


class Concern(msgspec.Struct, frozen=True, kw_only=True):
    """An unreadable record with those whom it concerns."""

    record: QuarantineRow
    invoice: Invoice | None = None
    """The invoice itself, as it was when it could be read."""
    customers: tuple[str, ...] = ()
    """Whose accounts wait as a whole."""

    @property
    def is_anybodys(self) -> bool:
        """Whether it may be about money and nobody knows whose."""
        return self.record.entity != "estimates" and not self.customers and self.invoice is None

    @property
    def waits(self) -> str:
        """What waits because of it."""
        if self.record.entity == "estimates":
            return "it is left out"
        if self.is_anybodys:
            return "it does not tell whose it is, so nobody waits for it"
        return "its customer waits" if self.customers else "the invoice waits"


def concerns(conn: Connection, book_id: int) -> list[Concern]:
    """Every record that cannot be read at present."""
    held: dict[str, list[QuarantineRow]] = {}
    for record in quarantine.listed(conn, book_id):
        held.setdefault(record.entity, []).append(record)
    found: list[Concern] = []
    for entity, records in held.items():
        ids = [record.id for record in records]
        known: dict[InvoiceId, Invoice] = {}
        owner: dict[str, str] = {}
        if entity == "invoices":
            known = {one.id: one for one in mirror.invoices_by_id(conn, book_id, ids)}
        elif entity in ("payments", "credits"):
            owner = dict(mirror.owners(conn, book_id, entity, ids))
        for record in records:
            invoice = known.get(InvoiceId(record.id))
            concerned = [owner.get(record.id, ""), record.customer]
            if entity == "customers" and not record.id.startswith(NAMELESS):
                concerned = [record.customer or record.id]
            elif entity == "estimates":
                concerned = []
            # An invoice that names another customer now: neither of them is to be wronged.
            customers = {
                one for one in concerned if one and (invoice is None or one != invoice.customer)
            }
            found.append(
                Concern(record=record, invoice=invoice, customers=tuple(sorted(customers)))
            )
    return found


def held_back(
    conn: Connection,
    book_id: int,
    as_of: date,
    payer_of: Callable[[CustomerId], CustomerId],
) -> list[Commitment]:
    """What cannot be read as commitments of the day.

    A pause holds back what would be said or charged. Money that cannot be read may settle
    anything that the payer owes, so the payer's whole account waits. The old balance of an
    unreadable invoice is set aside too, so that no message about other invoices shows it.
    """
    made: list[Commitment] = []
    for each in concerns(conn, book_id):
        if each.invoice is not None:
            made.append(_pause(each.record, as_of, each.invoice.customer, each.invoice.id))
            made.append(_set_aside(each.record, as_of, each.invoice))
        waiting = {CustomerId(customer) for customer in each.customers}
        if each.record.entity != "customers":
            waiting = {payer_of(customer) for customer in waiting}
        made.extend(_pause(each.record, as_of, customer) for customer in sorted(waiting))
    return made


def unread(conn: Connection, book_id: int) -> tuple[Unread, ...]:
    """All of it for a report."""
    return tuple(
        Unread(
            entity=each.record.entity,
            id=each.record.id,
            reason=each.record.reason,
            customer=each.invoice.customer if each.invoice else "".join(each.customers[:1]),
            waits=each.waits,
        )
        for each in concerns(conn, book_id)
    )


def nobodys(conn: Connection, book_id: int) -> Sequence[QuarantineRow]:
    """Records that may be about money and do not tell whose they are."""
    return [each.record for each in concerns(conn, book_id) if each.is_anybodys]


def _pause(record: QuarantineRow, as_of: date, customer: str, *invoices: InvoiceId) -> Commitment:
    since = min(record.seen_at.date(), as_of)
    account = "" if invoices else f"/{customer}"
    return Pause(
        id=f"unreadable/{record.entity}/{record.id}{account}",
        customer=CustomerId(customer),
        invoices=invoices,
        on=since,
        until=as_of,
        review_on=since,
        reason=_reason(record),
        actor="sync",
    )


def _set_aside(record: QuarantineRow, as_of: date, invoice: Invoice) -> Commitment:
    since = min(record.seen_at.date(), as_of)
    return Withheld(
        id=f"unreadable/{record.entity}/{record.id}/balance",
        customer=invoice.customer,
        invoices=(invoice.id,),
        on=since,
        until=as_of + timedelta(days=1),
        amount=invoice.balance,
        review_on=since,
        reason=_reason(record),
        actor="sync",
    )


def _reason(record: QuarantineRow) -> str:
    return f"the ledger's record of {record.entity} {record.id} cannot be read: {record.reason}"
