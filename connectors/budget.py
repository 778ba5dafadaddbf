"""How many calls a book may make: sliding windows on the injected clock.

A vendor counts a call at some moment between its departure and its answer. So a call occupies
its place from before it is sent until `seconds` after its answer came, less what the quickest
round trips have taken: of two calls a whole window apart, the second needs its way there and the
first needed its way back. Whatever the delays, and wherever the vendor's own window begins, none
then holds more than the limit; and latency costs little of the rate.

What the vendor says is left counts too: another program may share the allowance. Callers in
other threads and processes share one `BudgetState`, so one 429 makes all of them wait.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from math import ceil
from threading import Condition
from typing import Final, TypeAlias

import msgspec

from connectors.allowance import BudgetState, CallsLeft, MemoryState, Running, Seat, Use, WindowUse
from connectors.errors import RateLimitedError
from connectors.port import Clock

PATIENCE: Final = 180.0
"""Longest wait in seconds, for a vendor who asked us to pause, that a caller sits out."""

LONGEST_CALL: Final = 180.0
"""A call that began earlier than this many seconds ago has ended, or its process has."""

TRY_AGAIN_AFTER: Final = 3600.0
"""Seconds after which one call may see whether a used-up day has ended sooner than we think."""

# Two clocks never agree to the last millisecond: this much is added to each window's length.
_MARGIN: Final = 0.01
_TRUSTED: Final = 0.8
_GRAINS: Final = 1440
"""Places of a window are kept to this part of its length: a day's to the minute."""

_serves_writing: ContextVar[bool] = ContextVar("serves_writing", default=False)


@contextmanager
def serving_writes() -> Iterator[None]:
    """Calls in this block may use what is kept for writes: reading a target again before
    writing to it, or looking for a write whose answer was lost, is part of writing."""
    token = _serves_writing.set(True)
    try:
        yield
    finally:
        _serves_writing.reset(token)


@contextmanager
def sparing_writes() -> Iterator[None]:
    """Calls in this block leave alone what is kept for writes, though they come while writing:
    they only make something nicer."""
    token = _serves_writing.set(False)
    try:
        yield
    finally:
        _serves_writing.reset(token)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """At most `calls` in any span of `seconds`.

    A window that `refuses` raises RateLimitedError when it is full, where others wait: nobody
    sleeps through a day. `kept_for_writes` of its calls are for writes only.
    """

    name: str
    calls: int
    seconds: float
    kept_for_writes: int = 0
    kept_share: float = 0.0
    """Part of all calls that is kept for writes, where their number has to be learnt."""
    sizes: tuple[int, ...] = ()
    """Numbers of calls that the vendor sells; which of them applies, its headers tell."""
    refuses: bool = False
    path: str = ""
    """Only calls to an address that ends with this are counted; empty for all."""

    def counts(self, path: str) -> bool:
        return not self.path or path.rstrip("/").endswith(self.path)


Remaining: TypeAlias = Mapping[str, int]
"""Window name to the calls that the vendor says are left."""


class RateBudget:
    """The allowance of one book. Every caller of the book shares one, or one state."""

    def __init__(
        self,
        clock: Clock,
        windows: Sequence[Window],
        *,
        concurrent: int = 3,
        state: BudgetState | None = None,
        vendor: str = "the accounting system",
    ) -> None:
        self._clock = clock
        self._windows = tuple(windows)
        self._concurrent = concurrent
        self._state = state if state is not None else MemoryState()
        self._vendor = vendor
        self._changed = Condition()
        self._round_trips: deque[float] = deque(maxlen=128)

    @contextmanager
    def place(self, *, is_write: bool, path: str = "") -> Iterator[None]:
        """Wait for a place and hold it while the call runs.

        Raises RateLimitedError, with `until`, where the wait would be longer than PATIENCE or
        the window refuses.
        """
        seat = self._enter(path, is_write=is_write or _serves_writing.get())
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self._leave(seat, path, self._clock.monotonic() - began)

    def heard(self, remaining: Remaining) -> None:
        """Take in what the vendor says is left. Called while the call still holds its place."""
        if not remaining:
            return
        with self._state.changing() as use:
            now = self._now()
            for window in self._windows:
                if window.name not in remaining:
                    continue
                of = _tidied(use, window, now)
                if window.refuses:
                    _heard_of_day(of, window, remaining[window.name], self._concurrent, now)
                else:
                    ours = sum(calls for _, calls in of.places) + _running(use, window)
                    of.foreign = max(0, window.calls - remaining[window.name] - ours)
                    of.foreign_until = now + window.seconds

    def pause(self, seconds: float, limit: str = "") -> RateLimitedError:
        """Stop every caller of this book: the vendor asked for it. Returns what to tell them.

        `limit` is the vendor's word for the limit that was hit.
        """
        with self._state.changing() as use:
            until = self._now() + seconds
            if until > use.paused_until:
                use.paused_until, use.paused_by = until, limit
            if seconds > PATIENCE:
                return self._paused(use, seconds)
        return RateLimitedError(
            f"{self._vendor} asked us to wait {seconds:.0f} s", retry_after=seconds
        )

    def left(self) -> CallsLeft | None:
        """What is left of the day for writing, by the narrowest window that refuses; None where
        there is none and nobody asked us to pause for long."""
        with self._state.changing() as use:
            now = self._now()
            found = [
                _left_of(_tidied(use, window, now), window, _running(use, window), now)
                for window in self._windows
                if window.refuses and not window.path
            ]
            paused = use.paused_until - now
            if PATIENCE < paused <= 31 * 86_400:
                found.append((0, use.paused_until))
        if not found:
            return None
        calls, until = min(found)
        return CallsLeft(left=calls, until=datetime.fromtimestamp(until, UTC))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _enter(self, path: str, *, is_write: bool) -> Seat:
        while True:
            with self._changed:
                with self._state.changing() as use:
                    delay = self._delay(use, path, is_write=is_write)
                    seat = self._state.seat(self._concurrent) if delay == 0 else None
                    if seat is not None:
                        self._seated(use, seat, path)
                        return seat
                if not delay:
                    # A real wait, not one on the injected clock: it ends when a call ends. That
                    # of another process is not heard of, only looked for.
                    self._changed.wait(timeout=0.02 if self._state.is_shared else 60)
                    continue
            # The microsecond that a clock may lose in rounding.
            self._clock.sleep(delay + 1e-6)

    def _seated(self, use: Use, seat: Seat, path: str) -> None:
        now = self._now()
        if seat.number in use.running:
            self._ended(use, seat.number, now)  # of a process that died in the middle of a call
        use.running[seat.number] = Running(
            now, tuple(window.name for window in self._windows if window.counts(path))
        )

    def _leave(self, seat: Seat, path: str, seconds: float) -> None:
        with self._changed:
            self._round_trips.append(seconds)
            trusted = _TRUSTED * min(self._round_trips)
            with self._state.changing() as use:
                now = self._now()
                names = tuple(window.name for window in self._windows if window.counts(path))
                use.running.setdefault(seat.number, Running(now, names))
                self._ended(use, seat.number, now, trusted)
                seat.leave()
            self._changed.notify_all()

    def _ended(self, use: Use, number: int, now: float, trusted: float = 0.0) -> None:
        """A call's places become free a window's length from now."""
        call = use.running.pop(number)
        for window in self._windows:
            if window.name in call.windows:
                _occupy(use, window, now if window.refuses else now - trusted + _MARGIN)

    def _delay(self, use: Use, path: str, *, is_write: bool) -> float | None:
        """Seconds until this call may go; None: not before another one ends."""
        now = self._now()
        paused = use.paused_until - now
        if paused > PATIENCE:
            if paused > 31 * 86_400:  # the clock was set back: no vendor closes for a month
                use.paused_until = paused = 0.0
            else:
                raise self._paused(use, paused)
        if paused > 0:
            return paused
        for number, call in list(use.running.items()):
            if not now - LONGEST_CALL <= call.at <= now + LONGEST_CALL:
                self._ended(use, number, now)
        longest = 0.0
        for window in self._windows:
            if not window.counts(path):
                continue
            of = _tidied(use, window, now)
            delay = _wait(of, window, _running(use, window), now, is_write=is_write)
            if delay is None:
                return None
            if delay > 0 and window.refuses:
                raise self._used_up(window, delay, is_write=is_write)
            longest = max(longest, delay)
        return longest

    def _paused(self, use: Use, seconds: float) -> RateLimitedError:
        if use.paused_by == "day":
            return self._refusal(seconds, f"{self._vendor}'s calls of the day are used up")
        return self._refusal(seconds, f"{self._vendor} asked us to make no call")

    def _used_up(self, window: Window, seconds: float, *, is_write: bool) -> RateLimitedError:
        kept = window.kept_for_writes or window.kept_share
        if is_write or not kept:
            return self._refusal(
                seconds, f"{self._vendor}'s calls of the {window.name} are used up"
            )
        return self._refusal(
            seconds,
            f"{self._vendor}'s calls of the {window.name} are used up, but for those kept for "
            "writing,",
        )

    def _refusal(self, seconds: float, what: str) -> RateLimitedError:
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        return RateLimitedError(
            f"{what} until {moment(until, now)}", retry_after=seconds, until=until
        )


def moment(until: datetime, now: datetime) -> str:
    """When a limit ends, for people: `03:10 (UTC)`, with the date where it is not today's."""
    until, now = until.astimezone(UTC), now.astimezone(UTC)
    form = "%H:%M (UTC)" if until.date() == now.date() else "%Y-%m-%d %H:%M (UTC)"
    # Rounded up: nobody comes back a few seconds too early.
    return (until + timedelta(seconds=59)).strftime(form)


def _running(use: Use, window: Window) -> int:
    return sum(1 for call in use.running.values() if window.name in call.windows)


def _tidied(use: Use, window: Window, now: float) -> WindowUse:
    """The window's use without what has passed, or cannot be because the clock was set back."""
    of = use.windows.setdefault(window.name, WindowUse())
    latest = now + window.seconds + LONGEST_CALL
    if of.places and (of.places[0][0] <= now or of.places[-1][0] > latest):
        of.places = [(min(at, latest), calls) for at, calls in of.places if at > now]
    if not now < of.foreign_until <= latest:
        of.foreign = 0
    if of.left is not None and not of.since <= now < of.since + window.seconds:
        of.left = None
    return of


def _occupy(use: Use, window: Window, counted_at: float) -> None:
    """One more place is taken, until a window's length after the call was counted."""
    of = use.windows.setdefault(window.name, WindowUse())
    grain = window.seconds / _GRAINS
    free_at = ceil((counted_at + window.seconds) / grain) * grain
    for position in range(len(of.places) - 1, -1, -1):
        at, calls = of.places[position]
        if at == free_at:
            of.places[position] = (at, calls + 1)
            return
        if at < free_at:
            break
    insort(of.places, (free_at, 1))


def _heard_of_day(
    of: WindowUse, window: Window, remaining: int, concurrent: int, now: float
) -> None:
    # Answers overtake each other, so a little more than before is no new day.
    if of.left is None or remaining > of.left + 2 * concurrent:
        of.since = now
        fitting = [size for size in window.sizes if size >= remaining]
        of.size = min(fitting, default=max(window.calls, remaining))
    of.left = remaining


def _wait(
    of: WindowUse, window: Window, running: int, now: float, *, is_write: bool
) -> float | None:
    """Seconds until there is a place; None: not before a running call ends."""
    size = of.size if of.left is not None else window.calls
    kept = 0 if is_write else max(window.kept_for_writes, int(size * window.kept_share))
    if of.left is not None:
        if of.left - kept - running > 0:
            return 0.0
        if of.left - kept > 0:
            return None
        if now - of.tried_at >= TRY_AGAIN_AFTER and now - of.since >= TRY_AGAIN_AFTER:
            of.tried_at = now
            return 0.0
        return of.since + window.seconds - now
    places = size - kept - running - of.foreign
    taken = sum(calls for _, calls in of.places)
    if places > taken:
        return 0.0
    if places <= 0:
        return of.foreign_until - now if of.foreign else None
    to_end = taken - places + 1
    for at, calls in of.places:
        to_end -= calls
        if to_end <= 0:
            return at - now
    return None


def _left_of(of: WindowUse, window: Window, running: int, now: float) -> tuple[int, float]:
    """Places for writing in a window, and when there are more."""
    if of.left is not None:
        return max(0, of.left - running), of.since + window.seconds
    taken = sum(calls for _, calls in of.places) + running + of.foreign
    more_at = of.places[0][0] if of.places else now + window.seconds
    return max(0, window.calls - taken), more_at
