"""Halts: what keeps everything of a book from going out, who said so, and who ended it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import halts

STOP: Final = "stop"
"""A person stopped everything."""

BREAKER: Final = "breaker"
"""A plan was out of the ordinary: what goes by rule waits for a person."""


class HaltRow(msgspec.Struct, frozen=True, kw_only=True):
    """One halt of one book."""

    id: int
    book_id: int
    kind: str
    code: str
    reason: str
    measured: int | None
    plan_id: str | None
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None


def open_halt(
    conn: Connection,
    book_id: int,
    *,
    kind: str,
    code: str,
    reason: str,
    at: datetime,
    by: str,
    measured: int | None = None,
    plan_id: str | None = None,
) -> int:
    """Halt a book; returns the number of the halt."""
    inserted = conn.execute(
        halts.insert().values(
            book_id=book_id,
            kind=kind,
            code=code,
            reason=reason,
            measured=measured,
            plan_id=plan_id,
            opened_at=instant_text(at),
            opened_by=by,
        )
    ).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def standing(conn: Connection, book_id: int, kind: str | None = None) -> list[HaltRow]:
    """What halts the book now, oldest first."""
    query = select(halts).where(halts.c.book_id == book_id, halts.c.closed_at.is_(None))
    if kind is not None:
        query = query.where(halts.c.kind == kind)
    return [_row(row) for row in conn.execute(query.order_by(halts.c.id)).mappings()]


def close(conn: Connection, halt_ids: Sequence[int], *, at: datetime, by: str, reason: str) -> None:
    """End halts."""
    if halt_ids:
        conn.execute(
            halts.update()
            .where(halts.c.id.in_(halt_ids))
            .values(closed_at=instant_text(at), closed_by=by, closed_reason=reason)
        )


def closed_since(conn: Connection, book_id: int, kind: str, since: datetime) -> list[HaltRow]:
    """Halts of a kind that ended after a moment, oldest first."""
    query = (
        select(halts)
        .where(
            halts.c.book_id == book_id,
            halts.c.kind == kind,
            halts.c.closed_at > instant_text(since),
        )
        .order_by(halts.c.id)
    )
    return [_row(row) for row in conn.execute(query).mappings()]


def _row(row: Any) -> HaltRow:
    return HaltRow(
        id=row["id"],
        book_id=row["book_id"],
        kind=row["kind"],
        code=row["code"],
        reason=row["reason"],
        measured=row["measured"],
        plan_id=row["plan_id"],
        opened_at=datetime.fromisoformat(row["opened_at"]),
        opened_by=row["opened_by"],
        closed_at=datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else None,
        closed_by=row["closed_by"],
    )
