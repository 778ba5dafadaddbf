"""Losing our records never repeats an action: what we did is found again in the ledger.

The first time that a book is read, while our records hold no action, the ledger is searched for
marks of ours. Fees come with the pull (their numbers and tags); notes by one query where the
ledger has it, else from the notes on each invoice that something is about to be done about, read
once before contacts are counted. Any mark makes the book `rebuilt`: what was done, what people
told us and what was waived is restored, and every action waits for a person until one says that
the records can be trusted again.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import approvals, audit, audit_heads
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.found_notes import day_of, mark_of, restore_words
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, marks
from connectors.errors import ConnectorError
from connectors.port import FindsMarks, Mark
from rules.calendar import local_date
from rules.decide import decide
from rules.decision import Act
from rules.model import Book, CustomerId, FeePosted, InvoiceId

AT_ONCE: Final = 20
"""Invoices whose notes are read before what was found is stored."""

IN_A_PLAN: Final = 200
"""Invoices whose notes are read for one plan: as many calls, where each takes one. Customers
with others wait for the next plan."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What looking came to."""

    has_found: bool = False
    """Notes of ours were found: the book is to be loaded again."""
    unread: frozenset[CustomerId] = frozenset()
    """Payers about whom something is to be done while notes on their invoices are still unread."""
    problem: str = ""
    """Why they could not be read."""


def first_look(desk: BookContext) -> bool:
    """Search the ledger for marks of ours where that is still to be done; True where any was
    found.

    Raises ConnectorError where the ledger cannot be searched: then nothing may be planned.
    """
    with desk.store.read() as conn:
        row = books.get(conn, desk.book_id)
        if row.synced_at is None or marks.COMPANY in marks.places(conn, desk.book_id):
            return False
        is_known = bool(action_store.counts_by_state(conn, desk.book_id))
        book = desk.load(conn, desk.today(), None, ())
    found: Sequence[Mark] = ()
    connector = desk.connector
    if isinstance(connector, FindsMarks) and connector.capabilities.can_find_notes_in_bulk:
        found = connector.find_marks([invoice.id for invoice in book.invoices])
    charged = [] if is_known else [fee for fee in book.fees if fee.is_found_again]
    with desk.store.write() as conn:
        if row.state == "rebuilt" and is_known:
            take_out(conn, desk)
        has_found = _keep(conn, desk, found, charged=charged, places=[marks.COMPANY])
        if has_found and is_known:
            take_out(conn, desk)
        return has_found


def take_out(conn: Connection, desk: BookContext) -> None:
    """What was planned or approved in records that are older than the ledger may have been done
    already: all of it is decided anew, from what the ledger shows."""
    rows = action_store.actions_in(conn, desk.book_id, ("planned", "approved"))
    approvals.withdraw(
        conn,
        desk,
        [row for row in rows if not action_store.has_started(conn, row.id)],
        state="withdrawn",
        actor="sync",
        reason="our records are older than what the ledger holds: it is decided anew",
        now=desk.clock.now(),
    )


def look(desk: BookContext, book: Book) -> Looked:
    """Read the notes on the invoices that something is about to be done about, each once, where
    the ledger has no way to find them all together.

    What could not be read, for whatever reason, makes its payer wait: nothing is done blind.
    """
    connector = desk.connector
    if (
        not isinstance(connector, FindsMarks)
        or connector.capabilities.can_find_notes_in_bulk
        or book.company.connected_on is None
    ):
        return Looked()
    today = desk.today()
    has_found = False
    room = IN_A_PLAN
    while True:
        with desk.store.read() as conn:
            began = marks.first_looked_at(conn, desk.book_id)
            known = marks.places(conn, desk.book_id)
        if began is None:
            return Looked(has_found=has_found)
        last_day = local_date(began, book.company.timezone)
        unread = _about_to_act(desk, book, known, last_day, today)
        wanted = [invoice for invoices in unread.values() for invoice in invoices]
        if not wanted or room <= 0:
            return Looked(has_found=has_found, unread=frozenset(unread))
        for start in range(0, min(len(wanted), room), AT_ONCE):
            some = wanted[start : min(start + AT_ONCE, room)]
            try:
                found = connector.find_marks(some)
            except ConnectorError as problem:
                return Looked(has_found=has_found, unread=frozenset(unread), problem=str(problem))
            with desk.store.write() as conn:
                has_found |= _keep(conn, desk, found, places=map(marks.place_of, some))
        room -= len(wanted)
        with desk.store.read() as conn:
            book = desk.load(conn, today, None, ())


def _about_to_act(
    desk: BookContext, book: Book, known: Collection[str], last_day: date, today: date
) -> dict[CustomerId, list[InvoiceId]]:
    """Payer to invoices of which something may be due and whose notes were never read.

    An invoice that was issued after our records began holds nothing that they do not.
    """
    older: dict[CustomerId, list[InvoiceId]] = {}
    for invoice in book.invoices:
        if (
            invoice.status in ("open", "paid")
            and not invoice.is_fee
            and invoice.issued_on <= last_day
            and marks.place_of(invoice.id) not in known
        ):
            older.setdefault(book.payer_of(invoice.customer), []).append(invoice.id)
    if not older:
        return {}
    named: dict[CustomerId, set[InvoiceId]] = {}
    for decision in decide(book, desk.policy, today):
        if isinstance(decision, Act) and decision.action.customer in older:
            payer = decision.action.customer
            about = {item.invoice for item in decision.action.items if item.invoice is not None}
            # What is about the whole account left its note on the customer, whose notes are read
            # with those of any of their invoices.
            named.setdefault(payer, set()).update(about or older[payer][:1])
    late = {
        invoice.id
        for invoice in book.invoices
        if invoice.status == "open" and invoice.due_on is not None and invoice.due_on <= today
    }
    chosen = {
        payer: [one for one in older[payer] if one in invoices or one in late]
        for payer, invoices in named.items()
    }
    return {payer: invoices for payer, invoices in chosen.items() if invoices}


def _keep(
    conn: Connection,
    desk: BookContext,
    found: Sequence[Mark],
    *,
    charged: Sequence[FeePosted] = (),
    places: Iterable[str],
) -> bool:
    """Store what was found, what follows from it, and that it was looked for: all or nothing."""
    now = desk.clock.now()
    new = marks.add(conn, desk.book_id, ((mark_of(note), note) for note in found))
    restored = restore_words(conn, desk.book_id, new)
    marks.remember(conn, desk.book_id, places, at=now)
    if not new and not charged:
        return False
    row = books.get(conn, desk.book_id)
    days = [*(day_of(note) for note in new), *(fee.on for fee in charged)]
    first = min([row.connected_on, *days])
    marks.began(conn, desk.book_id, first)
    fees = [marks.FEES, *(marks.fee_place(fee.document) for fee in charged)]
    marks.remember(conn, desk.book_id, fees, at=now)
    trusted = marks.trusted_at(conn, desk.book_id)
    # What is newer than a person's trust is no part of what they looked at.
    if trusted is None or max(days) > local_date(trusted, desk.company.timezone):
        books.set_state(conn, desk.book_id, "rebuilt")
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor="sync",
        event="HistoryFoundAgain",
        subject=f"{row.ledger}/{row.company_id}",
        payload={
            "notes": [mark_of(note) for note in new],
            "fees": len(charged),
            "restored": restored,
            "since": first.isoformat(),
        },
    )
    return True


def trust(conn: Connection, desk: BookContext, *, actor: str, reason: str) -> datetime:
    """A person says that what was found again is all there is: rules may act again.

    Raises UsageError for a book that was not rebuilt.
    """
    row = books.get(conn, desk.book_id)
    now = desk.clock.now()
    heads = audit_heads.kept(desk.heads) if desk.heads is not None else []
    if row.state != "rebuilt":
        raise UsageError(
            f"The records of {desk.name} were not rebuilt: there is nothing to trust anew.",
            remedy="ar-bridge status shows how each book stands",
        )
    books.set_state(conn, desk.book_id, "normal")
    marks.trust(conn, desk.book_id, at=now)
    if desk.heads is not None:
        audit_heads.accept(conn, heads, book_id=desk.book_id, at=now, actor=actor, reason=reason)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event="RecordsTrusted",
        subject=f"{row.ledger}/{row.company_id}",
        payload={"reason": reason, "notes": len(marks.listed(conn, desk.book_id))},
    )
    return now
