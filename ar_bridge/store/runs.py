"""Runs: what was started when, and how it ended. A run without an end was cut short."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, select

from ar_bridge.store.bodies import instant, instant_text
from ar_bridge.store.tables import runs


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one kind on one book."""

    id: int
    book_id: int
    kind: str
    on: date
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    counts: dict[str, Any]


def start(
    conn: Connection,
    book_id: int,
    kind: str,
    *,
    on: date,
    at: datetime,
    tenant: str = "default",
) -> int:
    """Note that a run begins; returns its id."""
    inserted = conn.execute(
        runs.insert().values(
            tenant_id=tenant,
            book_id=book_id,
            kind=kind,
            on=on.isoformat(),
            started_at=instant_text(at),
        )
    ).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def finish(
    conn: Connection, run_id: int, *, at: datetime, outcome: str, counts: Mapping[str, Any]
) -> None:
    """Note how a run ended: `done`, `failed`, ..., with its counts."""
    conn.execute(
        runs.update()
        .where(runs.c.id == run_id)
        .values(
            ended_at=instant_text(at),
            outcome=outcome,
            counts=msgspec.json.encode({"v": 1, **counts}).decode(),
        )
    )


def numbered(conn: Connection, book_id: int, run_id: int) -> RunRow | None:
    """A run of the book by its number."""
    query = select(runs).where(runs.c.book_id == book_id, runs.c.id == run_id)
    row = conn.execute(query).mappings().first()
    return _run(row) if row is not None else None


def latest(
    conn: Connection, book_id: int, *, kind: str | tuple[str, ...] | None = None, limit: int = 1
) -> list[RunRow]:
    """The newest runs of a book, newest first; of a kind, of several, or of any."""
    query = select(runs).where(runs.c.book_id == book_id).order_by(runs.c.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(runs.c.kind.in_((kind,) if isinstance(kind, str) else kind))
    return [_run(row) for row in conn.execute(query).mappings()]


def _run(row: RowMapping) -> RunRow:
    return RunRow(
        id=row["id"],
        book_id=row["book_id"],
        kind=row["kind"],
        on=date.fromisoformat(row["on"]),
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        outcome=row["outcome"],
        counts=_counts(row["counts"]),
    )


def _counts(text: str | None) -> dict[str, Any]:
    counts: dict[str, Any] = msgspec.json.decode(text) if text else {}
    counts.pop("v", None)
    return counts
