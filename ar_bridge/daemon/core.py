"""One look at the timetable: what has ended is noted, what is due is begun.

The timetable lies in the database, so that it outlives this process and holds for whoever comes
after it. A look at which nothing is due asks one question and writes nothing.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import structlog

from ar_bridge.daemon.hands import Hands
from ar_bridge.daemon.jobs import JOBS, Job, wanted
from ar_bridge.daemon.orders import Order, Settled
from ar_bridge.daemon.timetable import OURS, daily_slot, next_daily, rest_after
from ar_bridge.errors import DatabaseError, SetupError
from ar_bridge.processes import is_gone, own_process
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.store import schedule
from ar_bridge.store.bodies import instant_text
from ar_bridge.store.engine import Store
from ar_bridge.store.schedule import MACHINE
from connectors.port import Clock

MUSTER_EVERY: Final = timedelta(minutes=10)
"""How often it is looked which books are connected, and in which time zone they live."""

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)

_POSITION: Final = {name: position for position, name in enumerate(JOBS)}
_OUTBOX: Final = tuple(name for name, job in JOBS.items() if job.when == "outbox")
_LEDGER: Final = tuple(name for name, job in JOBS.items() if job.asks_ledger)

_log = structlog.get_logger("ar_bridge.daemon")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A book that is connected, or the machine (id 0)."""

    book_id: int
    name: str
    zone: str
    settings: BookSettings | None
    jobs: dict[str, Job]


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is being done."""

    order: Order
    known: Known
    since: datetime
    began: float
    """On the clock that never goes back."""


@dataclass
class Core:
    """The timetable at work. Not thread-safe but for `tick`, which takes turns."""

    store: Store
    clock: Clock
    settings: Settings
    hands: Hands
    find: Callable[[Store, BookSettings], tuple[int, str]]
    """Row id and time zone of a configured book. Raises SetupError where it is not connected."""
    only: Collection[str] = ()
    """Names of the books to work on; empty: all."""
    on_settled: Callable[[Running, Settled], None] = lambda running, settled: None
    known: dict[int, Known] = field(default_factory=dict)
    unconnected: dict[str, str] = field(default_factory=dict)
    """Configured books that cannot be worked on, and why."""
    running: dict[int, Running] = field(default_factory=dict)
    """Book id to what is being done there."""
    ticked_at: datetime | None = None
    """The last look that went well."""
    _muster_at: datetime | None = None
    _ended: list[Settled] = field(default_factory=list)
    _turn: Any = field(default_factory=threading.RLock)

    def begin(self) -> None:
        """Before the first look: every book is looked up, and what was begun is finished first.

        Raises SetupError where the database cannot be used.
        """
        with self._turn:
            now = self.clock.now()
            with self.store.write() as conn:
                schedule.forget_future(conn, now)
            self.muster()
            with self.store.write() as conn:
                for known in self.known.values():
                    for name, job in known.jobs.items():
                        if job.when == "start" or job.at_start:
                            schedule.put(conn, known.book_id, name, now)

    def tick(self) -> int:
        """Note what has ended, begin what is due; how many jobs were begun."""
        with self._turn:
            now = self.clock.now()
            self.collect()
            before = self.ticked_at
            went_back = before is not None and now < before
            if went_back:
                _log.warning("the clock was set back", before=str(before), now=str(now))
                with self.store.write() as conn:
                    schedule.forget_future(conn, now)
            if went_back or self._muster_at is None or now >= self._muster_at:
                self.muster()
            self._cut_off_what_is_stuck()
            begun = self._begin_what_is_due(now)
            if not self.running:
                self.hands.rest()
            self.ticked_at = now
            return begun

    def muster(self) -> None:
        """Look up every book and bring its timetable into line with the settings."""
        now = self.clock.now()
        known: dict[int, Known] = {
            MACHINE: Known(
                book_id=MACHINE,
                name="",
                zone="UTC",
                settings=None,
                jobs=wanted(self.settings, None),
            )
        }
        self.unconnected = {}
        for book in self.settings.book.values():
            if self.only and book.name.casefold() not in self.only:
                continue
            try:
                book_id, zone = self.find(self.store, book)
            except DatabaseError:
                raise  # of no single book
            except SetupError as error:
                self.unconnected[book.name] = error.message
                continue
            known[book_id] = Known(
                book_id=book_id,
                name=book.name,
                zone=zone,
                settings=book,
                jobs=wanted(self.settings, book),
            )
        self.known = known
        self._muster_at = now + MUSTER_EVERY
        self._align(now)

    def take_settings(self, settings: Settings) -> None:
        """From now on by other settings; what is being done ends as it began, and what rests
        because something here was wrong is tried again."""
        with self._turn:
            self.settings = settings
            self.muster()
            now = self.clock.now()
            with self.store.write() as conn:
                schedule.wake_mended(conn, OURS, now)
                for known in self.known.values():
                    if "connection" in known.jobs:
                        # It looks at what the settings name: the mail server, the policy.
                        schedule.put(conn, known.book_id, "connection", now)

    def collect(self) -> None:
        """Note what has ended."""
        with self._turn:
            self._collect()

    def _collect(self) -> None:
        self._ended += self.hands.take()
        while self._ended:
            # Where it cannot be noted now, it is noted at the next look.
            settled = self._ended[0]
            running = next((r for r in self.running.values() if r.order.run == settled.run), None)
            if running is not None:
                self._note(running, settled)
                del self.running[running.order.book_id]
                self.on_settled(running, settled)
            self._ended.pop(0)

    # what is due --------------------------------------------------------------------------------

    def _begin_what_is_due(self, now: datetime) -> int:
        begun = 0
        with self.store.read() as conn:
            due = schedule.due(conn, now, outbox_jobs=_OUTBOX)
        for book_id, name, slot in sorted(due, key=lambda one: (_POSITION.get(one[1], 99), one)):
            known = self.known.get(book_id)
            if known is None or name not in known.jobs or book_id in self.running:
                continue
            if len(self.running) >= self.settings.daemon.at_once:
                break
            begun += self._begin(known, name, slot, now)
        return begun

    def _begin(self, known: Known, name: str, slot: str, now: datetime) -> bool:
        job = known.jobs[name]
        if job.when == "daily":
            slot = daily_slot(now, known.zone)
        with self.store.write() as conn:
            run = schedule.claim(
                conn,
                known.book_id,
                name,
                slot,
                now=now,
                owner=own_process(),
                is_gone=is_gone,
            )
            if run is None:
                # Done already, by us or by whoever else has this timetable.
                schedule.put(conn, known.book_id, name, self._next(conn, known, name, now))
                return False
        order = Order(run=run, book_id=known.book_id, book=known.name, job=name, slot=slot)
        self.running[known.book_id] = Running(
            order=order, known=known, since=now, began=self.clock.monotonic()
        )
        self.hands.begin(order)
        return True

    def _cut_off_what_is_stuck(self) -> None:
        most = self.settings.daemon.span("stuck_after").total_seconds()
        for running in self.running.values():
            if self.clock.monotonic() - running.began > most:
                _log.error("a job takes too long", run=running.order.run, job=running.order.job)
                self.hands.cut_off(running.order.run)

    # what has ended -----------------------------------------------------------------------------

    def _note(self, running: Running, settled: Settled) -> None:
        now = self.clock.now()
        order, known = running.order, running.known
        with self.store.write() as conn:
            schedule.end(conn, order.run, at=now, outcome=settled.outcome)
            if settled.outcome == "stopped":
                schedule.put(conn, order.book_id, order.job, now)
                return
            if settled.outcome == "failed":
                self._rest(conn, running, settled, now)
                return
            upcoming = self._next(conn, known, order.job, now)
            if settled.rests_until is not None:
                upcoming = max(upcoming, settled.rests_until)
            schedule.put(
                conn,
                order.book_id,
                order.job,
                upcoming,
                failures=0,
                code=settled.code,
                reason=settled.reason,
                done_at=instant_text(now),
                note=msgspec.json.encode(settled.note).decode(),
            )
            for other in JOBS[order.job].also:
                if other in known.jobs:
                    schedule.put(
                        conn,
                        order.book_id,
                        other,
                        self._next(conn, known, other, now),
                        failures=0,
                        code="",
                        reason="",
                        done_at=instant_text(now),
                    )
            if JOBS[order.job].asks_ledger:
                schedule.wake(conn, order.book_id, _LEDGER, now)

    def _rest(self, conn: Any, running: Running, settled: Settled, now: datetime) -> None:
        order = running.order
        # It is the book that rests where the ledger is away, whichever job found out.
        same = _LEDGER if settled.is_ledger else (order.job,)
        rows = schedule.rows(conn, order.book_id)
        failures = max((row.failures for row in rows if row.job in same), default=0) + 1
        until = max(now + rest_after(failures, settled.code), settled.rests_until or now)
        schedule.put(
            conn,
            order.book_id,
            order.job,
            until,
            failures=failures,
            code=settled.code,
            reason=settled.reason,
            failed_at=instant_text(now),
        )
        if settled.is_ledger:
            # The others would only fail in the same way.
            schedule.rest(conn, order.book_id, _LEDGER, until)
        _log.warning(
            "job rests after a failure",
            book=order.book,
            job=order.job,
            run=order.run,
            failures=failures,
            code=settled.code,
            until=until.isoformat(),
        )

    # when next ----------------------------------------------------------------------------------

    def _next(self, conn: Any, known: Known, name: str, now: datetime) -> datetime:
        job = known.jobs[name]
        if job.when == "start":
            return NEVER
        if job.when == "outbox":
            return now
        if job.when == "daily":
            at = job.at(self.settings, known.settings)
            assert at is not None
            return next_daily(
                at,
                known.zone,
                now,
                lambda slot: schedule.is_done(conn, known.book_id, name, slot),
            )
        every = job.every(self.settings)
        assert every is not None
        return now + every

    def _align(self, now: datetime) -> None:
        with self.store.read() as conn:
            stored = {(row.book_id, row.job): row for row in schedule.rows(conn)}
            changes: list[tuple[int, str, datetime]] = []
            for known in self.known.values():
                for name, job in known.jobs.items():
                    row = stored.get((known.book_id, name))
                    at = self._aligned(conn, known, name, job, row, now)
                    if row is None or row.next_at != at:
                        changes.append((known.book_id, name, at))
        gone = _gone(stored, self.known, self.only)
        if not changes and not gone:
            return
        with self.store.write() as conn:
            for book_id, name, at in changes:
                schedule.put(conn, book_id, name, at)
            schedule.forget(conn, gone)

    def _aligned(
        self,
        conn: Any,
        known: Known,
        name: str,
        job: Job,
        row: schedule.ScheduleRow | None,
        now: datetime,
    ) -> datetime:
        """When a job is due by the settings of today, whatever was stored."""
        if row is None:
            return now if job.when == "every" else self._next(conn, known, name, now)
        latest = self._next(conn, known, name, now)
        if row.failures:
            # It rests; but no clock that was wrong makes it rest for days.
            return min(row.next_at, max(latest, now + rest_after(row.failures, row.code)))
        if job.when == "daily":
            return row.next_at if row.next_at <= now else latest
        if job.when == "start":
            return row.next_at
        return min(row.next_at, latest + timedelta(days=1) if job.when == "outbox" else latest)


def _gone(
    stored: Collection[tuple[int, str]], known: dict[int, Known], only: Collection[str]
) -> Sequence[tuple[int, str]]:
    """Entries for which nobody asks any more. A book that was left out for now keeps its own."""
    return [
        (book_id, job)
        for book_id, job in stored
        if (book_id in known and job not in known[book_id].jobs)
        or (book_id not in known and not only)
    ]
