"""A person says what became of an action whose outcome nobody else can know."""

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.leased import OVERTAKEN
from ar_bridge.processes import number_of, still_lives
from ar_bridge.refused_fees import subject_of
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from rules.actions.effects import SendMessage
from rules.actions.late_fee import ChargeLateFee

OPEN_ENDED = ("unknown", "parked")
"""States that only a person ends."""

MAY_BE_RETRIED = ("parked", "refused")
"""States out of which a person has something tried again."""


def settle(
    conn: Connection, desk: BookContext, row: ActionRow, *, happened: bool, actor: str, reason: str
) -> str:
    """End the wait; returns what follows, in a sentence.

    It happened: what was unknown counts as done and the rest of the action goes on. It did not:
    an action of which nothing was done is withdrawn and planned anew, where it was no order; of
    one that was half done, the missing effect is written again, with the same bytes. Raises
    UsageError for an action that does not wait for anybody, and while a process that had it
    before has not ended.
    """
    if row.state not in OPEN_ENDED:
        raise UsageError(
            f"{row.key} is {row.state}: there is nothing to settle.",
            remedy="ar-bridge status names what waits for a person",
        )
    _require_nobody_at_it(conn, desk, row)
    now = desk.clock.now()
    effects = outbox.effects_of(conn, row.id)
    doubtful = [one.position for one in effects if one.state in ("unknown", "sending", "refused")]
    was_begun = any(one.state == "done" for one in effects)
    if not happened and desk.handed is not None:
        # Before the commit: where that fails, it is unknown as before.
        for one in effects:
            if one.position in doubtful and isinstance(one.effect, SendMessage):
                desk.handed.take_back(one.effect.message_id, now)
    if happened:
        outbox.set_effects(conn, row.id, doubtful, "done", note=f"{actor}: {reason}")
        follows = "it counts as done; what is left of it is done by the next apply"
    elif was_begun:
        outbox.set_effects(conn, row.id, doubtful, "pending", note=f"{actor}: {reason}")
        follows = "the missing part is written again by the next apply"
    else:
        outbox.set_effects(conn, row.id, doubtful, "refused", note=f"{actor}: {reason}")
        follows = (
            "no plan brings an order back: give it again"
            if row.action.is_ordered
            else "it is planned anew by the next plan"
        )
    state = "approved" if happened or was_begun else "withdrawn"
    action_store.set_state(
        conn, [row.id], state, now=now, reason=reason, lease_until=None, try_after=None
    )
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event="OutcomeSettled",
        subject=row.key,
        payload={
            "revision": row.revision,
            "state": state,
            "plan": row.plan_id,
            "policy": row.policy_hash,
            "happened": happened,
            "effects": [one.key for one in effects if one.position in doubtful],
            "reason": reason,
        },
    )
    return follows


def try_again(
    conn: Connection, desk: BookContext, row: ActionRow, *, actor: str, reason: str
) -> str:
    """Try a parked action again, with its failures forgotten; returns what follows. A late fee
    that the ledger refused is planned anew.

    Only what may be sent again is: a request whose answer was lost is looked for first. Raises
    UsageError for an action that is neither, and where a person has to say what happened.
    """
    if row.state == "refused" and isinstance(row.action, ChargeLateFee):
        return _plan_anew(conn, desk, row, row.action, actor=actor, reason=reason)
    effects = outbox.effects_of(conn, row.id)
    if row.state != "parked" or any(one.state in ("unknown", "refused") for one in effects):
        raise UsageError(
            f"{row.key} cannot simply be tried again: it is {row.state}, "
            f"{row.ended_reason or 'and nobody knows what became of it'}.",
            remedy="look in the ledger, then settle it with --happened or --did-not-happen",
        )
    _require_nobody_at_it(conn, desk, row)
    action_store.set_state(
        conn,
        [row.id],
        "approved",
        now=desk.clock.now(),
        lease_until=None,
        try_after=None,
        failures=0,
    )
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=actor,
        event="ActionTriedAgain",
        subject=row.key,
        payload={"revision": row.revision, "state": "approved", "reason": reason},
    )
    return "it is tried again by the next apply"


def _plan_anew(
    conn: Connection,
    desk: BookContext,
    row: ActionRow,
    fee: ChargeLateFee,
    *,
    actor: str,
    reason: str,
) -> str:
    """Every refusal of the fee is set aside: of other periods too, which had the same ground."""
    refused = action_store.actions_in(
        conn, desk.book_id, ("refused",), kind=fee.kind, customers={row.customer}
    )
    same = [
        one
        for one in refused
        if isinstance(one.action, ChargeLateFee) and subject_of(one.action) == subject_of(fee)
    ]
    now = desk.clock.now()
    action_store.set_state(conn, [one.id for one in same], "withdrawn", now=now, reason=reason)
    for one in same:
        audit.append(
            conn,
            book_id=desk.book_id,
            at=now,
            actor=actor,
            event="ActionTriedAgain",
            subject=one.key,
            payload={"revision": one.revision, "state": "withdrawn", "reason": reason},
        )
    return "it is planned anew by the next plan"


def _require_nobody_at_it(conn: Connection, desk: BookContext, row: ActionRow) -> None:
    """A worker that stood still may go on at any moment, and send what it had in hand: whatever
    a person says before that may be wrong after it."""
    entries = audit.history(conn, book_id=desk.book_id, events=[OVERTAKEN], subject=row.key)
    before = [str((entry.payload or {}).get("process", "")) for entry in entries]
    living = [number_of(process) for process in before if still_lives(process)]
    if living:
        raise UsageError(
            f"process {', '.join(living)} had {row.key} before and has not ended: it may still "
            "send what it had in hand.",
            remedy=f"kill {' '.join(living)}, look in the ledger once more, then settle it",
        )
