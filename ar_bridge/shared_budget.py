"""The use of a book's call allowance in a file: every process of this machine shares it.

Each book has a folder under the home directory with a lock, the use itself and a file for each
call that may run at once. Locks are the system's own: a process that dies leaves none behind.
Several machines would keep the same `Use` in a row of their database, locked by the row.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from connectors.allowance import Seat, Use
from connectors.budget import PATIENCE

_decoder: Final = msgspec.json.Decoder(Use)
_encoder: Final = msgspec.json.Encoder()


class _LockedSeat:
    """A seat is a locked file: it is free when nobody holds the lock."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self._descriptor = descriptor

    def leave(self) -> None:
        os.close(self._descriptor)


class SharedBudget:
    """One book's use, in `folder` below the budgets of the home directory."""

    is_shared = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "use.json"
        self._alone = Lock()

    @contextmanager
    def changing(self) -> Iterator[Use]:
        """Alone among threads and processes. Held for microseconds, never during a call."""
        with self._alone:
            descriptor = self._opened("lock")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                before = self._read()
                use = _use_of(before)
                yield use
                after = _encoder.encode(use)
                if after != before:
                    self._replace(after)
            finally:
                os.close(descriptor)

    def seat(self, seats: int) -> Seat | None:
        """A place among the calls that run at once."""
        for number in range(seats):
            descriptor = self._opened(f"seat-{number}")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            return _LockedSeat(number, descriptor)
        return None

    def stopped_until(self, now: datetime) -> datetime | None:
        """When calls are possible again, while the vendor lets none through for long."""
        paused = _use_of(self._read()).paused_until - now.timestamp()
        if paused <= PATIENCE:
            return None
        return datetime.fromtimestamp(now.timestamp() + paused, UTC)

    def _opened(self, name: str) -> int:
        try:
            return os.open(self._folder / name, os.O_CREAT | os.O_RDWR, 0o600)
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._folder / name, os.O_CREAT | os.O_RDWR, 0o600)

    def _read(self) -> bytes:
        try:
            return self._file.read_bytes()
        except FileNotFoundError:
            return b""

    def _replace(self, content: bytes) -> None:
        # A new file under the old name: a process that dies in between leaves the old one whole.
        # It need not outlive a power cut, which lasts longer than a minute's window.
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(content)
        os.replace(fresh, self._file)


def _use_of(content: bytes) -> Use:
    try:
        return _decoder.decode(content)
    except msgspec.MsgspecError:
        return Use()  # absent, or of another release: counted anew


def shared_budget(root: Path, ledger: str, company_id: str, api_url: str = "") -> SharedBudget:
    """The use of one book below `root`. Somebody else's address has an allowance of its own."""
    name = hashlib.sha256(f"{company_id}|{api_url}".encode()).hexdigest()[:16]
    return SharedBudget(root / "budgets" / f"{ledger}-{name}")
