"""Call budgets against vendors that count strictly: nothing refused, hardly anything unused."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from ar_bridge.clock import VirtualClock
from connectors.allowance import MemoryState
from connectors.budget import RateBudget, Window, moment, serving_writes
from connectors.errors import RateLimitedError
from connectors.quickbooks.opening import WINDOWS
from connectors.xero.faults import windows

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = Window(
    name="day", calls=5000, seconds=86_400, kept_share=1 / 3, sizes=(1000, 5000), refuses=True
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


class Strict:
    """A vendor who counts a call at some moment on its way and lets nothing through beyond."""

    def __init__(self, clock: VirtualClock, limits: dict[float, int], *, is_sliding: bool) -> None:
        self.clock = clock
        self.limits = limits
        self.is_sliding = is_sliding
        self.seen: deque[float] = deque()
        self.refused = 0

    def call(self, on_the_way: float, back: float) -> None:
        self.clock.sleep(on_the_way)
        now = self.clock.monotonic()
        self.seen.append(now)
        for seconds, limit in self.limits.items():
            since = now - seconds if self.is_sliding else now // seconds * seconds - 1e-9
            self.refused += sum(1 for at in self.seen if at > since) > limit
        self.clock.sleep(back)


@pytest.mark.parametrize("is_sliding", [True, False], ids=["sliding", "fixed"])
@pytest.mark.parametrize(
    ("on_the_way", "back"),
    [(0.0, 0.0), (0.03, 0.05), (0.0, 0.09), (0.09, 0.0)],
    ids=["at-once", "even", "counted-first", "counted-last"],
)
def test_a_strict_quickbooks_refuses_nothing_and_is_kept_busy(
    clock: VirtualClock, on_the_way: float, back: float, is_sliding: bool
) -> None:
    vendor = Strict(clock, {1.0: 10, 60.0: 500}, is_sliding=is_sliding)
    budget = RateBudget(clock, WINDOWS)
    for number in range(1200):
        with budget.place(is_write=True, path="/v3/company/1/invoice"):
            jitter = 0.01 * (number % 4) if on_the_way else 0.0
            vendor.call(on_the_way + jitter, back + 0.01 * (number % 3))
    assert vendor.refused == 0
    assert clock.monotonic() * 0.92 < 2 * 60 + 200 / 10


def test_ten_a_second_are_used_in_spite_of_latency(clock: VirtualClock) -> None:
    vendor = Strict(clock, {1.0: 10}, is_sliding=True)
    budget = RateBudget(clock, WINDOWS)
    for number in range(400):
        with budget.place(is_write=True):
            vendor.call(0.02 + 0.01 * (number % 3), 0.03 + 0.01 * (number % 2))
    assert vendor.refused == 0
    assert 400 / clock.monotonic() >= 0.92 * 10


def test_batches_have_a_limit_of_their_own(clock: VirtualClock) -> None:
    budget = RateBudget(clock, WINDOWS)
    for _ in range(40):
        with budget.place(is_write=True, path="/v3/company/1/batch"):
            pass
    assert clock.monotonic() < 10
    with budget.place(is_write=True, path="/v3/company/1/invoice"):
        pass
    assert clock.monotonic() < 10
    with budget.place(is_write=True, path="/v3/company/1/batch"):
        pass
    assert clock.monotonic() >= 60


def test_sixty_a_minute(clock: VirtualClock) -> None:
    vendor = Strict(clock, {60.0: 60}, is_sliding=True)
    budget = RateBudget(clock, windows(), concurrent=5)
    for _ in range(300):
        with budget.place(is_write=True):
            vendor.call(0.1, 0.2)
    assert vendor.refused == 0
    assert clock.monotonic() * 0.92 < 4 * 60


def test_what_is_kept_for_writes_is_a_third_of_the_day_that_the_vendor_sells(
    clock: VirtualClock,
) -> None:
    budget = RateBudget(clock, [DAY], vendor="Xero")
    left = 1000
    with pytest.raises(RateLimitedError, match="but for those kept for writing") as caught:
        while True:
            with budget.place(is_write=False):
                left -= 1
                budget.heard({"day": left})
    assert left == 333
    assert caught.value.until is not None
    # A read that serves a write is part of writing.
    with serving_writes(), budget.place(is_write=False):
        pass
    with budget.place(is_write=True):
        budget.heard({"day": 0})
    with pytest.raises(RateLimitedError, match=r"Xero's calls of the day are used up until"):
        budget.place(is_write=True).__enter__()


def test_a_new_day_is_noticed_and_its_size_learnt_again(clock: VirtualClock) -> None:
    budget = RateBudget(clock, [DAY])
    with budget.place(is_write=False):
        budget.heard({"day": 1700})
    with budget.place(is_write=False):
        budget.heard({"day": 500})
    with pytest.raises(RateLimitedError):
        budget.place(is_write=False).__enter__()  # a third of 5,000 is kept
    clock.advance(timedelta(hours=1, minutes=1))
    # Once an hour a call may see whether the vendor's day began sooner than we think.
    with budget.place(is_write=False):
        budget.heard({"day": 999})  # and it may be another plan
    with budget.place(is_write=False):
        pass


def test_a_long_pause_ends_when_the_vendor_said(clock: VirtualClock) -> None:
    state = MemoryState()
    told = RateBudget(clock, [], state=state, vendor="Xero").pause(66_975, "day")
    assert str(told) == "Xero's calls of the day are used up until 2026-03-03 03:37 (UTC)"
    with pytest.raises(RateLimitedError) as caught:
        RateBudget(clock, [], state=state, vendor="Xero").place(is_write=True).__enter__()
    assert caught.value.until == START + timedelta(seconds=66_975)
    clock.advance(66_975)
    with RateBudget(clock, [], state=state).place(is_write=True):
        pass


def test_the_application_s_own_limit_makes_every_book_wait(clock: VirtualClock) -> None:
    budget = RateBudget(clock, windows())
    with budget.place(is_write=True):
        budget.heard({"app minute": 0})
    with budget.place(is_write=True):
        assert clock.monotonic() >= 60


def test_a_clock_that_was_set_back_stops_nobody_for_long(clock: VirtualClock) -> None:
    state = MemoryState()
    window = Window(name="minute", calls=1, seconds=60)
    with RateBudget(clock, [window], state=state).place(is_write=True):
        pass
    earlier = VirtualClock(START - timedelta(days=2))
    with RateBudget(earlier, [window], state=state).place(is_write=True):
        assert earlier.monotonic() <= 60 + 181


def test_moments_for_people() -> None:
    assert moment(START + timedelta(hours=2, minutes=10), START) == "11:10 (UTC)"
    assert moment(START + timedelta(days=1), START) == "2026-03-03 09:00 (UTC)"


def test_what_is_left_of_the_day_is_told_without_a_call(clock: VirtualClock) -> None:
    assert RateBudget(clock, WINDOWS).left() is None
    budget = RateBudget(clock, windows())
    first = budget.left()
    assert first is not None and first.left == 5000
    with budget.place(is_write=True):
        inside = budget.left()
        assert inside is not None and inside.left == 4999
        budget.heard({"day": 700})
    told = budget.left()
    assert told is not None and told.left == 700
    assert told.until - clock.now() <= timedelta(days=1)
    pause = budget.pause(7200, "day")
    assert pause.until is not None
    paused = budget.left()
    assert paused is not None and paused.left == 0
    assert abs(paused.until - pause.until) < timedelta(seconds=1)
    clock.advance(timedelta(days=1, seconds=1))
    again = budget.left()
    assert again is not None and again.left == 5000
