"""Trials: policies, by what they decide, that were applied for the first time."""

from collections.abc import Collection
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, func, select

from ar_bridge.store.actions import ActionRow, action_row
from ar_bridge.store.bodies import instant, instant_text
from ar_bridge.store.tables import actions, trials


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """One policy of one book."""

    hash: str
    began_at: datetime
    began_on: date
    ended_at: datetime | None
    """None while only a few actions go by rule."""
    ended_by: str | None


def found(conn: Connection, book_id: int, acting: str) -> TrialRow | None:
    """The trial of a policy by what it decides; None where it was never applied."""
    row = (
        conn.execute(select(trials).where(trials.c.book_id == book_id, trials.c.hash == acting))
        .mappings()
        .first()
    )
    if row is None:
        return None
    return TrialRow(
        hash=row["hash"],
        began_at=datetime.fromisoformat(row["began_at"]),
        began_on=date.fromisoformat(row["began_on"]),
        ended_at=instant(row["ended_at"]),
        ended_by=row["ended_by"],
    )


def has_any(conn: Connection, book_id: int) -> bool:
    """Whether any policy of the book was ever on trial."""
    query = select(func.count()).select_from(trials).where(trials.c.book_id == book_id)
    return bool(conn.execute(query).scalar_one())


def begin(conn: Connection, book_id: int, acting: str, *, at: datetime, on: date) -> None:
    """The first actions of a policy go now."""
    conn.execute(
        trials.insert().values(
            book_id=book_id, hash=acting, began_at=instant_text(at), began_on=on.isoformat()
        )
    )


def end(conn: Connection, book_id: int, acting: str, *, at: datetime, by: str, reason: str) -> None:
    """The policy has proved itself, or a person has looked."""
    conn.execute(
        trials.update()
        .where(trials.c.book_id == book_id, trials.c.hash == acting)
        .values(ended_at=instant_text(at), ended_by=by, reason=reason)
    )


def gone_by_rule(
    conn: Connection, book_id: int, states: Collection[str], since: datetime
) -> list[ActionRow]:
    """What rules approved from a moment on, and what is in these states now."""
    rows = conn.execute(
        select(actions).where(
            actions.c.book_id == book_id,
            actions.c.state.in_(sorted(states)),
            actions.c.approved_by == "rule",
            # Instants may have fractions of a second or none: to the second, then exactly.
            actions.c.approved_at >= instant_text(since)[:19],
        )
    ).mappings()
    found = [action_row(row) for row in rows]
    return [row for row in found if row.approved_at is not None and row.approved_at >= since]


def has_acted(
    conn: Connection, book_id: int, policy_hash: str, *, besides: Collection[str]
) -> bool:
    """Whether anything was done under a policy, of other kinds than these."""
    query = (
        select(actions.c.id)
        .where(
            actions.c.book_id == book_id,
            actions.c.state == "done",
            actions.c.policy_hash == policy_hash,
            actions.c.kind.not_in(sorted(besides)),
        )
        .limit(1)
    )
    return conn.execute(query).first() is not None
