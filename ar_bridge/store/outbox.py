"""The outbox: leases with a fencing token, and effects with what was sent and what came back.

A worker that lost its lease finds its token out of date on the next write and stops: every
statement here that changes an effect names the token.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, exists, or_, select

from ar_bridge.store.actions import ActionRow, action_row
from ar_bridge.store.tables import action_items, actions, effects
from connectors.port import Prepared, Receipt
from rules.actions.effects import Effect


class LeaseLostError(Exception):
    """Another worker took this action over: nothing more may be written for it."""


class EffectRow(msgspec.Struct, frozen=True, kw_only=True):
    """One effect in the outbox."""

    action_id: int
    position: int
    key: str
    name: str
    state: str
    effect: Effect
    request: Prepared | None
    vendor_key: str | None
    first_sent_at: datetime | None
    attempts: int
    finds: int
    last_find_at: datetime | None
    receipt: Receipt | None
    error: str | None


_effect = msgspec.json.Decoder(Effect)
_prepared = msgspec.json.Decoder(Prepared)
_receipt = msgspec.json.Decoder(Receipt)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _effect_row(row: RowMapping) -> EffectRow:
    return EffectRow(
        action_id=row["action_id"],
        position=row["position"],
        key=row["key"],
        name=row["name"],
        state=row["state"],
        effect=_effect.decode(row["body"]),
        request=_prepared.decode(row["request"]) if row["request"] else None,
        vendor_key=row["vendor_key"],
        first_sent_at=_instant(row["first_sent_at"]),
        attempts=row["attempts"],
        finds=row["finds"],
        last_find_at=_instant(row["last_find_at"]),
        receipt=_receipt.decode(row["receipt"]) if row["receipt"] else None,
        error=row["error"],
    )


def due(
    conn: Connection, book_id: int, now: datetime, *, plan_id: str | None = None
) -> list[ActionRow]:
    """Approved actions whose time has come, and leases that ran out, oldest first."""
    moment = now.isoformat()
    query = (
        select(actions)
        .where(
            actions.c.book_id == book_id,
            or_(
                (actions.c.state == "approved") & (actions.c.send_at <= moment),
                (actions.c.state == "leased") & (actions.c.lease_until <= moment),
            ),
            or_(actions.c.try_after.is_(None), actions.c.try_after <= moment),
        )
        .order_by(actions.c.id)
    )
    if plan_id is not None:
        query = query.where(actions.c.plan_id == plan_id)
    return [action_row(row) for row in conn.execute(query).mappings()]


def has_begun(conn: Connection, book_id: int) -> set[int]:
    """Ids of unfinished actions of which some effect may already have left this machine."""
    rows = conn.execute(
        select(actions.c.id).where(
            actions.c.book_id == book_id,
            actions.c.state.in_(("approved", "leased", "unknown", "parked")),
            exists().where(
                effects.c.action_id == actions.c.id,
                effects.c.state.in_(("sending", "done", "unknown")),
            ),
        )
    )
    return {row.id for row in rows}


def lease(conn: Connection, action: ActionRow, now: datetime, minutes: int) -> int | None:
    """Take an action for some minutes; returns the fencing token, None when somebody was faster."""
    token = action.lease_token + 1
    taken = conn.execute(
        actions.update()
        .where(
            actions.c.id == action.id,
            actions.c.lease_token == action.lease_token,
            actions.c.state == action.state,
        )
        .values(
            state="leased",
            lease_token=token,
            lease_until=(now + timedelta(minutes=minutes)).isoformat(),
            attempts=actions.c.attempts + 1,
        )
    )
    if taken.rowcount != 1:
        return None
    conn.execute(
        action_items.update().where(action_items.c.action_id == action.id).values(state="leased")
    )
    return token


def hold_lease(conn: Connection, action_id: int, token: int) -> None:
    """Raise LeaseLostError unless this worker still owns the action."""
    owner = conn.execute(
        select(actions.c.lease_token, actions.c.state).where(actions.c.id == action_id)
    ).one()
    if owner.lease_token != token or owner.state != "leased":
        raise LeaseLostError(f"action {action_id} is no longer ours")


def effects_of(conn: Connection, action_id: int) -> list[EffectRow]:
    """The effects of an action, in order."""
    rows = conn.execute(
        select(effects).where(effects.c.action_id == action_id).order_by(effects.c.position)
    ).mappings()
    return [_effect_row(row) for row in rows]


def set_effects(
    conn: Connection, action_id: int, positions: Sequence[int], state: str, *, note: str
) -> None:
    """A person's word on effects that no worker holds."""
    conn.execute(
        effects.update()
        .where(effects.c.action_id == action_id, effects.c.position.in_(positions))
        .values(state=state, error=note)
    )


def update_effect(conn: Connection, effect: EffectRow, token: int, **columns: Any) -> EffectRow:
    """Change an effect under the lease; returns it as it now stands.

    Raises LeaseLostError where another worker has taken over.
    """
    hold_lease(conn, effect.action_id, token)
    values = {
        name: value.isoformat()
        if isinstance(value, datetime)
        else msgspec.json.encode(value)
        if isinstance(value, Prepared)
        else msgspec.json.encode(value).decode()
        if isinstance(value, Receipt)
        else value
        for name, value in columns.items()
    }
    conn.execute(
        effects.update()
        .where(effects.c.action_id == effect.action_id, effects.c.position == effect.position)
        .values(**values)
    )
    return msgspec.structs.replace(effect, **columns)
