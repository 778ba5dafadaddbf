"""How each book stands, in numbers, for whoever watches: nothing personal."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from ar_bridge.store.bodies import instant
from ar_bridge.store.tables import actions, books, halts, nudges


class Standing(msgspec.Struct, kw_only=True):
    """One book in numbers."""

    synced_at: datetime | None = None
    full_synced_at: datetime | None = None
    state: str = "normal"
    actions: dict[str, int] = {}
    """State to number, of what is not ended."""
    halts: list[str] = []
    """Why nothing goes out: codes of stops and breakers."""


OPEN_STATES = ("planned", "approved", "leased", "unknown", "parked")


def standings(conn: Connection) -> dict[int, Standing]:
    """Every book by its row id."""
    found = {
        row.id: Standing(
            synced_at=instant(row.synced_at),
            full_synced_at=instant(row.full_synced_at),
            state=row.state,
        )
        for row in conn.execute(
            select(books.c.id, books.c.synced_at, books.c.full_synced_at, books.c.state)
        )
    }
    counts = (
        select(actions.c.book_id, actions.c.state, func.count().label("number"))
        .where(actions.c.state.in_(OPEN_STATES))
        .group_by(actions.c.book_id, actions.c.state)
    )
    for row in conn.execute(counts):
        found[row.book_id].actions[row.state] = row.number
    for row in conn.execute(
        select(halts.c.book_id, halts.c.kind, halts.c.code).where(halts.c.closed_at.is_(None))
    ):
        if row.book_id in found:
            found[row.book_id].halts.append(f"{row.kind}:{row.code}")
    return found


def nudged(conn: Connection) -> int:
    """How many records webhooks named that were not read again yet."""
    return int(conn.execute(select(func.count()).select_from(nudges)).scalar_one())
