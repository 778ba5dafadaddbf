"""What we wrote to a book file: a sidecar beside it, so that the book itself stays as it was.

`<file>.written.jsonl` holds one record a line. A late fee is an invoice event of the book file
with the fee's marks; a note is an event `note`, which only we read.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from connectors.bookfile.events import Event
from connectors.errors import RefusedError


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the sidecar."""

    v: int = 1
    vendor_key: str
    effect_key: str
    at: datetime
    event: Event


class Sidecar:
    """The records of one book file, appended durably, read from disk each time."""

    def __init__(self, book: Path) -> None:
        self.path = book.with_name(book.name + ".written.jsonl")

    def records(self) -> Iterator[Written]:
        """All records. A last line that a crash cut off was never acknowledged: it is passed
        over. Raises RefusedError for any other line that cannot be read."""
        if not self.path.exists():
            return
        lines = self.path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield msgspec.json.decode(line, type=Written)
            except msgspec.DecodeError as wrong:
                if number == len(lines):
                    return
                raise RefusedError(
                    f"{self.path.name}:{number} cannot be read: {wrong}; "
                    "restore the file before anything is written"
                ) from wrong

    def append(self, record: Written) -> None:
        """Add a record; it is on disk when this returns."""
        # A line that a crash cut off was never acknowledged: it goes, so that ours begins clean.
        whole = 0
        if self.path.exists():
            data = self.path.read_bytes()
            whole = data.rfind(b"\n") + 1
        with self.path.open("r+b" if whole else "wb") as file:
            file.seek(whole)
            file.truncate()
            file.write(msgspec.json.encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())
