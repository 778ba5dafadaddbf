"""A new revision of a stored action, and which ones wait for a person since when."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, func, select

from ar_bridge.store.actions import ActionRow, action_row
from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import action_items, actions

_PART: Final = 500

_SAME: Final = (
    "tenant_id",
    "book_id",
    "key",
    "kind",
    "mode",
    "customer",
    "stage",
    "fee",
    "number",
    "amount",
    "currency",
    "channel",
    "send_on",
    "send_at",
    "body",
    "reasons",
    "message",
    "facts",
    "facts_digest",
    "policy_hash",
    "waits_for",
    "waiting_since",
    "asked_at",
    "edited_by",
    "edited_why",
    "drafted",
)
"""Columns that a new revision takes over. Approval, lease and outcome are the old one's."""


def renew(conn: Connection, row: ActionRow, plan_id: str, changes: Mapping[str, Any]) -> ActionRow:
    """Store the next revision of an action, planned, with these columns changed. The old one is
    out of every live state by then, or IntegrityError is raised."""
    stored = conn.execute(select(actions).where(actions.c.id == row.id)).mappings().one()
    columns = {name: stored[name] for name in _SAME}
    columns |= {"plan_id": plan_id, "revision": row.revision + 1, "state": "planned", **changes}
    inserted = conn.execute(actions.insert().values(**columns)).inserted_primary_key
    assert inserted is not None
    items = conn.execute(select(action_items).where(action_items.c.action_id == row.id)).mappings()
    conn.execute(
        action_items.insert(),
        [{**item, "action_id": inserted[0], "state": "planned"} for item in items],
    )
    fresh = conn.execute(select(actions).where(actions.c.id == inserted[0])).mappings().one()
    return action_row(fresh)


def asked_before(conn: Connection, book_id: int, moment: datetime) -> list[ActionRow]:
    """Planned actions that have waited for a person since then or longer, oldest first."""
    query = (
        select(actions)
        .where(
            actions.c.book_id == book_id,
            actions.c.state == "planned",
            actions.c.asked_at <= instant_text(moment),
        )
        .order_by(actions.c.id)
    )
    return [action_row(row) for row in conn.execute(query).mappings()]


def by_ids(conn: Connection, ids: Sequence[int]) -> list[ActionRow]:
    """These actions as they stand now, oldest first."""
    return _in_parts(conn, actions.c.id, sorted(ids))


def of_keys(conn: Connection, book_id: int, keys: Collection[str]) -> list[ActionRow]:
    """Every revision of these keys, oldest first."""
    found = _in_parts(conn, actions.c.key, sorted(keys))
    return [row for row in found if row.book_id == book_id]


def _in_parts(conn: Connection, column: Column[Any], wanted: Sequence[Any]) -> list[ActionRow]:
    found: list[ActionRow] = []
    for start in range(0, len(wanted), _PART):
        part = wanted[start : start + _PART]
        query = select(actions).where(column.in_(part)).order_by(actions.c.id)
        found += [action_row(row) for row in conn.execute(query).mappings()]
    return found


def waiting_since(conn: Connection, book_id: int) -> datetime | None:
    """Since when the oldest planned action waits; None where none does."""
    found = conn.execute(
        select(func.min(actions.c.waiting_since)).where(
            actions.c.book_id == book_id, actions.c.state == "planned"
        )
    ).scalar()
    return datetime.fromisoformat(found) if found else None
