"""The table of jobs: what there is to do by itself, when it is due, and who does it."""

from collections.abc import Callable, Mapping
from datetime import time, timedelta
from typing import Final, Literal

import msgspec

from ar_bridge.settings import BookSettings, Settings
from ar_bridge.settings.daemon import span_of, time_of


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of work."""

    work: str
    """`module:function`, called with a `Bench`. Imported by the worker only."""
    sentence: str
    when: Literal["every", "daily", "outbox", "start"]
    """every: again and again; daily: once for each local date; outbox: when an approved action
    may be done; start: once when the daemon starts."""
    every: Callable[[Settings], timedelta | None] = lambda settings: None
    at: Callable[[Settings, BookSettings | None], time | None] = lambda settings, book: None
    scope: Literal["book", "machine"] = "book"
    at_start: bool = False
    """Done when the daemon starts too, whenever it is due next."""
    asks_ledger: bool = True
    """It rests with the others of its book when the accounting system cannot be worked with."""
    also: tuple[str, ...] = ()
    """Jobs of which it does the work too."""

    def is_wanted(self, settings: Settings, book: BookSettings | None) -> bool:
        """Whether the settings have a time for it."""
        if self.when == "every":
            return self.every(settings) is not None
        if self.when == "daily":
            return self.at(settings, book) is not None
        return True


_WORK: Final = "ar_bridge.daemon.work"

JOBS: Final[Mapping[str, Job]] = {
    "finish": Job(
        work=f"{_WORK}:finish_begun",
        sentence="What an earlier process began and could not end is finished.",
        when="start",
    ),
    "plan": Job(
        work=f"{_WORK}:plan",
        sentence="The ledger is read, the plan of the day made, and what may go by rule approved.",
        when="daily",
        at=lambda settings, book: time_of(settings.daemon.plan_at),
        also=("sync", "finish"),
    ),
    "dispatch": Job(
        work=f"{_WORK}:dispatch",
        sentence="What is approved and whose time has come is looked at again and done.",
        when="outbox",
    ),
    "sync": Job(
        work=f"{_WORK}:sync",
        sentence="What changed in the ledger is read; all of it, as often as reconcile_every says.",
        when="every",
        every=lambda settings: span_of(settings.daemon.sync_every),
    ),
    "connection": Job(
        work=f"{_WORK}:connection",
        sentence="A connection that rests is used, so that it does not end; alarms before its end.",
        when="every",
        at_start=True,
        every=lambda settings: span_of(settings.daemon.tokens_every),
    ),
    "inbound": Job(
        work=f"{_WORK}:inbound",
        sentence="Replies and mail that came back are taken in.",
        when="every",
        every=lambda settings: (
            span_of(settings.daemon.inbound_every) if settings.inbound.is_set_up else None
        ),
        scope="machine",
        asks_ledger=False,
    ),
    "brief": Job(
        work=f"{_WORK}:brief",
        sentence="The owner's brief of the day is mailed.",
        when="daily",
        at=lambda settings, book: time_of(((book and book.brief) or settings.brief).at),
        asks_ledger=False,
    ),
    "backup": Job(
        work=f"{_WORK}:backup",
        sentence="The database and the files beside it are backed up and the copy is checked.",
        when="daily",
        at=lambda settings, book: time_of(settings.daemon.backup_at),
        scope="machine",
        asks_ledger=False,
    ),
    "audit": Job(
        work=f"{_WORK}:audit_head",
        sentence="The record of what was done is verified, its head kept outside of the database.",
        when="daily",
        at=lambda settings, book: time(3, 10),
        scope="machine",
        asks_ledger=False,
    ),
    "tidy": Job(
        work=f"{_WORK}:tidy",
        sentence="Runs of the timetable older than 90 days are dropped.",
        when="daily",
        at=lambda settings, book: time(3, 40),
        scope="machine",
        asks_ledger=False,
    ),
}
"""Name -> job, the most urgent first: of one book's jobs only one is done at a time."""


def wanted(settings: Settings, book: BookSettings | None) -> dict[str, Job]:
    """The jobs of the table that a book has a time for; with None, those of the machine."""
    scope = "machine" if book is None else "book"
    return {
        name: job
        for name, job in JOBS.items()
        if job.scope == scope and job.is_wanted(settings, book)
    }
