"""Heads of the audit chain that are kept outside of the database, in `audit-heads.jsonl`.

A chain that was cut off at its end, or written anew from some entry on, is whole in itself. Only
a head that somebody else holds shows it: this file in the home directory, which gets one line a
day, and the daily brief, which goes out by mail. The file is only ever added to.

A head that the database no longer has means one of two things: somebody removed entries, or the
database was restored from an older backup. Which it was, a person says (`accept`); until then
`verify` goes on naming it, and no rule acts (`ar_bridge.rebuilding`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.audit_chain import AuditProblem
from ar_bridge.errors import SetupError, UsageError
from ar_bridge.home import add_line
from ar_bridge.store.engine import Store

EVERY: Final = timedelta(hours=20)
"""Once a day, though the hour of a timetable moves with the clocks."""

ACCEPTED: Final = "AuditHeadsAccepted"


class KeptHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry of the chain as it was at a moment."""

    seq: int
    hash: str
    at: datetime | None = None
    source: str = "given"

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def keep(store: Store, file: Path, now: datetime, *, at_once: bool = False) -> KeptHead | None:
    """Add the head to the file, once a day or `at_once`; None where there is nothing new.

    Raises SetupError where the file cannot be written.
    """
    known = kept(file)
    is_due = not known or known[-1].at is None or now - known[-1].at >= EVERY
    if not (is_due or at_once):
        return None
    with store.read() as conn:
        seq, digest = audit.head(conn)
    if seq == 0 or (known and (known[-1].seq, known[-1].hash) == (seq, digest)):
        return None
    head = KeptHead(seq=seq, hash=digest, at=now, source=file.name)
    line = msgspec.json.encode({"seq": seq, "hash": digest, "at": now.isoformat()}) + b"\n"
    try:
        add_line(file, line)
    except OSError as error:
        raise SetupError(
            f"the head of the audit cannot be kept in {file}: {error.strerror}.",
            remedy="check the folder, its owner and its free space",
        ) from error
    return head


def kept(file: Path) -> list[KeptHead]:
    """The heads in the file, oldest first. A line that a power cut left half written is left out.

    Raises SetupError for a file that cannot be read.
    """
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SetupError(
            f"the kept heads in {file} cannot be read: {error.strerror}.", remedy="check its owner"
        ) from error
    heads: list[KeptHead] = []
    for line in lines:
        try:
            head = msgspec.json.decode(line, type=KeptHead)
        except msgspec.DecodeError:
            continue
        heads.append(msgspec.structs.replace(head, source=file.name))
    return heads


def given(text: str) -> KeptHead:
    """A head as the daily brief and `audit head` write it, `SEQ:HASH`. Raises UsageError."""
    seq, _, digest = text.strip().partition(":")
    if not seq.isdecimal() or not (8 <= len(digest) <= 64) or not _is_hex(digest):
        raise UsageError(
            f"{text!r} is no head of an audit.",
            remedy="write it as the daily brief and `ar-bridge audit head` do: 431:9f2c...",
        )
    return KeptHead(seq=int(seq), hash=digest.lower())


def missing(conn: Connection, heads: Iterable[KeptHead]) -> list[KeptHead]:
    """Those of these heads that the chain does not have, and that nobody accepted as gone."""
    gone = [
        head for head in heads if not (audit.hash_at(conn, head.seq) or "").startswith(head.hash)
    ]
    if not gone:
        return []  # what was accepted is looked for in the whole record, which is long
    accepted = {
        (one[0], one[1])
        for entry in audit.history(conn, events=[ACCEPTED])
        for one in (entry.payload or {}).get("heads", ())
    }
    return [head for head in gone if (head.seq, head.hash) not in accepted]


def problems(conn: Connection, heads: Iterable[KeptHead]) -> list[AuditProblem]:
    """What kept heads say against the chain: its end was cut off, or it was written anew."""
    last, _ = audit.head(conn)
    return [AuditProblem(head.seq, _told(head, last)) for head in missing(conn, heads)]


def _told(head: KeptHead, last: int) -> str:
    when = f" on {head.at:%Y-%m-%d %H:%M} UTC" if head.at is not None else ""
    if head.seq > last:
        return (
            f"it was kept{when} in {head.source} and is gone: the record ends at entry {last}; "
            "its end was cut off, or an older database was put back"
        )
    return (
        f"another entry was kept{when} in {head.source}: the record was written anew from there "
        "or before"
    )


def accept(
    conn: Connection,
    heads: Sequence[KeptHead],
    *,
    book_id: int | None,
    at: datetime,
    actor: str,
    reason: str,
    subject: str = "audit",
) -> list[KeptHead]:
    """A person says why these heads are gone (a backup was restored): they are named no more.

    Returns those that were missing; only they are accepted.
    """
    gone = missing(conn, heads)
    if gone:
        told: dict[str, Any] = {
            "reason": reason,
            "heads": [[head.seq, head.hash] for head in gone],
        }
        audit.append(
            conn, book_id=book_id, at=at, actor=actor, event=ACCEPTED, subject=subject, payload=told
        )
    return gone


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text.lower())
