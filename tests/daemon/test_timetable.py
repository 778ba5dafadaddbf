"""Each thing at its time and once, whatever the clock does."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_bridge.daemon.timetable import LONGEST_REST, local_instant, next_daily, rest_after
from tests.daemon.timetables import Desk

LONDON = "Europe/London"
SPRING = date(2026, 3, 29)
"""01:00 to 02:00 does not exist in London."""
AUTUMN = date(2026, 10, 25)
"""01:00 to 02:00 comes twice."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def london(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(LONDON)).astimezone(UTC)


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("at", ["01:30", "00:00", "02:00", "12:00"])
def test_the_plan_is_made_once_on_every_local_day_when_the_hour_changes(
    tmp_path: Path, stack: ExitStack, day: date, at: str
) -> None:
    noon = london(day - timedelta(days=1), 12)
    desk = Desk(tmp_path, stack, noon, plan_at=at, sync_every="never", tokens_every="never")
    desk.tick_until(london(day + timedelta(days=2), 13), every=timedelta(minutes=15))
    # The first day is caught up with at noon, where the hour had passed.
    first = day - timedelta(days=1)
    assert desk.local_days("plan", LONDON) == [first + timedelta(days=n) for n in range(4)]


def test_a_local_time_that_is_left_out_comes_an_hour_later_and_one_that_comes_twice_first() -> None:
    assert local_instant(SPRING, time(1, 30), LONDON) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert local_instant(AUTUMN, time(1, 30), LONDON) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_what_happens_again_and_again_keeps_its_distance_over_the_change(
    tmp_path: Path, stack: ExitStack
) -> None:
    desk = Desk(tmp_path, stack, london(AUTUMN, 0), sync_every="15m", plan_at="never")
    desk.tick_until(london(AUTUMN, 4))
    begun = desk.hands.of("sync")
    assert 18 <= len(begun) <= 20  # five hours lie between midnight and four
    apart = {after - before for before, after in pairwise(begun)}
    assert apart <= {timedelta(minutes=15), timedelta(minutes=16)}


def test_after_a_long_sleep_each_job_is_done_once(tmp_path: Path, stack: ExitStack) -> None:
    desk = Desk(tmp_path, stack, london(date(2026, 6, 1), 8))
    desk.tick_until(desk.clock.now() + timedelta(minutes=10))
    before = {job: len(desk.hands.of(job)) for job in ("plan", "sync")}
    desk.clock.advance(timedelta(days=9, hours=3))
    desk.tick_until(desk.clock.now() + timedelta(minutes=10))
    assert before["plan"] == 1
    assert len(desk.hands.of("plan")) == 2
    # The plan reads the ledger itself, so that nothing is left for a sync.
    assert len(desk.hands.of("sync")) == before["sync"]


def test_a_clock_that_is_set_back_repeats_no_day(tmp_path: Path, stack: ExitStack) -> None:
    desk = Desk(tmp_path, stack, london(date(2026, 6, 1), 6), plan_at="06:30")
    desk.tick_until(london(date(2026, 6, 1), 8))
    desk.clock.set_back(timedelta(hours=3))
    desk.tick_until(london(date(2026, 6, 1), 12))
    assert desk.local_days("plan", LONDON) == [date(2026, 6, 1)]
    # And reading did not stop until the old time was reached again.
    assert any(at < london(date(2026, 6, 1), 6) for at in desk.hands.of("sync"))


def test_a_clock_that_was_weeks_ahead_costs_no_day_when_it_is_put_right(
    tmp_path: Path, stack: ExitStack
) -> None:
    desk = Desk(
        tmp_path,
        stack,
        london(date(2026, 6, 1), 8),
        sync_every="never",
        tokens_every="never",
    )
    desk.core.tick()
    desk.clock.set_forward(timedelta(days=30))
    desk.tick_until(desk.clock.now() + timedelta(hours=1))
    desk.clock.set_back(timedelta(days=30))
    desk.tick_until(london(date(2026, 7, 3), 12), every=timedelta(hours=2))
    days = desk.local_days("plan", LONDON)
    for day in (date(2026, 6, 2), date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 3)):
        assert day in days


def test_each_book_lives_in_its_own_time(tmp_path: Path, stack: ExitStack) -> None:
    zones = {"elm": LONDON, "oak": "Pacific/Auckland", "ash": "America/Los_Angeles"}
    desk = Desk(
        tmp_path,
        stack,
        datetime(2026, 6, 1, 0, 0, tzinfo=UTC),
        books=zones,
        plan_at="06:30",
        sync_every="never",
        tokens_every="never",
    )
    desk.tick_until(datetime(2026, 6, 4, 0, 0, tzinfo=UTC), every=timedelta(minutes=20))
    for name, zone in zones.items():
        begun = [at.astimezone(ZoneInfo(zone)) for at in desk.hands.of("plan", name)]
        assert [at.date() for at in begun] == sorted({at.date() for at in begun})
        assert all(at.hour == 6 for at in begun[1:])


@given(
    st.integers(0, 2 * 366 * 24 * 60),
    st.times(),
    st.sampled_from([LONDON, "Australia/Lord_Howe", "America/New_York", "UTC", "Asia/Kathmandu"]),
    st.booleans(),
)
def test_a_daily_job_is_due_on_its_own_local_date_and_never_in_the_past(
    minutes: int, at: time, zone: str, was_done: bool
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    at = at.replace(second=0, microsecond=0)
    today = moment.astimezone(ZoneInfo(zone)).date()
    due = next_daily(at, zone, moment, lambda slot: was_done and slot == today.isoformat())
    assert due >= moment
    assert due.astimezone(ZoneInfo(zone)).date() == today + timedelta(days=was_done)


def test_rests_grow_and_have_an_end() -> None:
    rests = [rest_after(failures) for failures in range(1, 40)]
    assert rests[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST
