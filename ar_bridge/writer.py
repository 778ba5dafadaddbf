"""Doing one approved action: effect by effect, each with a durable intent before it is sent.

    pending --store request and key--> sending --answer--> done
                                          |--refused for good--> refused
                                          |--definitely not done--> pending (same bytes, same key)
                                          `--answer lost--> same bytes again for 3 minutes, then
                                             looked for twice a minute apart, then unknown;
                                             found half done, the same bytes go on with it

Nothing is repeated blind: what may have been done is looked for, and what cannot be found waits
for a person.
"""

from datetime import timedelta

import structlog

from ar_bridge.admission import begin
from ar_bridge.context import BookContext
from ar_bridge.handing_over import channel_of, hand_over
from ar_bridge.intents import intend, save, save_done
from ar_bridge.leased import Hand, finished, lost, stopped
from ar_bridge.outcome import (
    FIND_APART,
    FINDS,
    REPEAT_WITHIN,
    Outcome,
    Performed,
    StopError,
    backoff,
    later,
)
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    HalfDoneError,
    NotPermittedError,
    OutcomeUnknownError,
    RefusedError,
    StaleError,
    TransientError,
    UnsupportedError,
)
from connectors.port import LooksFirst, Receipt
from rules.actions.effects import PostCharge, SendMessage
from rules.actions.keys import vendor_key

__all__ = ["channel_of", "difference", "go_on", "perform"]


def perform(desk: BookContext, row: ActionRow) -> Performed:
    """Do one action, or as much of it as can be done now.

    Raises AuthorizationError when the ledger lets nobody in: there is no point in going on.
    """
    with desk.store.write() as conn:
        hand = begin(conn, desk, row)
    done = hand if isinstance(hand, Performed) else go_on(desk, hand)
    assert done is not None
    return done


def go_on(
    desk: BookContext, hand: Hand, *, before: frozenset[str] = frozenset()
) -> Performed | None:
    """Do what is left of an action that we hold; None when the next effect is one of `before`,
    which is then still to be written. Raises AuthorizationError."""
    with structlog.contextvars.bound_contextvars(action=hand.row.key, revision=hand.row.revision):
        try:
            while (effect := hand.next) is not None:
                if effect.state == "pending" and effect.name in before and not hand.is_alone:
                    return None
                effect = _run(desk, hand.row, effect, hand.token)
                hand.replace(effect)
                hand.is_alone = False
                if effect.state == "done":
                    hand.written.append(effect.name)
        except StopError as stop:
            with desk.store.write() as conn:
                return stopped(conn, desk, hand, stop)
        except AuthorizationError as problem:
            with desk.store.write() as conn:
                stopped(conn, desk, hand, StopError(Outcome.LATER, str(problem)))
            raise
        except outbox.LeaseLostError as problem:
            return lost(hand, problem)
        with desk.store.write() as conn:
            return finished(conn, desk, hand)


def _run(desk: BookContext, row: ActionRow, effect: EffectRow, token: int) -> EffectRow:
    stopped_by = desk.stopped()
    if stopped_by:
        raise StopError(Outcome.WAITS, stopped_by)
    if effect.state in ("unknown", "refused"):
        raise StopError(Outcome.UNKNOWN, effect.error or "waits for a person")
    if isinstance(effect.effect, SendMessage):
        return hand_over(desk, row, effect, effect.effect, token)
    return _write_ledger(desk, row, effect, token)


def _write_ledger(desk: BookContext, row: ActionRow, effect: EffectRow, token: int) -> EffectRow:
    assert not isinstance(effect.effect, SendMessage)
    now = desk.clock.now()
    is_in_doubt = effect.state == "sending"
    if is_in_doubt:
        assert effect.first_sent_at is not None
        age = now - effect.first_sent_at
        if not timedelta() <= age <= REPEAT_WITHIN:
            # Too old, or the clock was set back, and nobody knows how old it is.
            return _look_for(desk, row, effect, token)
        if effect.batch is not None:
            # It travelled with others and may have been done: sent by itself it could be done
            # twice. As one they may be repeated, by themselves they are looked for.
            raise StopError(
                Outcome.LATER,
                "the answer to the batch it went in was lost",
                try_after=effect.first_sent_at + REPEAT_WITHIN + timedelta(seconds=1),
            )
    elif effect.request is None:
        try:
            prepared = desk.connector.prepare(effect.effect, row.send_on)
        except UnsupportedError as problem:
            return save(desk, effect, token, state="unsupported", error=str(problem))
        except RefusedError as problem:
            if effect.effect.is_optional:
                return save(desk, effect, token, state="refused", error=str(problem))
            raise StopError(Outcome.REFUSED, str(problem), is_ledger_refusal=True) from problem
        except TransientError as problem:
            raise later(row, problem, desk.clock.now()) from problem
        key = vendor_key(effect.key, prepared.body)
        effect = intend(desk, row, effect, token, now, request=prepared, vendor_key=key)
    else:
        effect = intend(desk, row, effect, token, now)
    return _exchange(desk, row, effect, token, is_in_doubt=is_in_doubt)


def _exchange(
    desk: BookContext, row: ActionRow, effect: EffectRow, token: int, *, is_in_doubt: bool
) -> EffectRow:
    """Send what is stored, and record the answer."""
    request, key = effect.request, effect.vendor_key
    assert request is not None and key is not None
    if is_in_doubt and isinstance(desk.connector, LooksFirst):
        desk.connector.doubt(key)
    try:
        receipt = desk.connector.write(request, key)
    except HalfDoneError as problem:
        wait = max(FIND_APART, timedelta(seconds=problem.retry_after or 0))
        raise StopError(Outcome.LATER, str(problem), try_after=desk.clock.now() + wait) from problem
    except OutcomeUnknownError as problem:
        raise StopError(
            Outcome.LATER,
            str(problem),
            try_after=desk.clock.now() + FIND_APART,
            fault="ledger",
        ) from problem
    except (RefusedError, UnsupportedError) as problem:
        effect = save(desk, effect, token, state="refused", error=str(problem))
        if effect.effect.is_optional:
            return effect
        raise StopError(Outcome.REFUSED, str(problem), is_ledger_refusal=True) from problem
    except StaleError as problem:
        save(desk, effect, token, state="pending", request=None, error=str(problem))
        raise StopError(Outcome.STALE, str(problem)) from problem
    except TransientError as problem:
        # Nothing was done this time: that says nothing of a time before, whose answer was lost.
        if not is_in_doubt:
            save(desk, effect, token, state="pending", error=str(problem))
        raise later(row, problem, desk.clock.now()) from problem
    except AuthorizationError as problem:
        if not is_in_doubt:
            save(desk, effect, token, state="pending", error=str(problem))
        if isinstance(problem, NotPermittedError):
            # This endpoint only: it holds up nobody else.
            wait = backoff(row.failures)
            raise StopError(
                Outcome.LATER, str(problem), try_after=desk.clock.now() + wait, fault="own"
            ) from problem
        raise
    return _received(desk, row, effect, receipt, token)


def _look_for(desk: BookContext, row: ActionRow, effect: EffectRow, token: int) -> EffectRow:
    """The answer is lost and the vendor's key may have expired: only looking is safe, but for
    what is found half done."""
    wanted = effect.effect
    assert not isinstance(wanted, SendMessage)
    now = desk.clock.now()
    if effect.last_find_at is not None and now < effect.last_find_at:
        # The clock was set back: nobody knows how long ago that was.
        effect = save(desk, effect, token, last_find_at=now)
    if effect.last_find_at is not None and now - effect.last_find_at < FIND_APART:
        raise StopError(
            Outcome.LATER, "looking for it again", try_after=effect.last_find_at + FIND_APART
        )
    try:
        receipt = desk.connector.find(wanted)
    except HalfDoneError as problem:
        return _finish(desk, row, effect, token, problem)
    except ConnectorError as problem:
        raise StopError(
            Outcome.LATER, f"could not look for it: {problem}", try_after=now + FIND_APART
        ) from problem
    if receipt is not None:
        return _received(desk, row, effect, receipt, token)
    effect = save(desk, effect, token, finds=effect.finds + 1, last_find_at=now)
    if effect.finds < FINDS:
        raise StopError(Outcome.LATER, "not found yet", try_after=now + FIND_APART)
    problem_text = (
        f"the answer to {effect.name} was lost and it cannot be found in the ledger: "
        "look there, then say what happened"
    )
    save(desk, effect, token, state="unknown", error=problem_text)
    raise StopError(Outcome.UNKNOWN, problem_text)


def _finish(
    desk: BookContext, row: ActionRow, effect: EffectRow, token: int, half: HalfDoneError
) -> EffectRow:
    """Send the same again: the connector adopts the first of two writes and does the second.

    What stays half done after as many attempts as a search has waits for a person.
    """
    now = desk.clock.now()
    if effect.finds >= FINDS:
        save(desk, effect, token, state="unknown", error=f"{half}: finish it there, then settle")
        raise StopError(Outcome.UNKNOWN, str(half))
    try:
        return _exchange(desk, row, effect, token, is_in_doubt=True)
    except StopError as stop:
        if isinstance(stop.__cause__, OutcomeUnknownError) and not isinstance(
            stop.__cause__, HalfDoneError
        ):
            save(desk, effect, token, finds=effect.finds + 1, last_find_at=now)
        raise


def _received(
    desk: BookContext, row: ActionRow, effect: EffectRow, receipt: Receipt, token: int
) -> EffectRow:
    """Store the receipt first of all. A document that is not what we asked for stops here."""
    effect = save_done(desk, row, effect, token, receipt=receipt, error=None)
    problem = difference(effect, receipt)
    if problem:
        raise StopError(Outcome.PARKED, problem)
    return effect


def difference(effect: EffectRow, receipt: Receipt) -> str:
    """In what the document that was made is not the one we asked for; empty where it is."""
    charge = effect.effect
    if isinstance(charge, PostCharge):
        if receipt.number and receipt.number != charge.number:
            return f"the ledger numbered the fee {receipt.number} instead of {charge.number}"
        if receipt.amount is not None and receipt.amount != charge.amount:
            return f"the ledger booked {receipt.amount} minor units instead of {charge.amount}"
    return ""
