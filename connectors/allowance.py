"""What is known of the calls of one book: how many were made, who has to wait until when.

The arithmetic is `connectors.budget`'s. Where this is kept decides who shares it: in memory, the
threads of one process; in a file, several processes of one machine; a row of a database would do
for several machines.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from threading import Lock
from typing import Protocol, runtime_checkable

import msgspec


class WindowUse(msgspec.Struct, kw_only=True):
    """The calls of one window. Instants are seconds of UTC since 1970: a machine that restarts
    forgets every other count of time."""

    places: list[tuple[float, int]] = []
    """When so many places become free again, soonest first."""
    foreign: int = 0
    """Calls of others, by what the vendor says is left."""
    foreign_until: float = 0.0
    left: int | None = None
    """What the vendor last said is left of a day."""
    size: int = 0
    """Calls of a whole day, as learnt from that."""
    since: float = 0.0
    """When the vendor's present day was first seen: it ends no later than a day after."""
    tried_at: float = 0.0
    """When a call was last let through to see whether a used-up day has ended."""


class Running(msgspec.Struct, frozen=True):
    """A call on its way."""

    at: float
    windows: tuple[str, ...]


class Use(msgspec.Struct, kw_only=True):
    """All that callers of one book have to agree on."""

    v: int = 1
    windows: dict[str, WindowUse] = {}
    running: dict[int, Running] = {}
    """By the number of the seat that it holds."""
    paused_until: float = 0.0
    paused_by: str = ""
    """The limit that was hit, in the vendor's word."""


class Seat(Protocol):
    """One of the calls that may run at once. It is given back when its process dies."""

    @property
    def number(self) -> int: ...

    def leave(self) -> None: ...


class BudgetState(Protocol):
    """Where the use of a book's allowance is kept."""

    @property
    def is_shared(self) -> bool:
        """Other processes may change it, too."""
        ...

    def changing(self) -> AbstractContextManager[Use]:
        """The use as it is now, for one caller alone; what is changed in the block stays."""
        ...

    def seat(self, seats: int) -> Seat | None:
        """Take one of so many; None while all of them are taken."""
        ...


class _MemorySeat:
    def __init__(self, number: int, taken: set[int]) -> None:
        self.number = number
        self._taken = taken

    def leave(self) -> None:
        self._taken.discard(self.number)


class MemoryState:
    """For the threads of one process."""

    is_shared = False

    def __init__(self) -> None:
        self._use = Use()
        self._alone = Lock()
        self._taken: set[int] = set()

    @contextmanager
    def changing(self) -> Iterator[Use]:
        with self._alone:
            yield self._use

    def seat(self, seats: int) -> Seat | None:
        """Called within `changing`, so that two threads never take the same one."""
        for number in range(seats):
            if number not in self._taken:
                self._taken.add(number)
                return _MemorySeat(number, self._taken)
        return None


class CallsLeft(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls the accounting system still lets through today, for writing and what serves
    it."""

    left: int
    until: datetime
    """When there are more (UTC)."""


@runtime_checkable
class TellsAllowance(Protocol):
    """A connector that knows how many calls are left of the day."""

    def calls_left(self) -> CallsLeft | None:
        """None: there is no limit of a day. Makes no call."""
        ...
