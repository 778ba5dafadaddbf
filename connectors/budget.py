"""How many calls a book may make: sliding windows on the injected clock, safe for threads.

A call occupies its place from before it is sent until `seconds` after its answer came. The
vendor sees it somewhere in between, so whatever the delays on the way, and wherever the
vendor's own window begins, no window of the vendor's ever holds more than the limit.
What the vendor says is left (`Remaining`) counts too: another program may share the allowance.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Condition
from typing import Final

import msgspec

from connectors.errors import RateLimitedError
from connectors.port import Clock

# Two clocks never agree to the last microsecond; this much is added to every wait.
_MARGIN: Final = 0.01

PATIENCE: Final = 180.0
"""Longest wait in seconds, for a vendor who asked us to pause, that a caller sits out."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """At most `calls` in any span of `seconds`.

    `kept_for_writes` of them are for writes only. A window that `refuses` raises
    RateLimitedError when it is full, where others wait: nobody sleeps through a day.
    """

    name: str
    calls: int
    seconds: float
    kept_for_writes: int = 0
    refuses: bool = False


Remaining = Mapping[str, int]
"""Window name to the calls that the vendor says are left."""


class _Usage:
    """The calls of one window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.ended: deque[float] = deque()
        self.foreign = 0
        self.foreign_until = 0.0

    def forget(self, now: float) -> None:
        while self.ended and self.ended[0] + self.window.seconds <= now:
            self.ended.popleft()
        if self.foreign_until <= now:
            self.foreign = 0

    def heard(self, remaining: int, running: int, now: float) -> None:
        ours = len(self.ended) + running
        self.foreign = max(0, self.window.calls - remaining - ours)
        self.foreign_until = now + self.window.seconds

    def wait(self, running: int, now: float, *, is_write: bool) -> float | None:
        """Seconds until there is a place; None: not before a running call ends."""
        limit = self.window.calls - (0 if is_write else self.window.kept_for_writes)
        places = limit - running - self.foreign
        if places > len(self.ended):
            return 0.0
        if places <= 0:
            if self.foreign:
                return self.foreign_until - now
            return None
        return self.ended[-places] + self.window.seconds - now


class RateBudget:
    """The allowance of one book. Every caller of the book shares one."""

    def __init__(self, clock: Clock, windows: Sequence[Window], *, concurrent: int = 3) -> None:
        self._clock = clock
        self._usages = [_Usage(window) for window in windows]
        self._concurrent = concurrent
        self._running = 0
        self._paused_until = float("-inf")
        self._changed = Condition()

    @contextmanager
    def place(self, *, is_write: bool) -> Iterator[None]:
        """Wait for a place and hold it while the call runs.

        Raises RateLimitedError, with `until`, where the wait would be longer than PATIENCE or
        the window refuses.
        """
        self._enter(is_write=is_write)
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                now = self._clock.monotonic()
                for usage in self._usages:
                    usage.ended.append(now)
                self._changed.notify_all()

    def heard(self, remaining: Remaining) -> None:
        """Take in what the vendor says is left. Called while the call still holds its place."""
        with self._changed:
            now = self._clock.monotonic()
            for usage in self._usages:
                if usage.window.name in remaining:
                    usage.forget(now)
                    usage.heard(remaining[usage.window.name], self._running, now)

    def pause(self, seconds: float) -> None:
        """Stop every caller of this book: the vendor asked for it."""
        with self._changed:
            until = self._clock.monotonic() + seconds
            self._paused_until = max(self._paused_until, until)

    def _enter(self, *, is_write: bool) -> None:
        while True:
            with self._changed:
                delay = self._delay(is_write=is_write)
                if delay is None:
                    # A real wait, not one on the injected clock: it ends when a call ends.
                    self._changed.wait(timeout=60)
                    continue
                if delay <= 0:
                    self._running += 1
                    return
            self._clock.sleep(delay + _MARGIN)

    def _delay(self, *, is_write: bool) -> float | None:
        now = self._clock.monotonic()
        paused = self._paused_until - now
        if paused > PATIENCE:
            raise self._refusal(paused, "the accounting system asked us to pause")
        if paused > 0:
            return paused
        if self._running >= self._concurrent:
            return None
        longest = 0.0
        for usage in self._usages:
            usage.forget(now)
            delay = usage.wait(self._running, now, is_write=is_write)
            if delay is None:
                return None
            if delay > 0 and usage.window.refuses:
                raise self._refusal(delay, f"the calls of this {usage.window.name} are used up")
            longest = max(longest, delay)
        return longest

    def _refusal(self, seconds: float, why: str) -> RateLimitedError:
        until = self._clock.now() + timedelta(seconds=seconds)
        return RateLimitedError(
            f"{why}; next call possible at {until.isoformat(timespec='seconds')}",
            retry_after=seconds,
            until=until,
        )
