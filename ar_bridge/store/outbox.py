"""The outbox: leases with a fencing token, and effects with what was sent and what came back.

A worker that lost its lease finds its token out of date on the next write and stops: every
statement here that changes an effect names the token.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, exists, or_, select

from ar_bridge.store.actions import ActionRow, action_row
from ar_bridge.store.tables import action_items, actions, batches, effects
from connectors.port import Prepared, Receipt
from rules.actions.effects import Effect

LEASE: Final = timedelta(minutes=10)
"""How long a worker has an action to itself; each effect that it begins renews it."""


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
    batch: str | None
    """Vendor key of the batch in which it was sent."""
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
        batch=row["batch"],
        first_sent_at=_instant(row["first_sent_at"]),
        attempts=row["attempts"],
        finds=row["finds"],
        last_find_at=_instant(row["last_find_at"]),
        receipt=_receipt.decode(row["receipt"]) if row["receipt"] else None,
        error=row["error"],
    )


def due(
    conn: Connection,
    book_id: int,
    now: datetime,
    *,
    plan_id: str | None = None,
    is_gone: Callable[[str], bool] = lambda process: False,
) -> list[ActionRow]:
    """Approved actions whose time has come, and leases that ran out or whose process `is_gone`,
    oldest first."""
    moment = now.isoformat()
    beyond = (now + 2 * LEASE).isoformat()
    leased = select(actions.c.lease_owner).where(
        actions.c.book_id == book_id, actions.c.state == "leased"
    )
    owners = {owner for owner in conn.execute(leased.distinct()).scalars() if owner}
    dead = [owner for owner in owners if is_gone(owner)]
    query = (
        select(actions)
        .where(
            actions.c.book_id == book_id,
            # Said once more by itself, so that the index on states finds them.
            actions.c.state.in_(("approved", "leased")),
            or_(
                (actions.c.state == "approved") & (actions.c.send_at <= moment),
                (actions.c.state == "leased") & (actions.c.lease_until <= moment),
                # Taken before the clock was set back: nobody waits for that hour to come again.
                (actions.c.state == "leased") & (actions.c.lease_until > beyond),
                (actions.c.state == "leased") & actions.c.lease_owner.in_(dead),
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


def lease(
    conn: Connection, action: ActionRow, now: datetime, minutes: int, *, owner: str = ""
) -> int | None:
    """Take an action for some minutes; returns the fencing token, None when somebody was faster.

    `owner` names the process, so that nobody has to wait for one that has ended.
    """
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
            lease_owner=owner,
            attempts=actions.c.attempts + 1,
        )
    )
    if taken.rowcount != 1:
        return None
    conn.execute(
        action_items.update().where(action_items.c.action_id == action.id).values(state="leased")
    )
    return token


def owner_of(conn: Connection, action_id: int) -> str:
    """The process that took it last; empty where none did."""
    query = select(actions.c.lease_owner).where(actions.c.id == action_id)
    return str(conn.execute(query).scalar() or "")


def retry_waiting(conn: Connection, book_id: int) -> None:
    """What waits for another day because of a limit may be looked at again."""
    conn.execute(
        actions.update()
        .where(
            actions.c.book_id == book_id,
            actions.c.state == "approved",
            actions.c.waits_why.is_not(None),
        )
        .values(try_after=None)
    )


def count_failure(conn: Connection, action_id: int) -> int:
    """One more failure of an action's own; returns how many there are."""
    conn.execute(
        actions.update().where(actions.c.id == action_id).values(failures=actions.c.failures + 1)
    )
    count = conn.execute(select(actions.c.failures).where(actions.c.id == action_id)).scalar_one()
    return int(count)


def hold_lease(conn: Connection, action_id: int, token: int) -> None:
    """Raise LeaseLostError unless this worker still owns the action."""
    owner = conn.execute(
        select(actions.c.lease_token, actions.c.state).where(actions.c.id == action_id)
    ).one()
    if owner.lease_token != token or owner.state != "leased":
        raise LeaseLostError(f"action {action_id} is no longer ours")


def tokens_of_leased(conn: Connection, action_ids: Sequence[int]) -> dict[int, int]:
    """Those of these actions that somebody holds, with the fencing token."""
    found: dict[int, int] = {}
    for start in range(0, len(action_ids), 500):
        rows = conn.execute(
            select(actions.c.id, actions.c.lease_token).where(
                actions.c.id.in_(action_ids[start : start + 500]), actions.c.state == "leased"
            )
        )
        found.update((row.id, row.lease_token) for row in rows)
    return found


def end_leases(conn: Connection, tokens: Mapping[int, int]) -> None:
    """Give leased actions back, as far as the tokens are still theirs."""
    for action_id, token in tokens.items():
        ended = conn.execute(
            actions.update()
            .where(
                actions.c.id == action_id,
                actions.c.lease_token == token,
                actions.c.state == "leased",
            )
            .values(state="approved", lease_until=None)
        )
        if ended.rowcount:
            conn.execute(
                action_items.update()
                .where(action_items.c.action_id == action_id)
                .values(state="approved")
            )


def renew_lease(conn: Connection, action_id: int, token: int, now: datetime, minutes: int) -> None:
    """Hold an action for some minutes more. Raises LeaseLostError where it is no longer ours."""
    hold_lease(conn, action_id, token)
    until = (now + timedelta(minutes=minutes)).isoformat()
    conn.execute(actions.update().where(actions.c.id == action_id).values(lease_until=until))


def effects_of(conn: Connection, action_id: int) -> list[EffectRow]:
    """The effects of an action, in order."""
    rows = conn.execute(
        select(effects).where(effects.c.action_id == action_id).order_by(effects.c.position)
    ).mappings()
    return [_effect_row(row) for row in rows]


def store_batch(
    conn: Connection, book_id: int, vendor_key: str, request: Prepared, sent_at: datetime
) -> None:
    """What several effects are sent in, before it is sent. The same batch may have been stored
    before, when nothing of it could be done."""
    conn.execute(batches.delete().where(batches.c.vendor_key == vendor_key))
    conn.execute(
        batches.insert().values(
            vendor_key=vendor_key,
            book_id=book_id,
            request=msgspec.json.encode(request),
            first_sent_at=sent_at.isoformat(),
        )
    )


def batch_request(conn: Connection, vendor_key: str) -> Prepared | None:
    """The request of a batch that was sent."""
    row = conn.execute(select(batches.c.request).where(batches.c.vendor_key == vendor_key)).first()
    return _prepared.decode(row.request) if row is not None else None


def sent_in(conn: Connection, book_id: int, vendor_key: str) -> list[EffectRow]:
    """The effects that were sent in a batch, by key: their order in it."""
    rows = conn.execute(
        select(effects).where(effects.c.book_id == book_id, effects.c.batch == vendor_key)
    ).mappings()
    return sorted((_effect_row(row) for row in rows), key=lambda effect: effect.key)


def effects_by_action(conn: Connection, action_ids: Collection[int]) -> dict[int, list[EffectRow]]:
    """The effects of several actions, in order."""
    found: dict[int, list[EffectRow]] = {}
    wanted = sorted(action_ids)
    for start in range(0, len(wanted), 500):
        rows = conn.execute(
            select(effects)
            .where(effects.c.action_id.in_(wanted[start : start + 500]))
            .order_by(effects.c.action_id, effects.c.position)
        ).mappings()
        for row in rows:
            found.setdefault(row["action_id"], []).append(_effect_row(row))
    return found


def set_effects(
    conn: Connection, action_id: int, positions: Sequence[int], state: str, *, note: str
) -> None:
    """A person's word on effects that no worker holds."""
    values: dict[str, Any] = {"state": state, "error": note}
    if state == "pending":
        values["batch"] = None
    conn.execute(
        effects.update()
        .where(effects.c.action_id == action_id, effects.c.position.in_(positions))
        .values(**values)
    )


def looked_for(conn: Connection, missing: Sequence[EffectRow], now: datetime) -> None:
    """Note that these were looked for once more and not found; one that a person has settled in
    the meantime stays as it is."""
    for effect in missing:
        conn.execute(
            effects.update()
            .where(
                effects.c.action_id == effect.action_id,
                effects.c.position == effect.position,
                effects.c.state == "unknown",
            )
            .values(last_find_at=now.isoformat())
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
