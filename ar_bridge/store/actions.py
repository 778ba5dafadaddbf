"""Planned actions and their items: what we intend, what we did, and what became of the rest.

An item key is taken while its action is in a live state; the partial unique index of
`tables.action_items` is the last word on that, whatever the code above believes.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, and_, func, or_, select, text

from ar_bridge.store.parts import LOOKUP, by_scanning, rows_of
from ar_bridge.store.tables import LIVE_STATES, action_items, actions, effects
from rules.actions.action import RenderedMessage
from rules.actions.effects import EFFECT_NAMES, Effect
from rules.actions.table import AnyAction
from rules.decision import Reason

STARTED = ("sending", "done", "unknown")
"""Effect states after which an action can only be finished or parked, never freed."""

_IS_LIVE = text(f"action_items.state in {LIVE_STATES!r}")
# In the words of the index on keys that are taken: else SQLite does not use it.


class ActionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one planned action, as stored."""

    id: int
    book_id: int
    plan_id: str
    key: str
    revision: int
    kind: str
    state: str
    mode: str
    customer: str
    stage: str | None
    fee: str | None
    number: str
    amount: int | None
    currency: str
    channel: str
    send_on: date
    send_at: datetime
    action: AnyAction
    reasons: tuple[Reason, ...]
    message: RenderedMessage | None
    facts: dict[str, Any]
    facts_digest: str
    policy_hash: str
    waits_for: tuple[str, ...]
    approved_by: str | None
    approved_at: datetime | None
    ended_reason: str | None
    ended_at: datetime | None
    lease_token: int
    lease_until: datetime | None
    attempts: int
    try_after: datetime | None
    waiting_since: datetime | None = None
    """When it was first planned, without a break since."""
    asked_at: datetime | None = None
    """What waits for a person expires so long after this."""
    edited_by: str | None = None
    """Whose wording the message has."""
    edited_why: str | None = None
    drafted: RenderedMessage | None = None
    """The message as the template made it, where a person changed it."""
    begun_on: date | None = None
    """The local day whose limits it counts to."""
    run_id: int | None = None
    """The run in which it was begun."""
    failures: int = 0
    """How often it failed by itself."""
    waits_why: str | None = None
    """Why it was not begun, though its time has come."""


_NAMES: Final = tuple(actions.c.keys())

_action = msgspec.json.Decoder(AnyAction)
_message = msgspec.json.Decoder(RenderedMessage)
_reasons = msgspec.json.Decoder(tuple[Reason, ...])
_facts = msgspec.json.Decoder(dict[str, Any])
_keys = msgspec.json.Decoder(tuple[str, ...])
_encode = msgspec.json.Encoder().encode


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def action_row(row: Mapping[str, Any] | RowMapping) -> ActionRow:
    """A stored row as a value."""
    return ActionRow(
        id=row["id"],
        book_id=row["book_id"],
        plan_id=row["plan_id"],
        key=row["key"],
        revision=row["revision"],
        kind=row["kind"],
        state=row["state"],
        mode=row["mode"],
        customer=row["customer"],
        stage=row["stage"],
        fee=row["fee"],
        number=row["number"],
        amount=row["amount"],
        currency=row["currency"],
        channel=row["channel"],
        send_on=date.fromisoformat(row["send_on"]),
        send_at=datetime.fromisoformat(row["send_at"]),
        action=_action.decode(row["body"]),
        reasons=_reasons.decode(row["reasons"]),
        message=_message.decode(row["message"]) if row["message"] else None,
        facts=_facts.decode(row["facts"]),
        facts_digest=row["facts_digest"],
        policy_hash=row["policy_hash"],
        waits_for=_keys.decode(row["waits_for"]),
        approved_by=row["approved_by"],
        approved_at=_instant(row["approved_at"]),
        ended_reason=row["ended_reason"],
        ended_at=_instant(row["ended_at"]),
        lease_token=row["lease_token"],
        lease_until=_instant(row["lease_until"]),
        attempts=row["attempts"],
        try_after=_instant(row["try_after"]),
        waiting_since=_instant(row["waiting_since"]),
        asked_at=_instant(row["asked_at"]),
        edited_by=row["edited_by"],
        edited_why=row["edited_why"],
        drafted=_message.decode(row["drafted"]) if row["drafted"] else None,
        begun_on=date.fromisoformat(row["begun_on"]) if row["begun_on"] else None,
        run_id=row["run_id"],
        failures=row["failures"],
        waits_why=row["waits_why"],
    )


def insert_actions(conn: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Store new actions with their items; returns their row ids in the same order.

    Each row holds the columns of `actions` plus `items`: the `Item` values of the action.
    Raises IntegrityError where an item key is taken.
    """
    if not rows:
        return []
    plain = [{name: row[name] for name in row if name != "items"} for row in rows]
    newest = conn.execute(select(func.max(actions.c.id))).scalar() or 0
    conn.execute(actions.insert(), plain)
    # Asking each row for its id takes longer than storing it; nobody else writes meanwhile.
    fresh = conn.execute(
        select(actions.c.book_id, actions.c.key, actions.c.revision, actions.c.id).where(
            actions.c.id > newest
        )
    )
    by_key = {(book_id, key, revision): id for book_id, key, revision, id in fresh}
    ids = [by_key[row["book_id"], row["key"], row["revision"]] for row in rows]
    items = [
        {
            "action_id": id,
            "book_id": row["book_id"],
            "key": item.key,
            "state": row["state"],
            "kind": item.kind,
            "invoice": item.invoice,
            "stage": item.stage,
            "fee": item.fee,
        }
        for id, row in zip(ids, rows, strict=True)
        for item in row["items"]
    ]
    if items:
        conn.execute(action_items.insert(), items)
    return ids


def set_state(
    conn: Connection,
    action_ids: Iterable[int],
    state: str,
    *,
    now: datetime,
    reason: str | None = None,
    **columns: Any,
) -> None:
    """Move actions and their items together: they never disagree."""
    ids = list(action_ids)
    values: dict[str, Any] = {"state": state, **columns}
    if state not in ("planned", "approved", "leased"):
        values.update(ended_at=now.isoformat(), ended_reason=reason)
    for start in range(0, len(ids), LOOKUP):
        some = ids[start : start + LOOKUP]
        conn.execute(actions.update().where(actions.c.id.in_(some)).values(**values))
        conn.execute(
            action_items.update().where(action_items.c.action_id.in_(some)).values(state=state)
        )


def actions_in(
    conn: Connection,
    book_id: int,
    states: Collection[str],
    *,
    keys: Collection[str] | None = None,
    plan_id: str | None = None,
    kind: str | None = None,
    customers: Collection[str] | None = None,
) -> list[ActionRow]:
    """Actions in these states, oldest first."""
    in_states = actions.c.state.in_(states)
    if keys is not None or (customers is not None and len(customers) < LOOKUP):
        in_states = by_scanning(actions.c.state).in_(states)
    query = select(actions).where(actions.c.book_id == book_id, in_states).order_by(actions.c.id)
    if keys is not None:
        query = query.where(actions.c.key.in_(keys))
    if plan_id is not None:
        query = query.where(actions.c.plan_id == plan_id)
    if kind is not None:
        query = query.where(actions.c.kind == kind)
    found = rows_of(conn, query, actions.c.customer, customers)
    # A plain dictionary is read much faster than a row by its names.
    return [action_row(dict(zip(_NAMES, row, strict=True))) for row in found]


def action_by_id(conn: Connection, action_id: int) -> ActionRow:
    """One action, as it stands now."""
    return action_row(
        conn.execute(select(actions).where(actions.c.id == action_id)).mappings().one()
    )


def actions_named(conn: Connection, book_id: int, key: str) -> list[ActionRow]:
    """All revisions of an action by its key, by an item key, or by its document number."""
    of_item = select(action_items.c.action_id).where(
        action_items.c.book_id == book_id, action_items.c.key == key
    )
    query = (
        select(actions)
        .where(
            actions.c.book_id == book_id,
            or_(
                actions.c.key == key,
                and_(actions.c.number == key, actions.c.number != ""),
                actions.c.id.in_(of_item),
            ),
        )
        .order_by(actions.c.id)
    )
    return [action_row(row) for row in conn.execute(query).mappings()]


def latest_revisions(conn: Connection, book_id: int, keys: Collection[str]) -> dict[str, ActionRow]:
    """The newest revision of each key that was ever planned."""
    found: dict[str, ActionRow] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), 500):
        newest = (
            select(func.max(actions.c.id))
            .where(
                actions.c.book_id == book_id,
                actions.c.key.in_(wanted[start : start + 500]),
            )
            .group_by(actions.c.key)
        )
        rows = conn.execute(select(actions).where(actions.c.id.in_(newest))).mappings()
        found.update((row["key"], action_row(row)) for row in rows)
    return found


def taken_items(conn: Connection, book_id: int, keys: Collection[str]) -> dict[str, str]:
    """Item keys that a live action carries, with the state of that action."""
    taken: dict[str, str] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), 500):
        rows = conn.execute(
            select(action_items.c.key, action_items.c.state).where(
                action_items.c.book_id == book_id,
                action_items.c.key.in_(wanted[start : start + 500]),
                _IS_LIVE,
            )
        )
        taken.update((row.key, row.state) for row in rows)
    return taken


def planned_items(conn: Connection, book_id: int) -> set[str]:
    """Item keys of everything that is planned."""
    query = (
        select(action_items.c.key)
        .join(actions, actions.c.id == action_items.c.action_id)
        .where(actions.c.book_id == book_id, actions.c.state == "planned")
    )
    return set(conn.execute(query).scalars())


def insert_all_effects(
    conn: Connection, book_id: int, approved: Iterable[tuple[int, Sequence[Effect]]]
) -> dict[int, str]:
    """Put the effects of several approved actions, each by its row id, into the outbox; returns
    the seal of what each action has there (`seal_of`)."""
    rows: list[dict[str, Any]] = [
        {
            "action_id": action_id,
            "position": position,
            "book_id": book_id,
            "key": effect.key,
            "name": EFFECT_NAMES[type(effect)],
            "state": "pending",
            "body": _encode(effect),
            "message_id": getattr(effect, "message_id", None),
        }
        for action_id, written in approved
        for position, effect in enumerate(written)
    ]
    for start in range(0, len(rows), 1000):
        conn.execute(effects.insert(), rows[start : start + 1000])
    return {
        action_id: seal_of((one["key"], one["name"], one["body"]) for one in entries)
        for action_id, entries in groupby(rows, key=itemgetter("action_id"))
    }


def seal_of(outbox: Iterable[tuple[str, str, bytes | str]]) -> str:
    """SHA-256 over what the outbox holds of one action: key, name and body of its effects, in
    their order. Empty where it holds nothing of it. (SQLite gives text back as text, where
    somebody wrote text.)"""
    digest, is_empty = hashlib.sha256(), True
    for fields in outbox:
        for field in fields:
            part = field.encode() if isinstance(field, str) else field
            digest.update(b"%d:" % len(part) + part)
        is_empty = False
    return "" if is_empty else digest.hexdigest()


def drop_effects(conn: Connection, action_ids: Iterable[int]) -> None:
    """Take effects that never began out of the outbox."""
    for action_id in action_ids:
        conn.execute(
            effects.delete().where(
                effects.c.action_id == action_id, effects.c.state.not_in(STARTED)
            )
        )


def has_started(conn: Connection, action_id: int) -> bool:
    """Whether any effect of the action may have left this machine."""
    return bool(
        conn.execute(
            select(func.count())
            .select_from(effects)
            .where(effects.c.action_id == action_id, effects.c.state.in_(STARTED))
        ).scalar_one()
    )


def count_of(conn: Connection, book_id: int, state: str) -> int:
    """How many actions are in a state."""
    query = select(func.count()).where(actions.c.book_id == book_id, actions.c.state == state)
    return int(conn.execute(query).scalar_one())


def counts_by_state(conn: Connection, book_id: int) -> dict[tuple[str, str], int]:
    """(kind, state) to number of actions."""
    rows = conn.execute(
        select(actions.c.kind, actions.c.state, func.count())
        .where(actions.c.book_id == book_id)
        .group_by(actions.c.kind, actions.c.state)
    )
    return {(kind, state): count for kind, state, count in rows}
