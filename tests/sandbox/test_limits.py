"""Rate limits with the vendors' numbers, on the injected clock."""

from datetime import timedelta

from ar_bridge.clock import VirtualClock
from connectors.sandbox.limits import QuickBooksLimits, XeroLimits
from tests.sandbox.books import noon
from tests.sandbox.qbo import caller, code


def test_quickbooks_lets_ten_in_within_any_second() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    limits = QuickBooksLimits(clock)
    for _ in range(10):
        assert limits.enter() is None
        clock.sleep(0.05)
    refused = limits.enter()
    assert refused is not None
    assert refused.problem == "second"
    clock.sleep(0.5)
    assert limits.enter() is None
    assert limits.enter() is not None


def test_quickbooks_lets_five_hundred_in_within_any_minute() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    limits = QuickBooksLimits(clock)
    for _ in range(500):
        assert limits.enter() is None
        clock.sleep(0.11)
    refused = limits.enter()
    assert refused is not None
    assert refused.problem == "minute"


def test_a_throttled_call_is_counted_and_is_no_data() -> None:
    small = caller()
    answers = [small.get("invoice/1") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert code(answers[-1]) == "3001"
    stats = small.sandbox.stats()
    assert (stats.reads, stats.writes, stats.throttled) == (12, 0, 2)


def test_xero_tells_what_is_left_and_when_it_comes_back() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    limits = XeroLimits(clock)
    for _ in range(60):
        assert limits.enter() is None
        limits.leave()
    assert limits.headers()["X-MinLimit-Remaining"] == "0"
    assert limits.headers()["X-DayLimit-Remaining"] == "4940"
    clock.sleep(20)
    refused = limits.enter()
    assert refused is not None
    assert (refused.problem, refused.retry_after) == ("minute", 40)
    clock.sleep(40)
    assert limits.enter() is None


def test_xero_lets_five_in_at_once() -> None:
    limits = XeroLimits(VirtualClock(noon("2026-02-05")))
    assert [limits.enter() for _ in range(5)] == [None] * 5
    refused = limits.enter()
    assert refused is not None
    assert (refused.problem, refused.retry_after) == ("concurrent", None)
    limits.leave()
    assert limits.enter() is None


def test_xero_has_a_day() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    limits = XeroLimits(clock, per_day=1000)
    for _ in range(1000):
        assert limits.enter() is None
        limits.leave()
        clock.sleep(1.1)
    refused = limits.enter()
    assert refused is not None
    assert refused.problem == "day"
    clock.advance(timedelta(days=1))
    assert limits.enter() is None
