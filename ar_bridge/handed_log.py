"""Message-IDs of what was handed to a channel, kept outside of the database.

A mail leaves no mark in the ledger before its note does. Where the database is lost, or an older
copy of it is put back, this file alone knows that a message may have gone: it then waits for a
person like any other of which nobody knows. Only ids are kept, no names and no words.
"""

import threading
from datetime import datetime
from pathlib import Path

from ar_bridge.errors import SetupError
from ar_bridge.home import add_line

_NOT_GONE = "not-gone"


class HandedLog:
    """One file, to which several processes may add. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._read_to = 0

    def when(self, message_id: str) -> str:
        """When a message was first handed over, as ISO text in UTC; empty where it never was."""
        with self._lock:
            self._catch_up()
            return self._known.get(message_id, "")

    def note(self, message_id: str, at: datetime) -> None:
        """A message is about to be handed over. Raises SetupError where that cannot be kept:
        then it must not go."""
        self._add(f"{at.isoformat()} {message_id}\n")

    def take_back(self, message_id: str, at: datetime) -> None:
        """It did not go after all: the channel did not take it, or a person looked. Another day
        it goes as if for the first time. Raises SetupError."""
        if self.when(message_id):
            self._add(f"{at.isoformat()} {message_id} {_NOT_GONE}\n")

    def _add(self, text: str) -> None:
        line = text.encode()
        try:
            add_line(self._file, line)
        except OSError as error:
            raise SetupError(
                f"what is sent cannot be kept in {self._file}: {error.strerror}.",
                remedy="check the folder, its owner and its free space",
            ) from error

    def _catch_up(self) -> None:
        try:
            with self._file.open("rb") as file:
                file.seek(self._read_to)
                added = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            raise SetupError(
                f"{self._file} cannot be read: {error.strerror}.", remedy="check its owner"
            ) from error
        whole = added[: added.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            at, _, told = line.partition(" ")
            message_id, _, became = told.partition(" ")
            if became == _NOT_GONE:
                self._known.pop(message_id, None)
            else:
                self._known.setdefault(message_id, at)
