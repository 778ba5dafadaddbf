"""Time that a case's processes share: it lies in memory that they inherit, and moves only when
somebody moves it."""

import mmap
import struct
from datetime import UTC, datetime, timedelta

from ar_bridge.clock import VirtualClock

_MOMENT = struct.Struct("q")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedClock(VirtualClock):
    """Microseconds since 1970 in memory that forked processes go on sharing.

    It is a VirtualClock, so that a worker does one thing after the other and the nth boundary is
    the same one every time.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._memory = mmap.mmap(-1, _MOMENT.size)
        self.set(start)

    def renew(self) -> None:
        """From here on this process and its children have a time of their own."""
        moment = self.now()
        self._memory = mmap.mmap(-1, _MOMENT.size)
        self.set(moment)

    def now(self) -> datetime:
        """Aware UTC."""
        return _EPOCH + timedelta(microseconds=_MOMENT.unpack_from(self._memory)[0])

    def set(self, moment: datetime) -> None:
        """Jump, forwards or backwards."""
        micros = (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
        _MOMENT.pack_into(self._memory, 0, micros)

    def monotonic(self) -> float:
        """Seconds since 1970: in a case that sets the clock back, these go back as well."""
        return (self.now() - _EPOCH).total_seconds()

    def advance(self, by: timedelta | float) -> datetime:
        """Move forward, by seconds where a number is given."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if step < timedelta():
            raise ValueError("use `set` to go back")
        self.set(self.now() + step)
        return self.now()

    def advance_to(self, moment: datetime) -> datetime:
        """Move forward to an instant; one that has passed changes nothing."""
        if moment > self.now():
            self.set(moment)
        return self.now()
