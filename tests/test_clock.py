"""Clocks: time that is handed in."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ar_bridge.clock import ShiftedClock, SystemClock, VirtualClock

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_a_virtual_clock_moves_only_when_told() -> None:
    clock = VirtualClock(START.astimezone(timezone(timedelta(hours=-5))))
    assert (clock.now(), clock.monotonic()) == (START, 0)
    clock.sleep(90)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90)
    clock.advance(timedelta(days=1))
    clock.advance_to(START + timedelta(days=2))
    clock.advance_to(START)
    assert clock.now() == START + timedelta(days=2)
    assert clock.now().tzinfo is UTC


def test_a_virtual_clock_never_goes_back() -> None:
    clock = VirtualClock(START)
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
    clock.sleep(-1)
    assert clock.now() == START


def test_threads_that_sleep_on_one_clock_lose_no_second() -> None:
    clock = VirtualClock(START)
    threads = [
        threading.Thread(target=lambda: [clock.sleep(1) for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.monotonic() == 2000


@pytest.mark.parametrize("clock", [VirtualClock, ShiftedClock])
def test_a_clock_needs_a_zone_to_start_in(clock: type[VirtualClock]) -> None:
    with pytest.raises(ValueError, match="aware"):
        clock(datetime(2026, 1, 5))  # noqa: DTZ001


def test_a_shifted_clock_runs_on_from_its_start() -> None:
    clock = ShiftedClock(START)
    first, second = clock.now(), clock.now()
    assert START <= first <= second < START + timedelta(minutes=5)


def test_the_machine_clock_is_aware_and_does_not_wait_for_nothing() -> None:
    clock = SystemClock()
    clock.sleep(0)
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
