"""The audit trail: what was done, by whom and when, as a chain that shows any later change.

Each entry's hash covers the entry before it. The chain holds only a hash of the payload, and
the payload lies apart: personal data can be erased and the chain stays whole.

Events are past tense: BookConnected, SyncCompleted, PlanMade, ActionApproved, ActionRejected,
ActionWithdrawn, ReminderSent, FeeCharged, NoteWritten, PromiseRecorded, ...

The chain shows changes in the middle. Cutting off its end shows only against a head that was
kept elsewhere: `head` is what to keep.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, select

from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import audit, audit_payloads
from connectors.redaction import without_known_secrets

_GENESIS = "0" * 64


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    seq: int
    book_id: int | None
    at: datetime
    actor: str
    event: str
    subject: str
    payload: dict[str, Any] | None
    """None once erased."""
    hash: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry is to say."""

    actor: str
    event: str
    subject: str
    payload: Mapping[str, Any]


class AuditProblem(msgspec.Struct, frozen=True):
    """One place where the chain does not hold."""

    seq: int
    text: str

    def __str__(self) -> str:
        return f"audit entry {self.seq}: {self.text}"


def append(
    conn: Connection,
    *,
    book_id: int | None,
    at: datetime,
    actor: str,
    event: str,
    subject: str,
    payload: Mapping[str, Any],
    tenant: str = "default",
) -> int:
    """Add an entry inside the caller's write transaction; returns its number in the chain.

    It is kept or rolled back together with what it tells of. That transaction holds the only
    writer's place (`Store.write`), so no two entries follow the same one.
    """
    told = Told(actor=actor, event=event, subject=subject, payload=payload)
    return append_all(conn, [told], book_id=book_id, at=at, tenant=tenant)


def append_all(
    conn: Connection,
    told: Iterable[Told],
    *,
    book_id: int | None,
    at: datetime,
    tenant: str = "default",
) -> int:
    """Add several entries in their order, as `append` adds one; returns the number of the last."""
    seq, previous = head(conn)
    entries: list[dict[str, Any]] = []
    bodies: list[dict[str, Any]] = []
    moment = instant_text(at)
    for one in told:
        seq += 1
        # What a vendor said may repeat what we sent it: the record is kept and exported.
        body = without_known_secrets(
            msgspec.json.encode({"v": 1, **one.payload}, order="sorted").decode()
        )
        entry = {
            "seq": seq,
            "tenant_id": tenant,
            "book_id": book_id,
            "at": moment,
            "actor": one.actor,
            "event": one.event,
            "subject": one.subject,
            "payload_hash": _sha256(body),
            "previous": previous,
        }
        previous = entry["hash"] = _entry_hash(entry)
        entries.append(entry)
        bodies.append({"seq": seq, "body": body})
    if entries:
        conn.execute(audit.insert(), entries)
        conn.execute(audit_payloads.insert(), bodies)
    return seq


def head(conn: Connection) -> tuple[int, str]:
    """Number and hash of the newest entry; (0, zeros) for an empty chain."""
    row = conn.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    return (row.seq, row.hash) if row is not None else (0, _GENESIS)


def history(
    conn: Connection,
    *,
    book_id: int | None = None,
    subject: str | None = None,
    events: Sequence[str] | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[AuditEntry]:
    """Entries, newest first; each filter that is given narrows them."""
    query = (
        select(audit, audit_payloads.c.body)
        .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .order_by(audit.c.seq.desc())
    )
    if book_id is not None:
        query = query.where(audit.c.book_id == book_id)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if events is not None:
        query = query.where(audit.c.event.in_(events))
    if since is not None:
        query = query.where(audit.c.at >= instant_text(since))
    if limit is not None:
        query = query.limit(limit)
    return [
        AuditEntry(
            seq=row["seq"],
            book_id=row["book_id"],
            at=datetime.fromisoformat(row["at"]),
            actor=row["actor"],
            event=row["event"],
            subject=row["subject"],
            payload=_payload(row["body"]),
            hash=row["hash"],
        )
        for row in conn.execute(query).mappings()
    ]


def erase(conn: Connection, seqs: Sequence[int]) -> int:
    """Erase the payloads of these entries; the chain itself stays. Returns how many were there."""
    return conn.execute(
        audit_payloads.update()
        .where(audit_payloads.c.seq.in_(seqs), audit_payloads.c.erased.is_(False))
        .values(body=None, erased=True)
    ).rowcount


def verify(conn: Connection) -> list[AuditProblem]:
    """Walk the whole chain; every place where it does not hold. Empty: nothing was changed."""
    problems: list[AuditProblem] = []
    expected, previous = 1, _GENESIS
    for row in _walk(conn):
        seq = row["seq"]
        if seq != expected:
            problems.append(AuditProblem(seq, f"entries {expected} to {seq - 1} are missing"))
        elif row["previous"] != previous:
            problems.append(AuditProblem(seq, "does not follow from the entry before it"))
        if _entry_hash(dict(row)) != row["hash"]:
            problems.append(AuditProblem(seq, "was changed after it was written"))
        if row["body"] is not None and _sha256(row["body"]) != row["payload_hash"]:
            problems.append(AuditProblem(seq, "its payload was changed"))
        elif row["body"] is None and not row["erased"]:
            problems.append(AuditProblem(seq, "its payload is gone without having been erased"))
        expected, previous = seq + 1, row["hash"]
    return problems


def _walk(conn: Connection) -> Iterator[RowMapping]:
    return iter(
        conn.execute(
            select(audit, audit_payloads.c.body, audit_payloads.c.erased)
            .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
            .order_by(audit.c.seq)
            .execution_options(yield_per=1000)
        ).mappings()
    )


def _entry_hash(entry: Mapping[str, Any]) -> str:
    # As JSON, so that no two entries can be told apart only by where one field ends.
    fields = ("previous", "seq", "tenant_id", "book_id", "at", "actor", "event", "subject")
    return _sha256(
        msgspec.json.encode([*(entry[name] for name in fields), entry["payload_hash"]]).decode()
    )


def _payload(body: str | None) -> dict[str, Any] | None:
    if body is None:
        return None
    payload: dict[str, Any] = msgspec.json.decode(body)
    payload.pop("v", None)
    return payload


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
