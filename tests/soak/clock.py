"""Time that several processes share: it lies in a file and moves only when somebody moves it."""

import fcntl
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BREATH = 0.01
"""Seconds of real time that a sleep takes at most, so that nobody who waits for somebody else
runs ahead of them."""


class SharedClock:
    """Microseconds since 1970 in a file. Whoever sleeps moves it for everybody."""

    def __init__(self, file: Path, start: datetime | None = None) -> None:
        self.file = file
        if start is not None:
            file.write_text(self._shown(start))

    def now(self) -> datetime:
        """Aware UTC."""
        descriptor = os.open(self.file, os.O_RDONLY)
        try:
            return _EPOCH + timedelta(microseconds=int(os.pread(descriptor, 20, 0)))
        finally:
            os.close(descriptor)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return (self.now() - _EPOCH).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Advance, and let others breathe."""
        if seconds > 0:
            time.sleep(min(seconds, _BREATH))  # noqa: TID251
            self.advance(seconds)

    def advance(self, by: timedelta | float) -> datetime:
        """Move forward, by seconds where a number is given."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        assert step >= timedelta()
        descriptor = os.open(self.file, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            moment = self.now() + step
            # One write of one length: a process that is killed leaves the old time or the new.
            os.pwrite(descriptor, self._shown(moment).encode(), 0)
            return moment
        finally:
            os.close(descriptor)

    def _shown(self, moment: datetime) -> str:
        return f"{(moment - _EPOCH) // timedelta(microseconds=1):020}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
