"""Time that a case's processes share: it lies in memory of all of them, and moves only when
somebody moves it."""

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ar_bridge.clock import VirtualClock

_MOMENT = struct.Struct("q")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedClock(VirtualClock):
    """Microseconds since 1970 in memory that processes share.

    It is a VirtualClock, so that a worker does one thing after the other and the nth boundary is
    the same one every time.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.skew = timedelta()
        """How far the clock of this process, and of those that it forks, is wrong."""
        self._memory = mmap.mmap(-1, _MOMENT.size)
        self.set(start)

    def renew(self, file: Path) -> mmap.mmap:
        """From here on this process and its children have a time of their own, which others find
        in this file. Returns what `go_back` takes."""
        moment, memory = self.true, self._memory
        file.write_bytes(bytes(_MOMENT.size))
        self.share(file)
        self.set(moment)
        return memory

    def share(self, file: Path) -> None:
        """Share the time of those whose file this is."""
        with file.open("r+b") as shared:
            self._memory = mmap.mmap(shared.fileno(), _MOMENT.size)

    def go_back(self, memory: mmap.mmap) -> None:
        """Share again what was shared before `renew`."""
        self._memory.close()
        self._memory = memory

    def now(self) -> datetime:
        """Aware UTC."""
        return self.true + self.skew

    @property
    def true(self) -> datetime:
        """The time that all share."""
        return _EPOCH + timedelta(microseconds=_MOMENT.unpack_from(self._memory)[0])

    def set(self, moment: datetime) -> None:
        """The time that all share is another one."""
        micros = (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
        _MOMENT.pack_into(self._memory, 0, micros)

    def monotonic(self) -> float:
        """Seconds that no wrong clock changes."""
        return (self.true - _EPOCH).total_seconds()

    def advance(self, by: timedelta | float) -> datetime:
        """Move forward, by seconds where a number is given."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if step < timedelta():
            raise ValueError("time itself never goes back: a clock that does has a skew")
        self.set(self.true + step)
        return self.now()

    def advance_to(self, moment: datetime) -> datetime:
        """Move forward to an instant; one that has passed changes nothing."""
        if moment > self.now():
            self.set(moment - self.skew)
        return self.now()
