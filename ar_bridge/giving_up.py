"""Ending a half-done action for good: what was done stays, the rest is never done."""

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow


def give_up(
    conn: Connection, desk: BookContext, row: ActionRow, *, actor: str, reason: str
) -> ActionRow:
    """End a parked action because a person undoes it. It counts as done, so that no rule does it
    again; what was not done of it is left out. Returns it as it then stands."""
    effects = outbox.effects_of(conn, row.id)
    left = [one for one in effects if one.state != "done"]
    said = f"given up: {reason}"
    outbox.set_effects(conn, row.id, [one.position for one in left], "refused", note=said)
    now = desk.clock.now()
    action_store.set_state(
        conn, [row.id], "done", now=now, reason=said, lease_until=None, try_after=None
    )
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event="ActionGivenUp",
        subject=row.key,
        payload={
            "revision": row.revision,
            "state": "done",
            "plan": row.plan_id,
            "policy": row.policy_hash,
            "reason": reason,
            "left": [one.key for one in left],
        },
    )
    return msgspec.structs.replace(row, state="done", ended_at=now, ended_reason=said)
