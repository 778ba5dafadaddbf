"""An action that this worker holds: taken, then finished, stopped or given back.

Each of these is one step within the caller's transaction, and names the lease.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.outcome import MOST_FAILURES, Outcome, Performed, StopError
from ar_bridge.placing import record_closing, record_placement
from ar_bridge.processes import own_process, still_lives
from ar_bridge.store import actions as action_store
from ar_bridge.store import outages, outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from rules.actions.apology import CloseTask
from rules.actions.effects import SendMessage
from rules.actions.hand_off import HandOff

LEASE_MINUTES = outbox.LEASE // timedelta(minutes=1)

EFFECT_WRITTEN = "EffectWritten"
"""Event of one effect of an action, which goes on."""

OVERTAKEN = "WorkerOvertaken"
"""Event of an action that was taken from a process which has not ended."""

EVENTS = {
    "late_fee": "FeeCharged",
    "reminder": "ReminderSent",
    "fee_notice": "FeeNoticeSent",
    "deposit_request": "DepositRequested",
    "write_off_proposal": "WriteOffApproved",
    "notice": "NoticeMailed",
    "note": "NoteWritten",
    "task": "TaskOpened",
    "call": "CallRequested",
    "notify": "OwnerNotified",
    "credit_hold": "CreditHoldPlaced",
    "credit_release": "CreditHoldReleased",
    "hand_off": "HandedOff",
    "fee_waiver": "FeeWaived",
    "statement": "StatementSent",
    "discount_offer": "DiscountOffered",
    "discount": "DiscountCredited",
    "plan_offer": "PlanOffered",
    "thanks": "ThanksSent",
    "acknowledgement": "AcknowledgementSent",
    "send_invoice": "InvoiceSent",
    "attachment": "FileAttached",
    "apology": "ApologySent",
    "closing": "TaskWithdrawn",
}


class Hand(msgspec.Struct, kw_only=True):
    """An action that this worker has leased, with its effects as they stand."""

    row: ActionRow
    token: int
    effects: list[EffectRow]
    written: list[str] = []
    is_alone: bool = False
    """Its next effect does not travel with others: together it was refused."""

    @property
    def next(self) -> EffectRow | None:
        """The first effect that is not settled."""
        return next_of(self.effects)

    def replace(self, effect: EffectRow) -> None:
        """An effect has changed."""
        self.effects = [effect if one.position == effect.position else one for one in self.effects]


def is_settled(effect: EffectRow) -> bool:
    """The action goes on behind it."""
    return effect.state in ("done", "unsupported") or (
        effect.state == "refused" and effect.effect.is_optional
    )


def next_of(effects: Sequence[EffectRow]) -> EffectRow | None:
    """The first effect that is not settled; None where all are."""
    return next((one for one in effects if not is_settled(one)), None)


def take(conn: Connection, desk: BookContext, row: ActionRow) -> Hand | None:
    """Lease an action within the caller's transaction; None when another worker has it.

    Where it is taken from a process that has not ended, the audit says from which: that one may
    have sent something which has not arrived.
    """
    before = outbox.owner_of(conn, row.id) if row.state == "leased" else ""
    token = outbox.lease(conn, row, desk.clock.now(), LEASE_MINUTES, owner=own_process())
    if token is None:
        return None
    if still_lives(before):
        audit.append(
            conn,
            book_id=desk.book_id,
            at=desk.clock.now(),
            actor=desk.worker,
            event=OVERTAKEN,
            subject=row.key,
            payload={"revision": row.revision, "process": before},
        )
    desk.leases[row.id] = token
    return Hand(row=row, token=token, effects=outbox.effects_of(conn, row.id))


def taken(row: ActionRow) -> Performed:
    """Said of an action that somebody else is at."""
    return Performed(row=row, outcome=Outcome.TAKEN, problem="another worker has it")


def lost(hand: Hand, problem: outbox.LeaseLostError) -> Performed:
    """Said of an action that another worker has taken over."""
    return Performed(
        row=hand.row,
        outcome=Outcome.TAKEN,
        written=tuple(hand.written),
        problem=str(problem),
    )


def finished(conn: Connection, desk: BookContext, hand: Hand) -> Performed:
    """Every effect is settled: the action is done, and the audit says so."""
    row, now = hand.row, desk.clock.now()
    outbox.hold_lease(conn, row.id, hand.token)
    action_store.set_state(conn, [row.id], "done", now=now, lease_until=None)
    if isinstance(row.action, HandOff):
        record_placement(conn, desk.book_id, row, now=now, actor=row.approved_by or desk.worker)
    if isinstance(row.action, CloseTask):
        record_closing(conn, desk.book_id, row, now=now, actor=row.approved_by or desk.worker)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=row.approved_by or desk.worker,
        event=EVENTS.get(row.kind, "ActionDone"),
        subject=row.key,
        payload=_evidence(row, hand.effects),
    )
    return Performed(row=row, outcome=Outcome.DONE, written=tuple(hand.written))


def told(conn: Connection, desk: BookContext, row: ActionRow, effect: EffectRow) -> None:
    """An effect is done: the audit holds its receipt from the same moment as the outbox, and a
    ledger that took it is held to answer again."""
    if not isinstance(effect.effect, SendMessage):
        outages.answered(conn, desk.book_id)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=row.approved_by or desk.worker,
        event=EFFECT_WRITTEN,
        subject=row.key,
        payload={
            "revision": row.revision,
            "policy": row.policy_hash,
            "receipts": [_receipt(effect)],
        },
    )


def stopped(conn: Connection, desk: BookContext, hand: Hand, stop: StopError) -> Performed:
    """Give the action the state in which it is left, within the caller's transaction."""
    row, outcome, now = hand.row, stop.outcome, desk.clock.now()
    outbox.hold_lease(conn, row.id, hand.token)
    problem = stop.problem
    if outcome is Outcome.STALE and row.action.is_ordered:
        # Nobody plans it anew: it is prepared again from what the ledger then says.
        outcome = Outcome.LATER
    if outcome in (Outcome.REFUSED, Outcome.STALE) and _any_done(conn, row.id):
        outcome = Outcome.PARKED
    failures = _failures(conn, desk, hand, stop) if outcome is Outcome.LATER else 0
    if failures >= MOST_FAILURES:
        outcome, problem = Outcome.PARKED, f"it failed {failures} times, the last time: {problem}"
    if outcome is Outcome.LATER:
        give_back(conn, desk, hand, stop.try_after or now)
    elif outcome is Outcome.WAITS:
        give_back(conn, desk, hand)
    else:
        if outcome is Outcome.STALE:
            action_store.drop_effects(conn, [row.id])
        state = "withdrawn" if outcome is Outcome.STALE else outcome.value
        action_store.set_state(conn, [row.id], state, now=now, reason=problem, lease_until=None)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=now,
            actor=desk.worker,
            event=f"Action{state.capitalize()}",
            subject=row.key,
            payload={
                "revision": row.revision,
                "state": state,
                "plan": row.plan_id,
                "policy": row.policy_hash,
                "reason": problem,
                "reasons": msgspec.to_builtins(row.reasons),
                "receipts": [_receipt(effect) for effect in hand.effects if effect.receipt],
            },
        )
    return Performed(
        row=row,
        outcome=outcome,
        written=tuple(hand.written),
        problem=problem,
        is_ledger_refusal=stop.is_ledger_refusal,
        limited_until=stop.limited_until,
        is_halted=outcome is Outcome.WAITS,
    )


def _failures(conn: Connection, desk: BookContext, hand: Hand, stop: StopError) -> int:
    """How often the action has failed by itself. What fails together with others is the ledger's
    trouble, and not counted."""
    is_own = stop.fault == "own"
    if stop.fault == "ledger":
        outage = outages.failed(
            conn,
            desk.book_id,
            hand.row.id,
            reason=stop.problem,
            now=desk.clock.now(),
            asked=stop.asked,
        )
        is_own = outage.action_id == hand.row.id
    return outbox.count_failure(conn, hand.row.id) if is_own else 0


def give_back(
    conn: Connection, desk: BookContext, hand: Hand, try_after: datetime | None = None
) -> None:
    """End the lease: the action is approved as before, and tried again after that."""
    action_store.set_state(
        conn,
        [hand.row.id],
        "approved",
        now=desk.clock.now(),
        lease_until=None,
        try_after=try_after.isoformat() if try_after is not None else None,
    )


def _any_done(conn: Connection, action_id: int) -> bool:
    return any(effect.state == "done" for effect in outbox.effects_of(conn, action_id))


def _evidence(row: ActionRow, effects: list[EffectRow]) -> dict[str, object]:
    return {
        "revision": row.revision,
        "plan": row.plan_id,
        "policy": row.policy_hash,
        "number": row.number,
        "amount": row.amount,
        "currency": row.currency,
        "items": [item.key for item in row.action.items],
        "reasons": msgspec.to_builtins(row.reasons),
        "receipts": [_receipt(effect) for effect in effects],
    }


def _receipt(effect: EffectRow) -> dict[str, object]:
    return {
        "effect": effect.name,
        "key": effect.key,
        "vendor_key": effect.vendor_key,
        "receipt": msgspec.to_builtins(effect.receipt) if effect.receipt else None,
        "note": effect.error,
    }
