"""Doing one approved action: effect by effect, each with a durable intent before it is sent.

    pending --store request and key--> sending --answer--> done
                                          |--refused for good--> refused
                                          |--definitely not done--> pending (same bytes, same key)
                                          `--answer lost--> same bytes again for 3 minutes, then
                                             looked for twice a minute apart, then unknown

Nothing is repeated blind: what may have been done is looked for, and what cannot be found waits
for a person.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.channels.errors import (
    ChannelRefusedError,
    ChannelTransientError,
    ChannelUnknownError,
)
from ar_bridge.context import BookContext
from ar_bridge.messages.late import LateSlots
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    OutcomeUnknownError,
    RefusedError,
    StaleError,
    TransientError,
    UnsupportedError,
)
from connectors.port import Receipt
from rules.actions.effects import PostCharge, SendMessage
from rules.actions.keys import vendor_key

LEASE_MINUTES = 10
REPEAT_WITHIN = timedelta(minutes=3)
"""The vendors' idempotency keys are good for minutes, not days."""
FIND_APART = timedelta(seconds=60)
FINDS = 2
BACKOFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))

EVENTS = {
    "late_fee": "FeeCharged",
    "reminder": "ReminderSent",
    "fee_notice": "FeeNoticeSent",
    "note": "NoteWritten",
    "task": "TaskOpened",
    "call": "CallRequested",
    "notify": "OwnerNotified",
    "credit_hold": "CreditHoldPlaced",
    "credit_release": "CreditHoldReleased",
    "hand_off": "HandedOff",
}


class Outcome(StrEnum):
    """What became of an action in this run."""

    DONE = "done"
    LATER = "later"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    PARKED = "parked"
    STALE = "stale"
    TAKEN = "taken"


class Performed(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one action with what was written and what went wrong."""

    row: ActionRow
    outcome: Outcome
    written: tuple[str, ...] = ()
    """Names of the effects written in this run."""
    problem: str = ""
    is_ledger_refusal: bool = False
    """Refused by the accounting system, not by a mail server."""


class _StopError(Exception):
    """An effect did not succeed: how the action ends for now."""

    def __init__(
        self,
        outcome: Outcome,
        problem: str,
        *,
        try_after: datetime | None = None,
        is_ledger_refusal: bool = False,
    ) -> None:
        super().__init__(problem)
        self.outcome = outcome
        self.problem = problem
        self.try_after = try_after
        self.is_ledger_refusal = is_ledger_refusal


def perform(desk: BookContext, row: ActionRow) -> Performed:
    """Do one action, or as much of it as can be done now.

    Raises AuthorizationError when the ledger lets nobody in: there is no point in going on.
    """
    with desk.store.write() as conn:
        token = outbox.lease(conn, row, desk.clock.now(), LEASE_MINUTES)
    if token is None:
        return Performed(row=row, outcome=Outcome.TAKEN, problem="another worker has it")
    written: list[str] = []
    with desk.store.read() as conn:
        waiting = outbox.effects_of(conn, row.id)
    receipts: list[EffectRow] = []
    try:
        for effect in waiting:
            if effect.state not in ("done", "unsupported"):
                effect = _run(desk, row, effect, token)
                if effect.state == "done":
                    written.append(effect.name)
            receipts.append(effect)
    except _StopError as stop:
        return _stopped(desk, row, token, stop, tuple(written))
    except AuthorizationError as problem:
        _stopped(desk, row, token, _StopError(Outcome.LATER, str(problem)), tuple(written))
        raise
    except outbox.LeaseLostError as problem:
        return Performed(
            row=row, outcome=Outcome.TAKEN, written=tuple(written), problem=str(problem)
        )
    with desk.store.write() as conn:
        outbox.hold_lease(conn, row.id, token)
        now = desk.clock.now()
        action_store.set_state(conn, [row.id], "done", now=now, lease_until=None)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=now,
            actor=row.approved_by or desk.worker,
            event=EVENTS.get(row.kind, "ActionDone"),
            subject=row.key,
            payload=_evidence(row, receipts),
        )
    return Performed(row=row, outcome=Outcome.DONE, written=tuple(written))


def _run(desk: BookContext, row: ActionRow, effect: EffectRow, token: int) -> EffectRow:
    if effect.state in ("unknown", "refused"):
        raise _StopError(Outcome.UNKNOWN, effect.error or "waits for a person")
    if isinstance(effect.effect, SendMessage):
        return _send_message(desk, row, effect, effect.effect, token)
    return _write_ledger(desk, row, effect, token)


def _write_ledger(desk: BookContext, row: ActionRow, effect: EffectRow, token: int) -> EffectRow:
    assert not isinstance(effect.effect, SendMessage)
    now = desk.clock.now()
    if effect.state == "sending":
        assert effect.first_sent_at is not None
        if now - effect.first_sent_at > REPEAT_WITHIN:
            return _look_for(desk, effect, token)
    elif effect.request is None:
        try:
            prepared = desk.connector.prepare(effect.effect, row.send_on)
        except UnsupportedError as problem:
            return _save(desk, effect, token, state="unsupported", error=str(problem))
        except RefusedError as problem:
            raise _StopError(Outcome.REFUSED, str(problem), is_ledger_refusal=True) from problem
        except TransientError as problem:
            raise _later(desk, row, problem) from problem
        effect = _save(
            desk,
            effect,
            token,
            request=prepared,
            vendor_key=vendor_key(effect.key, prepared.body),
            state="sending",
            first_sent_at=now,
            attempts=effect.attempts + 1,
        )
    else:
        effect = _save(
            desk,
            effect,
            token,
            state="sending",
            first_sent_at=now,
            attempts=effect.attempts + 1,
        )
    request, key = effect.request, effect.vendor_key
    assert request is not None and key is not None
    try:
        receipt = desk.connector.write(request, key)
    except OutcomeUnknownError as problem:
        raise _StopError(
            Outcome.LATER, str(problem), try_after=desk.clock.now() + FIND_APART
        ) from problem
    except (RefusedError, UnsupportedError) as problem:
        _save(desk, effect, token, state="refused", error=str(problem))
        raise _StopError(Outcome.REFUSED, str(problem), is_ledger_refusal=True) from problem
    except StaleError as problem:
        _save(desk, effect, token, state="pending", request=None, error=str(problem))
        raise _StopError(Outcome.STALE, str(problem)) from problem
    except TransientError as problem:
        _save(desk, effect, token, state="pending", error=str(problem))
        raise _later(desk, row, problem) from problem
    except AuthorizationError:
        _save(desk, effect, token, state="pending")
        raise
    return _received(desk, effect, receipt, token)


def _look_for(desk: BookContext, effect: EffectRow, token: int) -> EffectRow:
    """The answer is lost and the vendor's key may have expired: only looking is safe."""
    assert not isinstance(effect.effect, SendMessage)
    now = desk.clock.now()
    if effect.last_find_at is not None and now - effect.last_find_at < FIND_APART:
        raise _StopError(
            Outcome.LATER, "looking for it again", try_after=effect.last_find_at + FIND_APART
        )
    try:
        receipt = desk.connector.find(effect.effect)
    except ConnectorError as problem:
        raise _StopError(
            Outcome.LATER, f"could not look for it: {problem}", try_after=now + FIND_APART
        ) from problem
    if receipt is not None:
        return _received(desk, effect, receipt, token)
    effect = _save(desk, effect, token, finds=effect.finds + 1, last_find_at=now)
    if effect.finds < FINDS:
        raise _StopError(Outcome.LATER, "not found yet", try_after=now + FIND_APART)
    problem_text = (
        f"the answer to {effect.name} was lost and it cannot be found in the ledger: "
        "look there, then say what happened"
    )
    _save(desk, effect, token, state="unknown", error=problem_text)
    raise _StopError(Outcome.UNKNOWN, problem_text)


def _received(desk: BookContext, effect: EffectRow, receipt: Receipt, token: int) -> EffectRow:
    """Store the receipt first of all. A document that is not what we asked for stops here."""
    effect = _save(desk, effect, token, state="done", receipt=receipt, error=None)
    charge = effect.effect
    if isinstance(charge, PostCharge):
        if receipt.number and receipt.number != charge.number:
            raise _StopError(
                Outcome.PARKED,
                f"the ledger numbered the fee {receipt.number} instead of {charge.number}",
            )
        if receipt.amount is not None and receipt.amount != charge.amount:
            raise _StopError(
                Outcome.PARKED,
                f"the ledger booked {receipt.amount} minor units instead of {charge.amount}",
            )
    return effect


def _send_message(
    desk: BookContext, row: ActionRow, effect: EffectRow, message: SendMessage, token: int
) -> EffectRow:
    now = desk.clock.now()
    if effect.state == "sending":
        # Handed to the mail server before a crash, or not: nobody can tell.
        text = "it may have been handed to the mail server before an interruption"
        _save(desk, effect, token, state="unknown", error=text)
        raise _StopError(Outcome.UNKNOWN, text)
    channel = desk.channels[channel_of(row)]
    effect = _save(
        desk,
        effect,
        token,
        state="sending",
        first_sent_at=now,
        attempts=effect.attempts + 1,
    )
    try:
        sent = channel.send(message, LateSlots(date=now))
    except ChannelTransientError as problem:
        _save(desk, effect, token, state="pending", error=str(problem))
        raise _StopError(
            Outcome.LATER, str(problem), try_after=now + _backoff(row.attempts)
        ) from problem
    except ChannelRefusedError as problem:
        _save(desk, effect, token, state="refused", error=str(problem))
        raise _StopError(Outcome.REFUSED, str(problem)) from problem
    except ChannelUnknownError as problem:
        _save(desk, effect, token, state="unknown", error=str(problem))
        raise _StopError(Outcome.UNKNOWN, str(problem)) from problem
    receipt = Receipt(id=sent.message_id, number=sent.response, at=sent.at)
    return _save(desk, effect, token, state="done", receipt=receipt, error=None)


def channel_of(row: ActionRow) -> str:
    """Which channel takes the action's message: a draft becomes a file."""
    return "eml" if row.mode == "draft" else row.channel


def _stopped(
    desk: BookContext,
    row: ActionRow,
    token: int,
    stop: _StopError,
    written: tuple[str, ...],
) -> Performed:
    """Give the action the state in which it is left."""
    outcome = stop.outcome
    now = desk.clock.now()
    with desk.store.write() as conn:
        outbox.hold_lease(conn, row.id, token)
        begun = _any_done(conn, row.id)
        if outcome in (Outcome.REFUSED, Outcome.STALE) and begun:
            outcome = Outcome.PARKED
        if outcome is Outcome.LATER:
            action_store.set_state(
                conn,
                [row.id],
                "approved",
                now=now,
                lease_until=None,
                try_after=(stop.try_after or now).isoformat(),
            )
        else:
            if outcome is Outcome.STALE:
                action_store.drop_effects(conn, [row.id])
            state = "withdrawn" if outcome is Outcome.STALE else outcome.value
            action_store.set_state(
                conn, [row.id], state, now=now, reason=stop.problem, lease_until=None
            )
            audit.append(
                conn,
                book_id=desk.book_id,
                at=now,
                actor=desk.worker,
                event=f"Action{state.capitalize()}",
                subject=row.key,
                payload={"revision": row.revision, "reason": stop.problem},
            )
    return Performed(
        row=row,
        outcome=outcome,
        written=written,
        problem=stop.problem,
        is_ledger_refusal=stop.is_ledger_refusal,
    )


def _any_done(conn: Connection, action_id: int) -> bool:
    return any(effect.state == "done" for effect in outbox.effects_of(conn, action_id))


def _save(desk: BookContext, effect: EffectRow, token: int, **columns: object) -> EffectRow:
    with desk.store.write() as conn:
        return outbox.update_effect(conn, effect, token, **columns)


def _later(desk: BookContext, row: ActionRow, problem: TransientError) -> _StopError:
    wait = (
        timedelta(seconds=problem.retry_after)
        if problem.retry_after is not None
        else _backoff(row.attempts)
    )
    return _StopError(Outcome.LATER, str(problem), try_after=desk.clock.now() + wait)


def _backoff(attempts: int) -> timedelta:
    return BACKOFF[min(attempts, len(BACKOFF) - 1)]


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
        "receipts": [
            {
                "effect": effect.name,
                "key": effect.key,
                "vendor_key": effect.vendor_key,
                "receipt": msgspec.to_builtins(effect.receipt) if effect.receipt else None,
                "note": effect.error,
            }
            for effect in effects
        ],
    }
