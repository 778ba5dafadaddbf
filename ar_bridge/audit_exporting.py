"""The audit as a file that proves itself: JSON Lines or CSV, checked without any database.

Each line holds an entry with its payload byte for byte, so that every hash can be computed again.
Entries of other books show only their place in the chain. The last line names how many there are
and the head, so that a file that was cut short shows it.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, TextIO, TypeAlias

import msgspec

from ar_bridge.audit_chain import AuditProblem, ChainEntry, Walk
from ar_bridge.audit_heads import KeptHead
from ar_bridge.errors import UsageError

Form: TypeAlias = Literal["jsonl", "csv"]

COLUMNS: Final = (
    "seq", "at", "book_id", "actor", "event", "subject", "payload", "erased", "tenant_id",
    "payload_hash", "previous", "hash",
)  # fmt: skip

HEAD: Final = "head"
"""Stands for the number of an entry in the last line."""


class _Line(msgspec.Struct, kw_only=True):
    seq: int | str
    hash: str
    previous: str = ""
    at: str = ""
    book_id: int | None = None
    actor: str = ""
    event: str = ""
    subject: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"null")
    erased: bool = False
    tenant_id: str | None = None
    payload_hash: str = ""
    entries: int = 0


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a file came to."""

    entries: int
    head: str
    problems: tuple[AuditProblem, ...]


def export(
    entries: Iterable[ChainEntry], out: TextIO, form: Form, *, book_id: int | None = None
) -> int:
    """Write a chain; of other books than `book_id` (None: none are others) only their place.

    Returns how many entries it has.
    """
    table = csv.writer(out, lineterminator="\n") if form == "csv" else None
    if table is not None:
        table.writerow(COLUMNS)
    count, head = 0, ""
    for entry in entries:
        count, head = count + 1, entry.hash
        is_bare = book_id is not None and entry.book_id not in (book_id, None)
        fields = _bare(entry) if is_bare else _whole(entry)
        if table is not None:
            table.writerow([fields.get(name, "") for name in COLUMNS])
        else:
            body = fields.pop("payload", None)
            if not is_bare:
                fields["payload"] = msgspec.Raw(body.encode()) if body else None
            out.write(msgspec.json.encode(fields).decode() + "\n")
    if table is not None:
        last = {"seq": HEAD, "hash": head, "payload": count}
        table.writerow([last.get(name, "") for name in COLUMNS])
    else:
        ended = {"seq": HEAD, "entries": count, "hash": head}
        out.write(msgspec.json.encode(ended).decode() + "\n")
    return count


def _bare(entry: ChainEntry) -> dict[str, Any]:
    return {"seq": entry.seq, "previous": entry.previous, "hash": entry.hash}


def _whole(entry: ChainEntry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "book_id": entry.book_id,
        "actor": entry.actor,
        "event": entry.event,
        "subject": entry.subject,
        "payload": entry.body,
        "erased": entry.is_erased,
        "tenant_id": entry.tenant_id,
        "payload_hash": entry.payload_hash,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def check_file(path: Path, *, heads: Iterable[KeptHead] = ()) -> Checked:
    """Verify an exported file, and that it has these heads. Raises UsageError for a file that is
    no export."""
    walk = Walk()
    problems: list[AuditProblem] = []
    wanted = {head.seq: head for head in heads}
    ended: _Line | None = None
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for line in _lines(path, file):
                if line.seq == HEAD:
                    ended = line
                    continue
                entry = _entry(line)
                if ended is not None:
                    problems.append(AuditProblem(entry.seq, "stands behind the end of the file"))
                problems.extend(walk.step(entry))
                head = wanted.get(entry.seq)
                if head is not None and entry.hash.startswith(head.hash):
                    del wanted[entry.seq]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    problems.extend(walk.end())
    if ended is None:
        text = "the last line of the file is missing: its end was cut off"
        problems.append(AuditProblem(walk.seq, text))
    elif (ended.entries, ended.hash) != (walk.count, walk.hash if walk.count else ""):
        text = (
            f"the file ends here, and says that it has {ended.entries} entries up to {ended.hash}"
        )
        problems.append(AuditProblem(walk.seq, text))
    problems += [
        AuditProblem(head.seq, f"the file does not have the head {head}")
        for head in wanted.values()
    ]
    return Checked(entries=walk.count, head=walk.hash, problems=tuple(problems))


def _lines(path: Path, file: TextIO) -> Iterator[_Line]:
    is_csv = path.suffix == ".csv"
    rows: Iterable[Any] = csv.DictReader(file) if is_csv else file
    for number, row in enumerate(rows, 2 if is_csv else 1):
        try:
            yield _of_csv(row) if is_csv else msgspec.json.decode(row, type=_Line)
        except (msgspec.MsgspecError, KeyError, ValueError, TypeError) as error:
            raise UsageError(
                f"line {number} of {path} is no audit entry ({error}).",
                remedy="verify a file that `ar-bridge audit export` wrote (.jsonl or .csv)",
            ) from error


def _of_csv(row: dict[str, str]) -> _Line:
    if row["seq"] == HEAD:
        return _Line(seq=HEAD, hash=row["hash"], entries=int(row["payload"]))
    return _Line(
        seq=int(row["seq"]),
        hash=row["hash"],
        previous=row["previous"],
        at=row["at"],
        book_id=int(row["book_id"]) if row["book_id"] else None,
        actor=row["actor"],
        event=row["event"],
        subject=row["subject"],
        payload=msgspec.Raw(row["payload"].encode() or b"null"),
        erased=row["erased"] == "True",
        tenant_id=row["tenant_id"] or None,
        payload_hash=row["payload_hash"],
    )


def _entry(line: _Line) -> ChainEntry:
    if not isinstance(line.seq, int):
        raise UsageError(f"{line.seq!r} is no number of an audit entry.")
    body = bytes(line.payload).decode()
    return ChainEntry(
        seq=line.seq,
        tenant_id=line.tenant_id or "",
        book_id=line.book_id,
        at=line.at,
        actor=line.actor,
        event=line.event,
        subject=line.subject,
        payload_hash=line.payload_hash,
        previous=line.previous,
        hash=line.hash,
        body=None if body == "null" else body,
        is_erased=line.erased,
        is_bare=body == "null" and not (line.payload_hash or line.event or line.actor or line.at),
    )
