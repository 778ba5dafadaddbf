"""When a job is due, and the slot under which its run is known.

What happens once a day is known by the local date: however often a clock shows the same hour,
however it is set, and whoever asks twice, there is one run for each date. Everything else is
known by the instant at which it was due.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(hours=1)
LONGEST_REST_OF_OURS: Final = timedelta(minutes=4)
"""Of trouble on this machine: looking again costs nobody anything, and what somebody mends is
taken up soon."""

OURS: Final = frozenset({"setup", "policy", "database", "disk", "home"})
"""Codes of trouble with which no other machine has anything to do."""


def local_instant(day: date, at: time, zone: str) -> datetime:
    """The instant (UTC) at which a local clock shows that time: the first of two where the hour
    comes twice, and an hour later than named where it is left out (PEP 495, fold=0)."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def daily_slot(now: datetime, zone: str) -> str:
    """The slot of a daily job that runs now: its local date."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()


def next_daily(at: time, zone: str, now: datetime, is_done: Callable[[str], bool]) -> datetime:
    """When a daily job runs next: today, if it has not, and not before `at`; else tomorrow.

    A day that went by without a run is not made up for: today's run does what is due.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    if not is_done(today.isoformat()):
        return max(local_instant(today, at, zone), now)
    return local_instant(today + timedelta(days=1), at, zone)


def rest_after(failures: int, code: str = "") -> timedelta:
    """How long a job rests after so many failures in a row: 1, 2, 4 ... minutes, at most an
    hour, and at most four minutes where the trouble (`code`) is this machine's own."""
    longest = LONGEST_REST_OF_OURS if code in OURS else LONGEST_REST
    return min(FIRST_REST * 2 ** min(failures - 1, 10), longest)
