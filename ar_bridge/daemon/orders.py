"""What the daemon asks of a worker, and what comes back: values that travel as lines of JSON."""

from datetime import datetime
from typing import Any, Literal

import msgspec


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Do one job of one book."""

    run: int
    """Number of the run: it stands in every line of the log that the run leaves."""
    book_id: int
    book: str
    """Name of the book in the settings; empty for the machine."""
    job: str
    slot: str


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order."""

    run: int
    outcome: Literal["done", "problems", "failed", "stopped"]
    code: str = ""
    """Kind of trouble, from a closed list: `daemon.troubles`."""
    reason: str = ""
    """The same as a sentence without anything personal; details are in the log."""
    rests_until: datetime | None = None
    """Not to be tried again before."""
    is_ledger: bool = False
    """Whether it is the accounting system that cannot be worked with: all of the book rests."""
    note: dict[str, Any] = {}
    """What is kept of it for /healthz."""
    counts: dict[str, dict[str, int]] = {}
    """For /metrics: effects and outcomes by kind, calls by sort."""
    seconds: float = 0.0


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is given first: the settings as they were found valid."""

    home: str
    config: str
    text: str
    """The text of the settings file, for it may have changed on disk since."""
    is_debug: bool = False
