"""The audit trail: what was done, by whom and when, as a chain that shows any later change.

Each entry's hash covers the entry before it. The chain holds only a hash of the payload, and
the payload lies apart: personal data can be erased and the chain stays whole.

Events are past tense: BookConnected, SyncCompleted, PlanMade, ActionApproved, ActionRejected,
ActionWithdrawn, ReminderSent, FeeCharged, NoteWritten, PromiseRecorded, ...

The chain shows changes in the middle. Cutting off its end shows only against a head that was
kept elsewhere: `head` is what to keep.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from ar_bridge.audit_chain import (
    ERASED,
    GENESIS,
    AuditProblem,
    ChainEntry,
    Walk,
    entry_hash,
    payload_hash,
    spans,
)
from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import audit, audit_payloads
from connectors.redaction import without_known_secrets

_AT_ONCE: Final = 2000

_encode_sorted = msgspec.json.Encoder(order="sorted").encode

_CHAIN: Final = (
    "seq", "tenant_id", "book_id", "at", "actor", "event", "subject", "payload_hash", "previous",
    "hash",
)  # fmt: skip


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
    rows: list[dict[str, Any]] = []
    bodies: list[dict[str, Any]] = []
    moment = instant_text(at)
    for one in told:
        seq += 1
        # What a vendor said may repeat what we sent it: the record is kept and exported.
        body = without_known_secrets(_encode_sorted({"v": 1, **one.payload}).decode())
        entry: dict[str, Any] = {
            "seq": seq,
            "tenant_id": tenant,
            "book_id": book_id,
            "at": moment,
            "actor": one.actor,
            "event": one.event,
            "subject": one.subject,
            "payload_hash": payload_hash(body),
            "previous": previous,
        }
        previous = entry["hash"] = entry_hash(**entry)
        rows.append(entry)
        bodies.append({"seq": seq, "body": body})
    if rows:
        conn.execute(audit.insert(), rows)
        conn.execute(audit_payloads.insert(), bodies)
    return seq


def head(conn: Connection) -> tuple[int, str]:
    """Number and hash of the newest entry; (0, zeros) for an empty chain."""
    row = conn.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    return (row.seq, row.hash) if row is not None else (0, GENESIS)


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


def erase(
    conn: Connection,
    seqs: Collection[int],
    *,
    book_id: int | None,
    at: datetime,
    actor: str,
    reason: str,
    subject: str,
    told: Mapping[str, Any] = {},
) -> int:
    """Erase the payloads of these entries; the chain itself stays, and one more entry tells which
    were erased, by whom and why. Returns how many there were.

    What tells of erasures is never erased.
    """
    open_ones = (
        select(audit.c.seq)
        .join(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .where(audit.c.event != ERASED, audit_payloads.c.erased.is_(False))
    )
    wanted = sorted(set(seqs))
    erased: list[int] = []
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        erased += conn.execute(open_ones.where(audit.c.seq.in_(some))).scalars()
    for start in range(0, len(erased), 500):
        conn.execute(
            audit_payloads.update()
            .where(audit_payloads.c.seq.in_(erased[start : start + 500]))
            .values(body=None, erased=True)
        )
    append(
        conn,
        book_id=book_id,
        at=at,
        actor=actor,
        event=ERASED,
        subject=subject,
        payload={**told, "reason": reason, "entries": spans(erased)},
    )
    return len(erased)


def verify(
    conn: Connection, *, progress: Callable[[int, int], None] | None = None
) -> list[AuditProblem]:
    """Walk the whole chain; every place where it does not hold. Empty: nothing was changed.

    A chain that was cut off at its end still holds: `ar_bridge.audit_heads` finds that. Streams:
    a million entries need no more memory than a thousand.
    """
    walk = Walk()
    problems: list[AuditProblem] = []
    newest, _ = head(conn)
    for entry in entries(conn):
        problems.extend(walk.step(entry))
        if progress is not None and walk.count % _AT_ONCE == 0:
            progress(walk.count, newest)
    problems.extend(walk.end())
    orphans = conn.execute(
        select(audit_payloads.c.seq)
        .outerjoin(audit, audit.c.seq == audit_payloads.c.seq)
        .where(audit.c.seq.is_(None))
        .order_by(audit_payloads.c.seq)
    )
    problems += [AuditProblem(seq, "there is a payload and no entry") for seq in orphans.scalars()]
    return problems


def entries(conn: Connection) -> Iterator[ChainEntry]:
    """Every entry with its payload as stored, oldest first, a few at a time."""
    columns = [audit.c[name] for name in _CHAIN]
    rows = conn.execute(
        select(*columns, audit_payloads.c.body, audit_payloads.c.erased)
        .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .order_by(audit.c.seq)
        .execution_options(yield_per=_AT_ONCE)
    )
    for *fields, body, erased in rows:
        yield ChainEntry(
            **dict(zip(_CHAIN, fields, strict=True)), body=body, is_erased=bool(erased)
        )


def began_at(conn: Connection) -> datetime | None:
    """When the first entry was written."""
    at = conn.execute(select(audit.c.at).order_by(audit.c.seq).limit(1)).scalar()
    return datetime.fromisoformat(at) if at is not None else None


def hash_at(conn: Connection, seq: int) -> str | None:
    """Hash of one entry; None where there is none of that number."""
    if seq == 0:
        return GENESIS
    return conn.execute(select(audit.c.hash).where(audit.c.seq == seq)).scalar()


def _payload(body: str | None) -> dict[str, Any] | None:
    if body is None:
        return None
    payload: dict[str, Any] = msgspec.json.decode(body)
    payload.pop("v", None)
    return payload
