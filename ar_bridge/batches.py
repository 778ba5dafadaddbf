"""Several effects in one call to the ledger, each with a durable intent and judged by itself.

    pending --store every request, the batch and its key--> sending --answer--> done or refused,
                                                               |                each by itself
                                                               |--nothing was done--> pending
                                                               `--answer lost--> the same batch
                                                                  again for 3 minutes, then each
                                                                  is looked for by itself

What may have been done in a batch is never written by itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast

import msgspec
import structlog
from sqlalchemy import Connection

from ar_bridge.admission import begin, halted_because
from ar_bridge.context import BookContext
from ar_bridge.leased import (
    LEASE_MINUTES,
    Hand,
    finished,
    lost,
    next_of,
    stopped,
    told,
)
from ar_bridge.outcome import FIND_APART, REPEAT_WITHIN, Outcome, Performed, StopError, later
from ar_bridge.store import outages, outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from ar_bridge.writer import difference, go_on, perform
from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    StaleError,
    TransientError,
    UnsupportedError,
)
from connectors.port import LooksFirst, Prepared, Receipt, WritesBatches
from rules.actions.effects import SendMessage
from rules.actions.keys import vendor_key


class Rider(msgspec.Struct, frozen=True, kw_only=True):
    """An action whose next effect may travel with those of others."""

    row: ActionRow
    effect: EffectRow
    hand: Hand | None = None
    """Where the action is leased already."""


Fate: TypeAlias = Performed | Hand
"""What became of a rider: an outcome, or an action that has more to do and is still held."""


def carried(desk: BookContext) -> frozenset[str]:
    """Names of the effects that this ledger takes in batches; none where it takes no batches."""
    able = desk.connector.capabilities
    if able.write_batch < 2 or not hasattr(desk.connector, "write_batch"):
        return frozenset()
    return able.batch_effects


def may_repeat(effect: EffectRow, now: datetime) -> bool:
    """Whether it was sent in a batch of which the answer is lost and the key still good."""
    return (
        effect.state == "sending"
        and effect.batch is not None
        and effect.first_sent_at is not None
        and now - effect.first_sent_at <= REPEAT_WITHIN
    )


def send(desk: BookContext, riders: Sequence[Rider]) -> list[tuple[ActionRow, Fate]]:
    """Write the next effect of each in one call. Raises AuthorizationError, when everything is
    recorded."""
    alone: list[Rider] = []
    ready: list[tuple[Rider, Prepared]] = []
    for rider in sorted(riders, key=lambda rider: rider.effect.key):
        assert not isinstance(rider.effect.effect, SendMessage)
        try:
            request = rider.effect.request or desk.connector.prepare(
                rider.effect.effect, rider.row.send_on
            )
        except ConnectorError:
            alone.append(rider)  # the single write says what is wrong with it
        else:
            ready.append((rider, request))
    fates: list[tuple[ActionRow, Fate]] = []
    if len(ready) == 1:
        alone.append(ready[0][0])
    elif ready and _may_travel(desk, ready):
        fates += _send_together(desk, ready)
    else:
        alone += [rider for rider, _ in ready]
    fates += [(rider.row, _alone(desk, rider)) for rider in alone]
    return fates


def repeat(desk: BookContext, key: str, riders: Sequence[Rider]) -> list[tuple[ActionRow, Fate]]:
    """Send a batch again whose answer was lost: the same bytes under the same key, as one.

    Where that cannot be, each waits until it may be looked for by itself.
    """
    rows = {rider.row.id: rider.row for rider in riders}
    fates: list[tuple[ActionRow, Fate]] = []
    hands: list[Hand] = []
    with desk.store.write() as conn:
        batch = outbox.batch_request(conn, key)
        members = outbox.sent_in(conn, desk.book_id, key)
        requests = [one.request for one in members if one.request is not None]
        is_whole = (
            batch is not None
            and {one.action_id for one in members} == set(rows)
            and all(one.state == "sending" for one in members)
            and _batcher(desk).prepare_batch(requests).body == batch.body
        )
        for member in members if is_whole else ():
            hand = begin(conn, desk, rows[member.action_id], call=members[0].action_id)
            if isinstance(hand, Hand):
                hands.append(hand)
    if batch is None or not is_whole or len(hands) < len(members):
        held = {hand.row.id: hand for hand in hands}
        for row in rows.values():
            waits = go_on(desk, held[row.id]) if row.id in held else perform(desk, row)
            assert waits is not None
            fates.append((row, waits))
        return fates
    return _exchange(desk, batch, key, hands, is_in_doubt=True)


def _send_together(
    desk: BookContext, ready: Sequence[tuple[Rider, Prepared]]
) -> list[tuple[ActionRow, Fate]]:
    fates: list[tuple[ActionRow, Fate]] = []
    hands: list[Hand] = []
    requests: list[Prepared] = []
    with desk.store.write() as conn:
        halted = halted_because(conn, desk)
        for rider, request in ready:
            hand = rider.hand or begin(conn, desk, rider.row, call=ready[0][0].row.id)
            if isinstance(hand, Performed):
                fates.append((rider.row, hand))
                continue
            try:
                if halted:
                    halt = StopError(Outcome.WAITS, halted)
                    fates.append((rider.row, stopped(conn, desk, hand, halt)))
                    continue
                outbox.renew_lease(conn, rider.row.id, hand.token, desk.clock.now(), LEASE_MINUTES)
            except outbox.LeaseLostError as problem:
                fates.append((rider.row, lost(hand, problem)))
                continue
            hands.append(hand)
            requests.append(request)
        if not hands:
            return fates
        batch = _batcher(desk).prepare_batch(requests)
        key = vendor_key(batch.effect_key, batch.body)
        now = desk.clock.now()
        outbox.store_batch(conn, desk.book_id, key, batch, now)
        for hand, request in zip(hands, requests, strict=True):
            effect = _current(hand)
            _save(
                conn,
                hand,
                request=request,
                vendor_key=vendor_key(effect.key, request.body),
                batch=key,
                state="sending",
                first_sent_at=now,
                attempts=effect.attempts + 1,
            )
    return fates + _exchange(desk, batch, key, hands, is_in_doubt=False)


def _exchange(
    desk: BookContext, batch: Prepared, key: str, hands: Sequence[Hand], *, is_in_doubt: bool
) -> list[tuple[ActionRow, Fate]]:
    """Send it once and record what became of each member, all in one transaction."""
    members = [cast(Prepared, _current(hand).request) for hand in hands]
    lost_together: ConnectorError | None = None
    outcomes: Sequence[Receipt | ConnectorError]
    if is_in_doubt and isinstance(desk.connector, LooksFirst):
        desk.connector.doubt(key)
    with structlog.contextvars.bound_contextvars(batch=key):
        try:
            outcomes = _batcher(desk).write_batch(batch, key, members)
        except (RefusedError, StaleError, UnsupportedError) as problem:
            if is_in_doubt:
                # This time nothing was done; the time before may have been another matter.
                return _left_in_doubt(desk, hands, problem)
            # Refused as a whole, so nothing was done. One of them is the cause: each by itself
            # finds out which.
            with desk.store.write() as conn:
                for hand in hands:
                    _save(conn, hand, state="pending", batch=None)
                    hand.is_alone = True
            return [(hand.row, hand) for hand in hands]
        except ConnectorError as problem:
            lost_together = problem
            outcomes = [problem] * len(hands)
    if len(outcomes) != len(hands):
        outcomes = [
            OutcomeUnknownError("the answer to the batch does not tell of every member")
        ] * len(hands)
    with desk.store.write() as conn:
        _note_outage(conn, desk, lost_together)
        fates = [
            (hand.row, _judged(conn, desk, hand, outcome, is_in_doubt=is_in_doubt))
            for hand, outcome in zip(hands, outcomes, strict=True)
        ]
    for outcome in outcomes:
        if isinstance(outcome, AuthorizationError):
            raise outcome
    return fates


def _note_outage(conn: Connection, desk: BookContext, problem: ConnectorError | None) -> None:
    """A call that came to nothing for all that were in it is the ledger's failure, once."""
    if isinstance(problem, RateLimitedError) or not isinstance(
        problem, TransientError | OutcomeUnknownError
    ):
        return
    seconds = problem.retry_after if isinstance(problem, TransientError) else None
    outages.failed(
        conn,
        desk.book_id,
        None,
        reason=str(problem),
        now=desk.clock.now(),
        asked=timedelta(seconds=seconds) if seconds is not None else None,
    )


def _left_in_doubt(
    desk: BookContext, hands: Sequence[Hand], problem: ConnectorError
) -> list[tuple[ActionRow, Fate]]:
    unknown = OutcomeUnknownError(str(problem))
    with desk.store.write() as conn:
        return [(hand.row, _judged(conn, desk, hand, unknown, is_in_doubt=True)) for hand in hands]


def _judged(
    conn: Connection,
    desk: BookContext,
    hand: Hand,
    outcome: Receipt | ConnectorError,
    *,
    is_in_doubt: bool,
) -> Fate:
    """Record one member's outcome as if it had been written by itself."""
    try:
        return _recorded(conn, desk, hand, outcome, is_in_doubt=is_in_doubt)
    except outbox.LeaseLostError as problem:
        return lost(hand, problem)
    except StopError as stop:
        return stopped(conn, desk, hand, stop)


def _recorded(
    conn: Connection,
    desk: BookContext,
    hand: Hand,
    outcome: Receipt | ConnectorError,
    *,
    is_in_doubt: bool,
) -> Fate:
    now = desk.clock.now()
    outbox.hold_lease(conn, hand.row.id, hand.token)
    if isinstance(outcome, Receipt):
        effect = _save(conn, hand, state="done", receipt=outcome, error=None)
        told(conn, desk, hand.row, effect)
        hand.written.append(effect.name)
        problem = difference(effect, outcome)
        if problem:
            raise StopError(Outcome.PARKED, problem)
    elif isinstance(outcome, RefusedError | UnsupportedError):
        effect = _save(conn, hand, state="refused", error=str(outcome))
        if isinstance(effect.effect, SendMessage) or not effect.effect.is_optional:
            raise StopError(Outcome.REFUSED, str(outcome), is_ledger_refusal=True)
    elif isinstance(outcome, StaleError):
        _save(conn, hand, state="pending", batch=None, request=None, error=str(outcome))
        raise StopError(Outcome.STALE, str(outcome))
    elif isinstance(outcome, TransientError):
        # Nothing was done this time: that says nothing of a time before, whose answer was lost.
        if not is_in_doubt:
            _save(conn, hand, state="pending", batch=None, error=str(outcome))
        raise later(hand.row, outcome, now, fault="")
    elif isinstance(outcome, AuthorizationError):
        if not is_in_doubt:
            _save(conn, hand, state="pending", batch=None)
        raise StopError(Outcome.LATER, str(outcome))
    else:
        raise StopError(Outcome.LATER, str(outcome), try_after=now + FIND_APART)
    return finished(conn, desk, hand) if next_of(hand.effects) is None else hand


def _may_travel(desk: BookContext, ready: Sequence[tuple[Rider, Prepared]]) -> bool:
    try:
        _batcher(desk).prepare_batch([request for _, request in ready])
    except UnsupportedError:
        return False
    return True


def _alone(desk: BookContext, rider: Rider) -> Performed:
    if rider.hand is None:
        return perform(desk, rider.row)
    done = go_on(desk, rider.hand)
    assert done is not None
    return done


def _current(hand: Hand) -> EffectRow:
    effect = hand.next
    assert effect is not None
    return effect


def _save(conn: Connection, hand: Hand, **columns: Any) -> EffectRow:
    effect = outbox.update_effect(conn, _current(hand), hand.token, **columns)
    hand.replace(effect)
    return effect


def _batcher(desk: BookContext) -> WritesBatches:
    return cast(WritesBatches, desk.connector)
