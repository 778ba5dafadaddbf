"""Being told to stop: what is in hand is finished, nothing new is begun, and nobody sleeps on."""

import threading
from datetime import datetime

from ar_bridge.clock import SystemClock, VirtualClock
from connectors.errors import RateLimitedError
from connectors.port import Clock


class Stopped(BaseException):
    """The process is to end. Like an interruption from the keyboard, no handler of errors takes
    it; what it cuts off is in the same state as after a crash, which every start mends."""


class Stop:
    """Whether this process was told to end."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def tell(self) -> None:
        """End at the next pause."""
        self._told.set()

    @property
    def is_told(self) -> bool:
        return self._told.is_set()

    def check(self, *_: object) -> None:
        """Called between two pieces of work. Raises Stopped."""
        if self._told.is_set():
            raise Stopped

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until told; whether it was told."""
        return self._told.wait(seconds)


class StoppableClock(SystemClock):
    """The machine's clock, but nobody sleeps through the end of the process.

    Who sleeps between two calls is told that no more are taken: what was not sent is then known
    as not sent, and what waits for an answer that was lost stays in doubt, as it is.
    """

    def __init__(self, stop: Stop, inner: Clock) -> None:
        self._stop = stop
        self._inner = inner

    def now(self) -> datetime:
        return self._inner.now()

    def monotonic(self) -> float:
        return self._inner.monotonic()

    def sleep(self, seconds: float) -> None:
        """Raises RateLimitedError as soon as the process is told to end."""
        if self._stop.wait(max(0.0, seconds)):
            raise RateLimitedError("this process is to end: nothing more is asked", retry_after=0.0)


def stoppable(clock: Clock, stop: Stop) -> Clock:
    """A clock that heeds `stop`. A virtual one never waits, so it stays as it is."""
    return clock if isinstance(clock, VirtualClock) else StoppableClock(stop, clock)
