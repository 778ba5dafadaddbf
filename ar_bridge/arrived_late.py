"""A write of unknown outcome may have arrived after all: a worker that stood still goes on, or a
slow network delivers.

Nothing else would notice before a person settles it, and meanwhile what builds on it is decided
as if it were not there: a fee would be in the ledger, and its message not go out. So each run
looks once more for what is unknown in the ledger. It only reads; what it does not find, and
what it finds half done, goes on waiting for a person. A mail cannot be looked for.
"""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.leased import give_back, next_of, stopped, take, told
from ar_bridge.outcome import Outcome, StopError
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from ar_bridge.writer import difference
from connectors.budget import serving_writes
from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    NotPermittedError,
    TransientError,
)
from connectors.port import Receipt
from rules.actions.effects import PostCharge, SendMessage

MOST_LOOKS: Final = 20
"""How many unknown writes one run looks for: fees first, then what nobody looked for longest."""

FOUND_LATE: Final = "OutcomeFound"
"""Event of an unknown write that was found in the ledger."""

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def adopt(desk: BookContext) -> list[str]:
    """Look for unknown writes in the ledger, and let what is found go on; returns the keys of
    the actions that do.

    Finished by whoever finishes what was begun. A ledger that does not answer ends the search:
    the next run looks again.
    """
    with desk.store.read() as conn:
        rows = action_store.actions_in(conn, desk.book_id, ("unknown",))
        effects = outbox.effects_by_action(conn, [row.id for row in rows])
    doubtful = [
        (row, effect)
        for row in rows
        if (effect := next_of(effects.get(row.id, ()))) is not None
        and effect.state == "unknown"
        and not isinstance(effect.effect, SendMessage)
    ]
    doubtful.sort(key=_in_turn)
    found: list[tuple[ActionRow, EffectRow, Receipt]] = []
    missing: list[EffectRow] = []
    with serving_writes():
        for row, effect in doubtful[:MOST_LOOKS]:
            assert not isinstance(effect.effect, SendMessage)
            try:
                receipt = desk.connector.find(effect.effect)
            except (TransientError, AuthorizationError) as problem:
                if isinstance(problem, NotPermittedError):
                    continue
                break
            except ConnectorError:
                continue
            if receipt is None:
                missing.append(effect)
            else:
                found.append((row, effect, receipt))
    if not (found or missing):
        return []
    with desk.store.write() as conn:
        outbox.looked_for(conn, missing, desk.clock.now())
        return [
            row.key for row, effect, receipt in found if _kept(conn, desk, row, effect, receipt)
        ]


def _in_turn(doubtful: tuple[ActionRow, EffectRow]) -> tuple[bool, datetime, int]:
    row, effect = doubtful
    return not isinstance(effect.effect, PostCharge), effect.last_find_at or _LONG_AGO, row.id


def _kept(
    conn: Connection, desk: BookContext, row: ActionRow, effect: EffectRow, receipt: Receipt
) -> bool:
    """Store the receipt and let the action go on; False where a person was faster."""
    hand = take(conn, desk, row)
    if hand is None:
        return False
    effect = outbox.update_effect(
        conn, effect, hand.token, state="done", receipt=receipt, error=None
    )
    hand.replace(effect)
    problem = difference(effect, receipt)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=desk.worker,
        event=FOUND_LATE,
        subject=row.key,
        payload={
            "revision": row.revision,
            "state": "approved",
            "plan": row.plan_id,
            "policy": row.policy_hash,
            "reason": f"{effect.name} was unknown and is in the ledger after all",
        },
    )
    told(conn, desk, row, effect)
    if problem:
        stopped(conn, desk, hand, StopError(Outcome.PARKED, problem))
        return False
    give_back(conn, desk, hand)
    return True
