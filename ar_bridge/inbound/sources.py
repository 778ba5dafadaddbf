"""Where mail lies: each look tells what is new there. Nothing is ever deleted."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from ar_bridge.errors import ArBridgeError, SetupError
from ar_bridge.store.inbound import Place

MOST_AT_ONCE: Final = 500
"""Mails of one look; the others come with the next."""


class MailboxError(ArBridgeError):
    """The mailbox cannot be read at present."""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """One mail as it lies in its source."""

    mark: str
    """Where it lies: a UID, or the name of a file."""
    content: bytes
    """The mail, or its beginning where it is larger than what is read."""
    received: datetime
    place: Place | None = None
    """How far the mailbox is read with this mail, where it counts."""


class Source(Protocol):
    """A mailbox, a folder, or one mail that is handed over."""

    @property
    def has_names(self) -> bool:
        """Whether mail is known by names instead of numbers that grow."""
        ...

    @property
    def name(self) -> str:
        """Identity of the source: what was read is remembered under it."""
        ...

    def look(
        self, place: Place | None, known: Collection[str], now: datetime
    ) -> Iterator[Incoming]:
        """New mail, the oldest first: behind `place`, and not among the marks that are `known`.

        Raises MailboxError or SetupError where the source cannot be read.
        """
        ...

    def done(self, mail: Incoming, *, is_ours: bool) -> None:
        """A mail is recorded: flag or move it, where the settings want that."""
        ...

    def close(self) -> None:
        """Let go of sockets."""
        ...


class FolderSource:
    """A Maildir, or a folder of .eml files. Files are only read."""

    has_names = True

    def __init__(self, path: Path, *, most_bytes: int, days_back: int) -> None:
        self._path = path
        self._most = most_bytes
        self._back = timedelta(days=days_back)

    @property
    def name(self) -> str:
        return f"folder:{self._path}"

    def look(
        self, place: Place | None, known: Collection[str], now: datetime
    ) -> Iterator[Incoming]:
        if not self._path.is_dir():
            raise SetupError(
                f"The folder of incoming mail is not there: {self._path}",
                remedy="make it, or correct [inbound] path",
            )
        first = place or Place(uid_validity=0, last_uid=0, at=now)
        oldest = first.at - self._back
        for file, mark, received in self._files(known, oldest)[:MOST_AT_ONCE]:
            try:
                with file.open("rb") as open_file:
                    content = open_file.read(self._most)
            except OSError:
                continue  # taken away, or not to be read: the next look sees it again
            yield Incoming(mark=mark, content=content, received=received, place=first)

    def _files(self, known: Collection[str], oldest: datetime) -> list[tuple[Path, str, datetime]]:
        is_maildir = (self._path / "new").is_dir() and (self._path / "cur").is_dir()
        folders = [self._path / "new", self._path / "cur"] if is_maildir else [self._path]
        found: list[tuple[Path, str, datetime]] = []
        for folder in folders:
            for file in folder.iterdir():
                # The part behind the colon changes as a mail program marks the mail.
                mark = file.name.partition(":")[0] if is_maildir else file.name
                if mark[:255] in known or mark.startswith("."):
                    continue
                if not is_maildir and file.suffix.lower() != ".eml":
                    continue
                try:
                    stat = file.stat()
                except OSError:
                    continue
                received = datetime.fromtimestamp(stat.st_mtime, UTC)
                if file.is_file() and received >= oldest:
                    found.append((file, mark, received))
        return sorted(found, key=lambda one: (one[2], one[1]))

    def done(self, mail: Incoming, *, is_ours: bool) -> None:
        """Files stay as they are."""

    def close(self) -> None:
        """Nothing is kept open."""


class HandedOver:
    """One mail by a pipe: `ar-bridge inbound - < mail.eml`."""

    name = "pipe"
    has_names = False

    def __init__(self, stream: BinaryIO, *, most_bytes: int) -> None:
        self._stream = stream
        self._most = most_bytes

    def look(
        self, place: Place | None, known: Collection[str], now: datetime
    ) -> Iterator[Incoming]:
        yield Incoming(mark="", content=self._stream.read(self._most), received=now)

    def done(self, mail: Incoming, *, is_ours: bool) -> None:
        """It lies nowhere."""

    def close(self) -> None:
        """The stream belongs to the caller."""
