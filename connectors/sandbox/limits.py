"""Rate limits as the vendors set them, on the injected clock.

Sources: QuickBooks "limits and throttles" (10 requests a second and 500 a minute for a company);
Xero "API limits" (60 calls a minute and 5 at once for an organisation, 5,000 a day, or 1,000 on
the starter tier; 10,000 a minute for the app).
"""

from collections import deque
from typing import Protocol

import msgspec

from connectors.port import Clock


class Throttled(msgspec.Struct, frozen=True):
    """Why a call was turned away."""

    problem: str
    """second, minute, batches, day, concurrent or appminute."""
    retry_after: int | None = None
    """Seconds until it may work again; None where the vendor does not tell."""


class RateLimits(Protocol):
    """Counts calls of one company."""

    def enter(self, *, is_batch: bool = False) -> Throttled | None:
        """A call begins; None lets it in. Every call let in must `leave`."""
        ...

    def leave(self) -> None: ...

    def headers(self) -> dict[str, str]:
        """What the vendor tells on every answer."""
        ...


class SlidingWindow:
    """At most `limit` calls within any `seconds`."""

    def __init__(self, clock: Clock, limit: int, seconds: float) -> None:
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._calls: deque[float] = deque()

    @property
    def is_full(self) -> bool:
        horizon = self._clock.monotonic() - self._seconds
        while self._calls and self._calls[0] <= horizon:
            self._calls.popleft()
        return len(self._calls) >= self._limit

    def count(self) -> None:
        self._calls.append(self._clock.monotonic())


class FixedWindow:
    """At most `limit` calls in each stretch of `seconds`, counted from the first call."""

    def __init__(self, clock: Clock, limit: int, seconds: float) -> None:
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._started: float | None = None
        self._used = 0

    def _turn(self) -> None:
        now = self._clock.monotonic()
        if self._started is None or now - self._started >= self._seconds:
            self._started, self._used = now, 0

    @property
    def remaining(self) -> int:
        self._turn()
        return self._limit - self._used

    @property
    def resets_in(self) -> int:
        """Whole seconds until the count starts anew."""
        self._turn()
        assert self._started is not None
        return max(1, int(self._started + self._seconds - self._clock.monotonic() + 0.999))

    def count(self) -> None:
        self._turn()
        self._used += 1


class QuickBooksLimits:
    """10 a second and 500 a minute, in any window; of these, 40 batches a minute.

    A refused call says nothing about when.
    """

    def __init__(
        self, clock: Clock, per_second: int = 10, per_minute: int = 500, batches: int = 40
    ) -> None:
        self._windows = (
            ("second", SlidingWindow(clock, per_second, 1.0)),
            ("minute", SlidingWindow(clock, per_minute, 60.0)),
        )
        self._batches = ("batches", SlidingWindow(clock, batches, 60.0))

    def enter(self, *, is_batch: bool = False) -> Throttled | None:
        windows = (*self._windows, self._batches) if is_batch else self._windows
        for problem, window in windows:
            if window.is_full:
                return Throttled(problem)
        for _, window in windows:
            window.count()
        return None

    def leave(self) -> None:
        """QuickBooks counts starts only."""

    def headers(self) -> dict[str, str]:
        return {}


class XeroLimits:
    """60 a minute, 5 at once, 5,000 a day (1,000 on the starter tier), with headers that tell."""

    def __init__(
        self,
        clock: Clock,
        per_minute: int = 60,
        per_day: int = 5000,
        at_once: int = 5,
        app_per_minute: int = 10_000,
    ) -> None:
        self._minute = FixedWindow(clock, per_minute, 60.0)
        self._day = FixedWindow(clock, per_day, 86_400.0)
        self._app = FixedWindow(clock, app_per_minute, 60.0)
        self._at_once = at_once
        self._running = 0

    def enter(self, *, is_batch: bool = False) -> Throttled | None:
        for problem, window in (
            ("day", self._day),
            ("minute", self._minute),
            ("appminute", self._app),
        ):
            if window.remaining <= 0:
                return Throttled(problem, window.resets_in)
        if self._running >= self._at_once:
            return Throttled("concurrent")
        for window in (self._day, self._minute, self._app):
            window.count()
        self._running += 1
        return None

    def leave(self) -> None:
        self._running -= 1

    @property
    def day_resets_in(self) -> int:
        """Seconds until calls of a new day may begin."""
        return self._day.resets_in

    def headers(self) -> dict[str, str]:
        return {
            "X-MinLimit-Remaining": str(self._minute.remaining),
            "X-DayLimit-Remaining": str(self._day.remaining),
            "X-AppMinLimit-Remaining": str(self._app.remaining),
        }
