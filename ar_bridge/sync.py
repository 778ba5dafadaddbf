"""Reading the ledger into the store.

The pages of a pull are kept aside as they arrive (`spool`) and become part of the book in one
transaction at its end, so the book is always one that the ledger really had: never a new balance
without its payment. A pull that breaks off leaves the book as it was; the next one goes on from
its last page, then asks once more for what changed in between, and loses nothing.

An invoice is closed only because the ledger said so about that very invoice: one that a full
pull did not mention is read again by its id first.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit, spool
from ar_bridge.merging import add_vanished, merge
from ar_bridge.pulled import Pull
from ar_bridge.spool import Reading
from ar_bridge.store import actions, books, marks, mirror, quarantine
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from ar_bridge.store.quarantine import NAMELESS
from ar_bridge.unreadable import Unread, unread
from connectors.errors import StaleError
from connectors.port import (
    Clock,
    Connector,
    Cursor,
    MoneyReading,
    Page,
    Quarantined,
    ReadsCustomers,
    ReadsEstimates,
    ReadsMoney,
)
from rules.model import CustomerId, EstimateId, InvoiceId

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with entity, records read so far, and rows in all where the ledger tells."""

_T = TypeVar("_T")


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
    quarantined: tuple[Unread, ...]
    """Everything that cannot be read at present, from this pull or before."""
    superseded: bool = False
    """True where a reading that began later had ended sooner: nothing of this one was stored."""
    resumed: bool = False
    """True where it went on with a reading whose process had ended."""
    remarks: tuple[str, ...] = ()
    """What a person should know about this reading."""


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

    Changes that the ledger can no longer tell are replaced by a full pull. Raises what the
    connector raises (TransientError, AuthorizationError): then the book stays as it was.
    """
    cursor = None if full else row.cursor
    if cursor is not None:
        try:
            return _sync(store, row, connector, clock, cursor, progress, actor)
        except StaleError as error:
            remark = f"what changed since the last sync can no longer be asked for ({error})"
            remarks = (f"{remark}: everything was read again",)
            return _whole(store, row, connector, clock, progress, actor, remarks=remarks)
    return _whole(store, row, connector, clock, progress, actor)


def _whole(
    store: Store,
    row: BookRow,
    connector: Connector,
    clock: Clock,
    progress: Progress | None,
    actor: str,
    *,
    remarks: tuple[str, ...] = (),
) -> SyncReport:
    """Everything; anew where the ledger will not go on with the reading that broke off."""
    try:
        return _sync(store, row, connector, clock, None, progress, actor, remarks=remarks)
    except StaleError:
        if not spool.abandon(store, row, clock):
            raise
        return _sync(store, row, connector, clock, None, progress, actor, remarks=remarks)


def _sync(
    store: Store,
    row: BookRow,
    connector: Connector,
    clock: Clock,
    cursor: Cursor | None,
    progress: Progress | None,
    actor: str,
    *,
    remarks: tuple[str, ...] = (),
) -> SyncReport:
    with spool.reading(store, row, clock, cursor) as reading:
        pull = reading.pull
        if reading.was_resumed:
            _go_on(connector, clock, cursor, reading, progress)
        else:
            _walk(pull, connector.pull(cursor), progress)
        _look_closer(store, row, connector, pull, progress, was_full=cursor is None)
        with store.write() as conn:
            report = _keep(
                conn, row, reading, was_full=cursor is None, actor=actor, remarks=remarks
            )
            began_at = reading.spool.began_at
            spool.forget(conn, store, row, clock, began_at, was_full=cursor is None)
    return report


def _go_on(
    connector: Connector,
    clock: Clock,
    cursor: Cursor | None,
    reading: Reading,
    progress: Progress | None,
) -> None:
    """From the last page on, and then what changed since that reading began: nobody knows what
    happened to the pages that were read before its process ended."""
    pull = reading.pull
    if pull.cursor is None:
        _walk(pull, connector.pull(cursor, resume=pull.resume), progress)
    since = pull.cursor
    if since is not None:
        began = clock.now()
        _walk(pull, connector.pull(since), progress)
        reading.at = began


def _walk(pull: Pull, pages: Iterable[Page], progress: Progress | None) -> None:
    for page in pages:
        pull.take(page)
        if progress is not None:
            progress(page.entity, pull.counts[page.entity], page.total)


def _look_closer(
    store: Store,
    row: BookRow,
    connector: Connector,
    pull: Pull,
    progress: Progress | None,
    *,
    was_full: bool,
) -> None:
    """Read by id what the pull left open."""
    for some in _batches(
        _unsure(store, row, pull, was_full=was_full), connector.capabilities.read_batch
    ):
        pull.reread(some, connector.read(some))
        if progress is not None:
            progress("invoices", pull.counts["invoices"], None)
    if was_full and isinstance(connector, ReadsCustomers):
        unnamed = _unnamed(store, row, pull)
        if unnamed:
            pull.reread_customers(connector.read_customers(unnamed))


def refresh(
    store: Store,
    row: BookRow,
    connector: Connector,
    clock: Clock,
    *,
    invoices: Collection[InvoiceId],
    customers: Collection[CustomerId] = (),
    estimates: Collection[EstimateId] = (),
) -> list[Quarantined]:
    """Read these invoices, customers and estimates again, and what the customers paid or were
    credited since the last sync, just before acting on them. Returns what could not be read: it
    must not be acted on.

    The cursor and the age of the book stay: the rest of it is as old as before.
    """
    at = clock.now()
    pull = Pull()
    for some in _batches(sorted(invoices), connector.capabilities.read_batch):
        pull.reread(some, connector.read(some))
    if customers:
        if isinstance(connector, ReadsCustomers):
            pull.reread_customers(connector.read_customers(sorted(customers)))
        since = row.synced_at or _connection_began(row)
        if isinstance(connector, ReadsMoney):
            pull.reread_money(connector.read_money(sorted(customers), since))
        else:
            money = connector.read_credits(sorted(customers), since)
            pull.reread_money(MoneyReading(records=money))
    if estimates and isinstance(connector, ReadsEstimates):
        pull.reread_estimates(connector.read_estimates(sorted(estimates)))
    with store.write() as conn:
        merge(conn, row, pull, at=at)
    return list(pull.unreadable.values())


def _connection_began(row: BookRow) -> datetime:
    """Midnight, in the company's zone, of the day on which the book was connected."""
    zone = ZoneInfo(row.company.timezone)
    return datetime.combine(row.connected_on, datetime.min.time(), tzinfo=zone)


def _look_for_strange_fees(conn: Connection, row: BookRow, pull: Pull, at: datetime) -> None:
    """Where the ledger holds fees under our tag of which our records know nothing, the records
    were lost, or are an older copy: nothing goes by rule any more, and everything is looked at
    again (`ar_bridge.rebuilding`)."""
    strange = marks.unknown_fees(conn, row.id, pull.fees_of_ours)
    if not strange:
        return
    places = marks.places(conn, row.id)
    is_known = bool(actions.counts_by_state(conn, row.id))
    # Found by a release that did not remember their numbers.
    is_old_news = marks.FEES not in places and marks.TRUSTED in places
    marks.remember(
        conn, row.id, [marks.FEES, *(marks.fee_place(number) for number in strange)], at=at
    )
    if is_old_news:
        return
    books.set_state(conn, row.id, "rebuilt")
    if is_known:
        marks.forget(conn, row.id)
    audit.append(
        conn,
        book_id=row.id,
        at=at,
        actor="sync",
        event="StrangeFeesFound",
        subject=f"{row.ledger}/{row.company_id}",
        payload={"fees": strange, "state": "rebuilt"},
        tenant=row.tenant_id,
    )


def _keep(
    conn: Connection,
    row: BookRow,
    reading: Reading,
    *,
    was_full: bool,
    actor: str,
    remarks: tuple[str, ...],
) -> SyncReport:
    pull, at = reading.pull, reading.at
    current = books.get(conn, row.id)
    superseded = current.synced_at is not None and current.synced_at > at
    if was_full and not superseded:
        add_vanished(conn, row, pull)
    # A reading of what changed speaks of a few: nothing else can have become closed by it.
    spoken_of = None if was_full else pull.spoken_of("invoices")
    open_before = mirror.open_invoices(conn, row.id, spoken_of)
    removed: Mapping[str, int] = {}
    if not superseded:
        merged = merge(conn, row, pull, at=at)
        removed = merged.removed
        books.record_sync(
            conn,
            row.id,
            cursor=pull.cursor or (None if was_full else current.cursor),
            synced_at=at,
            is_full=was_full,
        )
        _look_for_strange_fees(conn, row, pull, at)
        remarks += _in_words(conn, row, merged.adopted)
    still_open = mirror.open_invoices(conn, row.id, spoken_of)
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
        quarantined=unread(conn, row.id),
        superseded=superseded,
        resumed=reading.was_resumed,
        remarks=(*remarks, *pull.remarks),
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
                "resumed": report.resumed,
                "read": report.read,
                "closed": report.closed,
                "missing": report.missing,
                "quarantined": len(report.quarantined),
                "remarks": report.remarks,
            },
            tenant=row.tenant_id,
        )
    return report


def _in_words(conn: Connection, row: BookRow, adopted: Mapping[str, str]) -> tuple[str, ...]:
    if not adopted:
        return ()
    named = mirror.customers_by_id(conn, row.id, {*adopted, *adopted.values()})

    def name(customer: str) -> str:
        return named[customer].name if customer in named else customer

    return tuple(
        f"customer {name(left)} ({left}) was merged into {name(taken)} ({taken}): "
        "what customers.toml says of the first one is to be moved by hand"
        for left, taken in sorted(adopted.items())
    )


def _unsure(store: Store, row: BookRow, pull: Pull, *, was_full: bool) -> list[InvoiceId]:
    """Invoices to read by id: open ones that a full pull did not mention, those of customers
    that are no longer there (a merger moves them), and unreadable ones that nothing was said of
    since."""
    left = pull.gone["customers"] | pull.inactive
    with store.read() as conn:
        ids = {
            one.id
            for one in quarantine.listed(conn, row.id)
            if one.entity == "invoices" and not one.id.startswith(NAMELESS)
        }
        if was_full or left:
            ids.update(
                invoice
                for invoice, known in mirror.open_invoices(conn, row.id).items()
                if was_full or known.customer in left
            )
    return [InvoiceId(one) for one in sorted(ids) if not pull.mentions("invoices", one)]


def _unnamed(store: Store, row: BookRow, pull: Pull) -> list[CustomerId]:
    """Customers that we know and need and that a full pull did not mention."""
    missing = sorted(
        customer for customer in pull.named_customers if not pull.mentions("customers", customer)
    )
    with store.read() as conn:
        known = mirror.customers_by_id(conn, row.id, missing)
    return [CustomerId(customer) for customer in missing if customer in known]


def _batches(ids: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    for start in range(0, len(ids), max(1, size)):
        yield ids[start : start + max(1, size)]
