"""Where time comes from. The only module that asks the machine what time it is.

Everything else takes a `connectors.port.Clock`, so that a simulated quarter passes in seconds
and a replay gives the same answer.
"""

import threading
import time
from datetime import UTC, datetime, timedelta

from connectors.port import Clock

__all__ = ["Clock", "ShiftedClock", "SystemClock", "VirtualClock"]


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in real time; nothing to wait for returns at once."""
        if seconds > 0:
            time.sleep(seconds)


class VirtualClock:
    """A clock that moves only when told: `sleep` advances it instead of waiting.

    Several threads may share it. It never goes back.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware datetime, such as 2026-01-05T09:00Z")
        self._start = start.astimezone(UTC)
        self._elapsed = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Aware UTC."""
        with self._lock:
            return self._start + self._elapsed

    def monotonic(self) -> float:
        """Seconds since the start."""
        with self._lock:
            return self._elapsed.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Advance instead of waiting."""
        if seconds > 0:
            self.advance(seconds)

    def advance(self, by: timedelta | float) -> datetime:
        """Move forward, by seconds where a number is given, and return the new time.

        Raises ValueError for a step back.
        """
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if step < timedelta():
            raise ValueError("a clock never goes back")
        with self._lock:
            self._elapsed += step
            return self._start + self._elapsed

    def advance_to(self, moment: datetime) -> datetime:
        """Move forward to an instant; an instant that has passed changes nothing."""
        with self._lock:
            ahead = moment.astimezone(UTC) - self._start
            self._elapsed = max(self._elapsed, ahead)
            return self._start + self._elapsed


class ShiftedClock(SystemClock):
    """The machine's clock as if it had been set to another time: it runs on from `start`."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware datetime, such as 2026-01-05T09:00Z")
        self._start = start.astimezone(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)
