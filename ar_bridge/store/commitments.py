"""What people told us: promises, disputes, pauses and the rest, each added once and ended once."""

from collections.abc import Collection
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, or_, select

from ar_bridge.store import mirror
from ar_bridge.store.bodies import Bodies, body_of
from ar_bridge.store.parts import rows_of
from ar_bridge.store.tables import commitments
from rules.model import Commitment, Dispute

_commitments: Bodies[Commitment] = Bodies(Commitment)


class UnknownCommitmentError(LookupError):
    """No commitment of this book has that id."""


def new_id(conn: Connection, book_id: int, kind: str, customer: str, on: date) -> str:
    """A free id that people can read: `promise/C1/2026-11-01`, a second one of that day `.../2`."""
    first = f"{kind}/{customer}/{on.isoformat()}"
    taken = set(
        conn.execute(
            select(commitments.c.id).where(
                commitments.c.book_id == book_id,
                or_(
                    commitments.c.id == first,
                    commitments.c.id.startswith(first + "/", autoescape=True),
                ),
            )
        ).scalars()
    )
    free, count = first, 1
    while free in taken:
        count += 1
        free = f"{first}/{count}"
    return free


def add(conn: Connection, book_id: int, commitment: Commitment, *, tenant: str = "default") -> bool:
    """Record a commitment; False where this very one was recorded before.

    Raises ValueError when its id is taken by a different one.
    """
    known = _find(conn, book_id, commitment.id)
    if known is not None:
        if known != commitment:
            raise ValueError(f"commitment {commitment.id} exists and says something else")
        return False
    conn.execute(
        commitments.insert().values(
            tenant_id=tenant,
            book_id=book_id,
            id=commitment.id,
            customer=commitment.customer,
            on=commitment.on.isoformat(),
            ended_on=commitment.ended_on.isoformat() if commitment.ended_on else None,
            body=body_of(commitment),
        )
    )
    mirror.decide_again(conn, book_id, [commitment.customer])
    return True


def end(
    conn: Connection, book_id: int, commitment_id: str, *, on: date, won_by: str = ""
) -> Commitment:
    """End a commitment on a day (it no longer stands on that day) and return it as it now is.

    `won_by` says who was right in a dispute. Raises UnknownCommitmentError.
    """
    known = _find(conn, book_id, commitment_id)
    if known is None:
        raise UnknownCommitmentError(f"there is no commitment {commitment_id} in this book")
    changes: dict[str, Any] = {"ended_on": on}
    if won_by and isinstance(known, Dispute):
        changes["won_by"] = won_by
    ended = msgspec.structs.replace(known, **changes)
    conn.execute(
        commitments.update()
        .where(commitments.c.book_id == book_id, commitments.c.id == commitment_id)
        .values(ended_on=on.isoformat(), body=body_of(ended))
    )
    mirror.decide_again(conn, book_id, [ended.customer])
    return ended


def change(conn: Connection, book_id: int, commitment_id: str, **changes: object) -> Commitment:
    """Say otherwise who looks after a commitment, or when, and return it as it now is. Raises
    UnknownCommitmentError."""
    known = _find(conn, book_id, commitment_id)
    if known is None:
        raise UnknownCommitmentError(f"there is no commitment {commitment_id} in this book")
    changed = msgspec.structs.replace(known, **changes)
    conn.execute(
        commitments.update()
        .where(commitments.c.book_id == book_id, commitments.c.id == commitment_id)
        .values(body=body_of(changed))
    )
    mirror.decide_again(conn, book_id, [changed.customer])
    return changed


def listed(
    conn: Connection,
    book_id: int,
    *,
    customers: Collection[str] | None = None,
    standing_on: date | None = None,
) -> list[Commitment]:
    """Commitments in the order in which they were made; `standing_on` leaves out ended ones."""
    query = (
        select(commitments.c.body, commitments.c.customer)
        .where(commitments.c.book_id == book_id)
        .order_by(commitments.c.on, commitments.c.id)
    )
    if standing_on is not None:
        day = standing_on.isoformat()
        query = query.where(
            commitments.c.on <= day,
            or_(commitments.c.ended_on.is_(None), commitments.c.ended_on > day),
        )
    return [
        _commitments.read(row.body)
        for row in rows_of(conn, query, commitments.c.customer, customers)
    ]


def _find(conn: Connection, book_id: int, commitment_id: str) -> Commitment | None:
    body = conn.execute(
        select(commitments.c.body).where(
            commitments.c.book_id == book_id, commitments.c.id == commitment_id
        )
    ).scalar()
    return _commitments.read(body) if body is not None else None
