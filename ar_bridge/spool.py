"""Readings that survive the end of their process.

Every page is kept in the store as it arrives, in a small transaction of its own. A reading whose
process is gone is taken over by the next one of the same kind, from its last page on, while it is
younger than KEPT_FOR. It is left alone while its process lives: then the next one reads by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from ar_bridge.processes import is_gone, is_of_this_machine, own_process
from ar_bridge.pulled import Pull
from ar_bridge.store import pulls
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from connectors.errors import TransientError
from connectors.port import Clock, Cursor, Page

KEPT_FOR: Final = timedelta(hours=6)
"""A reading that stopped longer ago begins anew."""

FAR_AWAY_FOR: Final = timedelta(minutes=15)
"""A process on another machine counts as gone after this time without a page."""

_here: set[tuple[str, int, datetime]] = set()
"""Readings under way in this process."""


class Spool:
    """The pages of one reading, in the store."""

    def __init__(
        self, store: Store, row: BookRow, clock: Clock, began_at: datetime, cursor: Cursor | None
    ) -> None:
        self.began_at = began_at
        self._store = store
        self._row = row
        self._clock = clock
        self._cursor = cursor
        self._has_begun = False

    def taken_over(self) -> "Spool":
        """Its pages are there already, by another process that is gone."""
        with self._store.write() as conn:
            pulls.take_over(
                conn,
                self._row.id,
                self.began_at,
                reader=own_process(),
                at=self._clock.now(),
            )
        self._has_begun = True
        return self

    def keep(self, position: int, page: Page) -> None:
        """One page, at once. Raises TransientError where another process has gone on with it."""
        with self._store.write() as conn:
            if not self._has_begun:
                pulls.begin(
                    conn,
                    self._row.id,
                    began_at=self.began_at,
                    cursor=self._cursor,
                    reader=own_process(),
                    tenant=self._row.tenant_id,
                )
            is_ours = pulls.append(
                conn,
                self._row.id,
                self.began_at,
                position,
                page,
                at=self._clock.now(),
                reader=own_process(),
                tenant=self._row.tenant_id,
            )
        self._has_begun = True
        if not is_ours:
            raise TransientError("another process has gone on with this reading of the ledger")

    def read(self, conn: Connection) -> Iterator[tuple[int, Page]]:
        return pulls.pages(conn, self._row.id, self.began_at)


class Reading:
    """A reading that is under way in this process."""

    def __init__(self, pull: Pull, *, at: datetime, spool: Spool, was_resumed: bool) -> None:
        self.pull = pull
        self.at = at
        """When the oldest of its data were asked for."""
        self.spool = spool
        self.was_resumed = was_resumed


@contextmanager
def reading(store: Store, row: BookRow, clock: Clock, cursor: Cursor | None) -> Iterator[Reading]:
    """Begin to read from a cursor (None: everything), or go on where a process left off."""
    now = clock.now()
    with store.read() as conn:
        known = pulls.under_way(conn, row.id)
    left = [one for one in known if not _is_alive(store, row, one, now)]
    fitting: Reading | None = None
    for one in left:
        if now - one.began_at <= KEPT_FOR and one.cursor == cursor and fitting is None:
            fitting = _taken_over(store, row, clock, one)
            if fitting.pull.cursor is not None or fitting.pull.resume:
                continue
            fitting = None
        elif now - one.began_at <= KEPT_FOR and one.is_full:
            continue  # for the next full reading
        _drop(store, row, one.began_at)
        known.remove(one)
    found = fitting or _anew(store, row, clock, cursor, {one.began_at for one in known})
    name = (store.place, row.id, found.spool.began_at)
    _here.add(name)
    try:
        yield found
    finally:
        _here.discard(name)


def abandon(store: Store, row: BookRow, clock: Clock) -> bool:
    """Give up readings of everything that broke off; whether there was one."""
    now = clock.now()
    with store.read() as conn:
        known = pulls.under_way(conn, row.id)
    left = [one for one in known if one.is_full and not _is_alive(store, row, one, now)]
    for one in left:
        _drop(store, row, one.began_at)
    return bool(left)


def forget(
    conn: Connection, store: Store, row: BookRow, clock: Clock, done: datetime, *, was_full: bool
) -> None:
    """After a reading became part of the book: its pages, and those of earlier ones of its kind
    that nobody goes on with."""
    now = clock.now()
    for one in pulls.under_way(conn, row.id):
        is_earlier = one.began_at < done and (was_full or not one.is_full)
        if one.began_at == done or (is_earlier and not _is_alive(store, row, one, now)):
            pulls.drop(conn, row.id, one.began_at)


def _anew(
    store: Store, row: BookRow, clock: Clock, cursor: Cursor | None, taken: set[datetime]
) -> Reading:
    now = began_at = clock.now()
    while began_at in taken:
        began_at += timedelta(microseconds=1)
    spool = Spool(store, row, clock, began_at, cursor)
    return Reading(Pull(spool), at=now, spool=spool, was_resumed=False)


def _drop(store: Store, row: BookRow, began_at: datetime) -> None:
    with store.write() as conn:
        pulls.drop(conn, row.id, began_at)


def _taken_over(store: Store, row: BookRow, clock: Clock, left: pulls.UnderWay) -> Reading:
    spool = Spool(store, row, clock, left.began_at, left.cursor).taken_over()
    pull = Pull(spool)
    with store.read() as conn:
        for position, page in spool.read(conn):
            pull.learn(position, page)
    return Reading(pull, at=left.began_at, spool=spool, was_resumed=True)


def _is_alive(store: Store, row: BookRow, one: pulls.UnderWay, now: datetime) -> bool:
    if one.reader == own_process():
        return (store.place, row.id, one.began_at) in _here
    if is_of_this_machine(one.reader):
        return not is_gone(one.reader)
    return now - one.last_at < FAR_AWAY_FOR
