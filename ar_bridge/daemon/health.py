"""How it goes, with reasons: what /healthz answers. Numbers, names of books, nothing personal.

ok        200   everything is as it should be
degraded  200   it works, and something wants a look
failing   503   something does not work that should
"""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from ar_bridge import __version__, audit
from ar_bridge.daemon.core import Core, Known
from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.kill_switch import stopped_because
from ar_bridge.store import schedule, standing
from ar_bridge.store.schedule import MACHINE, ScheduleRow
from ar_bridge.store.standing import Standing

STALE_AFTER: Final = timedelta(hours=26)
"""A book that was not read for so long is not acted on any more."""

FAILS_OFTEN: Final = 3
"""Failures in a row after which a job counts as not working."""

FREE_WARNING: Final = 500_000_000
FREE_ERROR: Final = 50_000_000
"""Bytes left on the disk of the home directory."""

_RANK: Final = {"ok": 0, "degraded": 1, "failing": 2}


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be."""

    level: Literal["degraded", "failing"]
    code: str
    text: str
    since: str | None = None
    job: str = ""
    """The jobs that it is about, parted by commas."""


class Health:
    """Looks at the store and at the timetable whenever it is asked."""

    def __init__(self, core: Core, home: Path, *, process: int) -> None:
        self._core = core
        self._home = home
        self._process = process
        self._started_at = core.clock.now()
        self.remarks: dict[str, str] = {}
        """What the process itself has to say, by its code: a configuration that was refused."""

    def look(self) -> tuple[int, dict[str, Any]]:
        """Status of the answer, and its body."""
        now = self._core.clock.now()
        body: dict[str, Any] = {
            "status": "ok",
            "version": __version__,
            "process": self._process,
            "since": self._started_at.isoformat(),
            "at": now.isoformat(),
            "reasons": [],
            "books": {},
        }
        reasons = [*self._of_process(now), *self._of_disk(body)]
        try:
            reasons += self._of_store(body, now)
        except SetupError as error:
            reasons.append(Reason(level="failing", code="database", text=error.message))
        body["reasons"] = [msgspec.to_builtins(one) for one in reasons]
        body["status"] = _worst([one.level for one in reasons])
        for book in body["books"].values():
            body["status"] = max(body["status"], book["status"], key=_RANK.__getitem__)
        return 503 if body["status"] == "failing" else 200, body

    def _of_process(self, now: datetime) -> Iterator[Reason]:
        core = self._core
        ticked, tick = core.ticked_at, core.settings.daemon.span("tick")
        if ticked is not None and now - ticked > 4 * tick + timedelta(minutes=1):
            yield Reason(
                level="failing",
                code="timetable",
                text="the timetable is not looked at any more",
                since=ticked.isoformat(),
            )
        for code, text in self.remarks.items():
            yield Reason(level="degraded", code=code, text=text)
        if not core.settings.book:
            yield Reason(level="degraded", code="no_books", text="no book is configured")

    def _of_disk(self, body: dict[str, Any]) -> Iterator[Reason]:
        try:
            free = shutil.disk_usage(self._home).free
        except OSError:
            yield Reason(level="failing", code="home", text="the home directory cannot be read")
            return
        body["disk_free_mb"] = free // 1_000_000
        if free < FREE_WARNING:
            level: Literal["degraded", "failing"] = "failing" if free < FREE_ERROR else "degraded"
            yield Reason(level=level, code="disk", text=f"{free // 1_000_000} MB are left on disk")

    def _of_store(self, body: dict[str, Any], now: datetime) -> list[Reason]:
        core = self._core
        with core.store.read() as conn:
            seq, digest = audit.head(conn)
            rows = schedule.rows(conn)
            by_book = standing.standings(conn)
            body["nudges"] = standing.nudged(conn)
        body["audit"] = {"seq": seq, "hash": digest}
        body["running"] = len(core.running)
        of = {book_id: [r for r in rows if r.book_id == book_id] for book_id in core.known}
        for known in list(core.known.values()):
            if known.book_id == MACHINE:
                continue
            body["books"][known.name] = self._book(
                known, of[known.book_id], by_book.get(known.book_id, Standing()), now
            )
        for name, why in core.unconnected.items():
            reason = Reason(level="degraded", code="not_connected", text=why)
            body["books"][name] = {
                "status": "degraded",
                "reasons": [msgspec.to_builtins(reason)],
            }
        return [*_of_jobs(of.get(MACHINE, []))]

    def _book(
        self, known: Known, rows: list[ScheduleRow], standing: Standing, now: datetime
    ) -> dict[str, Any]:
        reasons = [*_of_jobs(rows), *_of_standing(standing, now, self._started_at)]
        if stopped_because(Home(self._home), known.name):
            reasons.append(
                Reason(level="degraded", code="stopped", text="nothing goes out: `ar-bridge start`")
            )
        done = {row.job: row for row in rows}
        running = self._core.running.get(known.book_id)
        body: dict[str, Any] = {
            "status": _worst([one.level for one in reasons]),
            "reasons": [msgspec.to_builtins(one) for one in reasons],
            "state": standing.state,
            "halts": standing.halts,
            "synced_at": _text(standing.synced_at),
            "full_synced_at": _text(standing.full_synced_at),
            "planned_at": _text(done["plan"].done_at) if "plan" in done else None,
            "actions": {state: standing.actions.get(state, 0) for state in _STATES},
            "running": running.order.job if running is not None else None,
            "jobs": {
                row.job: {
                    "next_at": _text(row.next_at) if row.next_at.year < 9999 else None,
                    "done_at": _text(row.done_at),
                    "failures": row.failures,
                }
                for row in rows
            },
        }
        if "connection" in done:
            body["connection"] = done["connection"].note
        return body


_STATES: Final = ("planned", "approved", "leased", "unknown", "parked")


def _of_jobs(rows: list[ScheduleRow]) -> Iterator[Reason]:
    """One reason for each trouble, however many jobs it stops."""
    found: dict[tuple[str, str], Reason] = {}
    for row in rows:
        if not (row.failures or row.code):
            continue
        fails = row.failures >= FAILS_OFTEN or (not row.failures and row.code == "audit")
        since = _text(row.failed_at if row.failures else row.done_at)
        before = found.get((row.code, row.reason))
        jobs, earliest = [row.job], since
        if before is not None:
            jobs = [*before.job.split(", "), row.job]
            earliest = min(filter(None, (before.since, since)), default=None)
            fails = fails or before.level == "failing"
        found[row.code, row.reason] = Reason(
            level="failing" if fails else "degraded",
            code=row.code,
            text=row.reason,
            since=earliest,
            job=", ".join(jobs),
        )
    yield from found.values()


def _of_standing(book: Standing, now: datetime, started_at: datetime) -> Iterator[Reason]:
    read = book.synced_at
    if now - max(read or started_at, started_at) > STALE_AFTER or (
        read is not None and now - read > STALE_AFTER + timedelta(hours=1)
    ):
        yield Reason(
            level="failing", code="stale", text="the ledger was not read lately", since=_text(read)
        )
    unknown, parked = book.actions.get("unknown", 0), book.actions.get("parked", 0)
    if unknown:
        yield Reason(
            level="degraded",
            code="unknown",
            text=f"{unknown} with a lost answer: a person says what became of it (settle)",
        )
    if parked:
        yield Reason(
            level="degraded", code="stuck", text=f"{parked} begun and stuck: a person has to look"
        )
    for halt in book.halts:
        yield Reason(level="degraded", code="halted", text=f"nothing goes out ({halt})")
    if book.state == "rebuilt":
        yield Reason(
            level="degraded",
            code="rebuilt",
            text="our records were rebuilt: no rule acts until `ar-bridge trust`",
        )


def _worst(levels: list[Any]) -> str:
    return max(["ok", *levels], key=_RANK.__getitem__)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
