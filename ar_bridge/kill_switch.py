"""The kill switch: a file that stops every process before its next effect.

`STOP` in the home directory stops every book, `STOP.<book>` one of them; what stands in the file
is the reason. It needs neither a database nor a running process, `touch` is enough, and it is
looked for before each effect. `stop` and `start` are what a command calls, or a button.

Where several machines share a database, each has a home of its own: the stop is kept in the
database as well, where the database can be written.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.store import halts

FILE: Final = "STOP"
NO_REASON: Final = "no reason given"
_LONGEST: Final = 500


def stop_file(home: Home, book: str | None = None) -> Path:
    """The file that stops one book, or all."""
    return home.root / (FILE if book is None else f"{FILE}.{quote(book, safe=' ')}")


def stopped_because(home: Home, book: str) -> str:
    """Why a book is stopped by a file; empty where it is not."""
    for file, what in ((stop_file(home), "everything"), (stop_file(home, book), book)):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")[:_LONGEST]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            # It is there, whatever stands in it.
            text = f"{file.name} cannot be read: {error.strerror}"
        return f"{what} is stopped: {' '.join(text.split()) or NO_REASON}"
    return ""


def watch(home: Home, book: str) -> Callable[[], str]:
    """What a process asks before each effect."""
    return lambda: stopped_because(home, book)


def stop(home: Home, *, book: str | None = None, reason: str = "") -> Path:
    """Stop one book, or all, from this moment. Raises SetupError where no file can be made."""
    file = stop_file(home.create(), book)
    try:
        file.write_text(f"{reason.strip() or NO_REASON}\n", encoding="utf-8")
    except OSError as error:
        raise SetupError(
            f"{file} cannot be written: {error.strerror}; nothing is stopped.",
            remedy="make a file of that name by hand, or end the processes",
        ) from error
    return file


def start(home: Home, *, book: str | None = None) -> list[Path]:
    """Take the file of one book away, or that of all; returns what was there. Raises SetupError."""
    file = stop_file(home, book)
    try:
        file.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SetupError(
            f"{file} cannot be taken away: {error.strerror}.", remedy="remove it by hand"
        ) from error
    return [file]


def record_stop(
    conn: Connection, book_ids: Sequence[int], *, reason: str, actor: str, now: datetime
) -> None:
    """Keep a stop of these books in the database too, for other machines and for the audit."""
    for book_id in book_ids:
        if not halts.standing(conn, book_id, halts.STOP):
            halts.open_halt(
                conn,
                book_id,
                kind=halts.STOP,
                code="stopped",
                reason=reason.strip() or NO_REASON,
                at=now,
                by=actor,
            )
        audit.append(
            conn,
            book_id=book_id,
            at=now,
            actor=actor,
            event="BookStopped",
            subject=halts.STOP,
            payload={"reason": reason.strip() or NO_REASON},
        )


def record_start(
    conn: Connection,
    book_ids: Sequence[int],
    *,
    reason: str,
    actor: str,
    now: datetime,
    with_breakers: bool = True,
) -> list[halts.HaltRow]:
    """End the stops of these books, and what breakers hold against them; returns what stood.
    Trouble with reading the ledger ends by itself."""
    ended: list[halts.HaltRow] = []
    kinds = (halts.STOP, halts.BREAKER) if with_breakers else (halts.STOP,)
    for book_id in book_ids:
        standing = [one for one in halts.standing(conn, book_id) if one.kind in kinds]
        halts.close(conn, [one.id for one in standing], at=now, by=actor, reason=reason)
        ended += standing
        audit.append(
            conn,
            book_id=book_id,
            at=now,
            actor=actor,
            event="BookStarted",
            subject=halts.STOP,
            payload={
                "reason": reason,
                "ended": [{"kind": one.kind, "code": one.code} for one in standing],
            },
        )
    return ended
