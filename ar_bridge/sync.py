"""Reading the ledger into the store.

The pages of a pull are kept in memory and stored in one transaction at its end, so the book is
always one that the ledger really had: never a new balance without its payment. A pull that
breaks off leaves no trace; the next one starts from the same cursor and loses nothing.

An invoice is closed only because the ledger said so about that very invoice: one that a full
pull did not mention is read again by its id first. Whatever could not be read is in quarantine
(see `book_loader` for what that means), never taken for paid.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.pulled import NAMELESS, Pull
from ar_bridge.store import actions, books, mirror, quarantine
from ar_bridge.store.bodies import Bodies
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from connectors.port import Clock, Connector, Quarantined, Record
from rules.actions.keys import read_charge_tag
from rules.model import CreditNote, Customer, CustomerId, Invoice, InvoiceId, Payment

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with entity, records read so far, and rows in all where the ledger tells."""

_payments: Bodies[Payment] = Bodies(Payment)
_credits: Bodies[CreditNote] = Bodies(CreditNote)


class SyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one reading of the ledger came to."""

    book_id: int
    full: bool
    at: datetime
    """When the reading began: the data are as old as this."""
    read: Mapping[str, int]
    """Entity to records read, the re-read invoices included."""
    closed: int
    """Invoices that left the open set."""
    missing: tuple[str, ...]
    """Numbers of invoices that were deleted in the ledger."""
    removed: Mapping[str, int]
    """Entity to records that the ledger no longer has."""
    quarantined: tuple[Quarantined, ...]
    """Everything that cannot be read at present, from this pull or before."""
    superseded: bool = False
    """True where a reading that began later had ended sooner: nothing of this one was stored."""


def sync(
    store: Store,
    row: BookRow,
    connector: Connector,
    clock: Clock,
    *,
    full: bool = False,
    progress: Progress | None = None,
    actor: str = "sync",
) -> SyncReport:
    """Read what changed since the last sync, or everything with `full` or without a cursor.

    Raises what the connector raises (TransientError, AuthorizationError): then nothing is stored.
    """
    at = clock.now()
    cursor = None if full else row.cursor
    pull = Pull()
    for page in connector.pull(cursor):
        pull.take(page)
        if progress is not None:
            progress(page.entity, pull.counts[page.entity], page.total)
    unsure = _unsure(store, row, pull, was_full=cursor is None)
    for some in _batches(unsure, connector.capabilities.read_batch):
        pull.reread(some, connector.read(some))
        if progress is not None:
            progress("invoices", pull.counts["invoices"], None)
    with store.write() as conn:
        return _keep(conn, row, pull, at=at, was_full=cursor is None, actor=actor)


def refresh(
    store: Store,
    row: BookRow,
    connector: Connector,
    clock: Clock,
    *,
    invoices: Collection[InvoiceId],
    customers: Collection[CustomerId] = (),
) -> list[Quarantined]:
    """Read these invoices again, and what these customers paid or were credited since the last
    sync, just before acting on them. Returns what could not be read: it must not be acted on.

    The cursor and the age of the book stay: the rest of it is as old as before.
    """
    at = clock.now()
    asked = sorted(invoices)
    reading = Pull()
    for some in _batches(asked, connector.capabilities.read_batch):
        reading.reread(some, connector.read(some))
    money = (
        connector.read_credits(sorted(customers), row.synced_at or _connection_began(row))
        if customers
        else ()
    )
    for record in money:
        entity = "payments" if isinstance(record, Payment) else "credits"
        reading.records[entity][record.id] = record
    with store.write() as conn:
        _store_records(conn, row, reading, seen_on=_local_day(row, at), at=at)
    return list(reading.unreadable.values())


def _connection_began(row: BookRow) -> datetime:
    """Midnight, in the company's zone, of the day on which the book was connected."""
    zone = ZoneInfo(row.company.timezone)
    return datetime.combine(row.connected_on, datetime.min.time(), tzinfo=zone)


def _marks_are_older_than_we(conn: Connection, row: BookRow, pull: Pull) -> bool:
    """Whether the ledger holds fees under our tag while our records hold no action at all: they
    were lost, so nothing goes by rule any more."""
    if actions.counts_by_state(conn, row.id):
        return False
    invoices = pull.records["invoices"].values()
    return any(
        isinstance(found, Invoice) and found.is_fee and read_charge_tag(found.reference)
        for found in invoices
    )


def _keep(
    conn: Connection, row: BookRow, pull: Pull, *, at: datetime, was_full: bool, actor: str
) -> SyncReport:
    current = books.get(conn, row.id)
    superseded = current.synced_at is not None and current.synced_at > at
    open_before = mirror.open_invoices(conn, row.id)
    removed: dict[str, int] = {}
    if not superseded:
        if was_full:
            _add_vanished(conn, row, pull)
        removed = _store_records(conn, row, pull, seen_on=_local_day(row, at), at=at)
        books.record_sync(
            conn, row.id, cursor=pull.cursor or (None if was_full else current.cursor), synced_at=at
        )
        if _marks_are_older_than_we(conn, row, pull):
            books.set_state(conn, row.id, "rebuilt")
    still_open = mirror.open_invoices(conn, row.id)
    report = SyncReport(
        book_id=row.id,
        full=was_full,
        at=at,
        read=dict(pull.counts),
        closed=len(open_before.keys() - still_open.keys()),
        missing=tuple(
            sorted(open_before[one].number for one in pull.gone["invoices"] if one in open_before)
        ),
        removed=removed,
        quarantined=tuple(
            Quarantined(entity=one.entity, id=one.id, reason=one.reason)
            for one in quarantine.listed(conn, row.id)
        ),
        superseded=superseded,
    )
    if not superseded:
        audit.append(
            conn,
            book_id=row.id,
            at=at,
            actor=actor,
            event="SyncCompleted",
            subject=f"{row.ledger}/{row.company_id}",
            payload={
                "full": was_full,
                "read": report.read,
                "closed": report.closed,
                "missing": report.missing,
                "quarantined": len(report.quarantined),
            },
            tenant=row.tenant_id,
        )
    return report


def _store_records(
    conn: Connection, row: BookRow, pull: Pull, *, seen_on: date, at: datetime
) -> dict[str, int]:
    """Write what was read; returns how many records of each entity are gone."""
    touched: set[str] = set()
    for entity, records in pull.records.items():
        if entity != "invoices":
            touched.update(_customer_of(record) for record in records.values())
        mirror.upsert(
            conn,
            row.id,
            entity,
            list(records.values()),
            seen_on=seen_on,
            tenant=row.tenant_id,
        )
    removed: dict[str, int] = {}
    for entity, ids in pull.gone.items():
        owners = mirror.owners(conn, row.id, entity, ids)
        if not owners:
            continue
        removed[entity] = len(owners)
        touched.update(owners.values())
        if entity == "invoices":
            mirror.mark_deleted(conn, row.id, ids, seen_on=seen_on)
        else:
            mirror.remove(conn, row.id, entity, ids)
    quarantine.add(conn, row.id, pull.unreadable.values(), at=at, tenant=row.tenant_id)
    for entity, ids in pull.gone.items():
        quarantine.release(conn, row.id, entity, ids)
    mirror.decide_again(conn, row.id, touched)
    return removed


def _add_vanished(conn: Connection, row: BookRow, pull: Pull) -> None:
    """After a full pull: what it did not mention is gone, where the pull would have named it.

    A pull covers open invoices and money that matters to them. So a payment or credit that was
    not mentioned is gone if it had something unapplied or settles an invoice that is open; one
    that only settles closed invoices is merely out of the pull's sight. A customer is kept
    while an open invoice or a child names it.
    """
    open_now = {
        record.id
        for record in pull.records["invoices"].values()
        if isinstance(record, Invoice) and record.status == "open"
    }
    readers: Mapping[str, Bodies[Payment] | Bodies[CreditNote]] = {
        "payments": _payments,
        "credits": _credits,
    }
    for entity, bodies in readers.items():
        for record_id, body in mirror.bodies(conn, row.id, entity):
            if pull.mentions(entity, record_id):
                continue
            if _would_be_named(bodies.read(body), open_now):
                pull.gone[entity].add(record_id)
    needed = {one.customer for one in mirror.open_invoices(conn, row.id).values()}
    needed.update(_customer_of(record) for record in pull.records["invoices"].values())
    needed.update(
        record.parent
        for record in pull.records["customers"].values()
        if isinstance(record, Customer) and record.parent is not None
    )
    for record_id, _ in mirror.bodies(conn, row.id, "customers"):
        if not pull.mentions("customers", record_id) and record_id not in needed:
            pull.gone["customers"].add(record_id)
    for held in quarantine.listed(conn, row.id):
        # Unreadable invoices that a pull passes over were read again by id: `_unsure`.
        is_needed = not held.id.startswith(NAMELESS) and (
            held.entity == "invoices" or (held.entity == "customers" and held.id in needed)
        )
        if not is_needed and not pull.mentions(held.entity, held.id):
            pull.gone[held.entity].add(held.id)


def _would_be_named(money: Payment | CreditNote, open_now: Collection[str]) -> bool:
    unapplied = money.unapplied if isinstance(money, Payment) else money.remaining
    return bool(unapplied) or any(part.invoice in open_now for part in money.allocations)


def _unsure(store: Store, row: BookRow, pull: Pull, *, was_full: bool) -> list[InvoiceId]:
    """Invoices to read by id: open ones that a full pull did not mention, and unreadable ones
    that nothing was said of since."""
    with store.read() as conn:
        ids = {
            one.id
            for one in quarantine.listed(conn, row.id)
            if one.entity == "invoices" and not one.id.startswith(NAMELESS)
        }
        if was_full:
            ids.update(mirror.open_invoices(conn, row.id))
    return [InvoiceId(one) for one in sorted(ids) if not pull.mentions("invoices", one)]


def _customer_of(record: Record) -> str:
    return record.id if isinstance(record, Customer) else record.customer


def _local_day(row: BookRow, at: datetime) -> date:
    return at.astimezone(ZoneInfo(row.company.timezone)).date()


def _batches(ids: Sequence[InvoiceId], size: int) -> Iterable[Sequence[InvoiceId]]:
    for start in range(0, len(ids), max(1, size)):
        yield ids[start : start + max(1, size)]
