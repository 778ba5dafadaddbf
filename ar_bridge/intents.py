"""What is about to be sent, and what came of it, each stored by itself under the lease."""

from datetime import datetime

from ar_bridge import audit
from ar_bridge.admission import must_not_stop
from ar_bridge.context import BookContext
from ar_bridge.leased import LEASE_MINUTES, told
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from rules.actions.effects import SendMessage


def intend(
    desk: BookContext,
    row: ActionRow,
    effect: EffectRow,
    token: int,
    first_sent_at: datetime,
    *,
    is_again: bool = False,
    **columns: object,
) -> EffectRow:
    """Store that an effect is sent now, and hold it for a lease's time.

    Raises StopError where everything was stopped, LeaseLostError where another worker has taken
    over. A mail that is sent `is_again`, though it may have been handed over before, is told of
    in the audit first.
    """
    with desk.store.write() as conn:
        must_not_stop(conn, desk)
        now = desk.clock.now()
        outbox.renew_lease(conn, effect.action_id, token, now, LEASE_MINUTES)
        if is_again and isinstance(effect.effect, SendMessage):
            audit.append(
                conn,
                book_id=desk.book_id,
                at=now,
                actor=desk.worker,
                event="MessageSentAgain",
                subject=row.key,
                payload={
                    "revision": row.revision,
                    "message_id": effect.effect.message_id,
                    "first_sent_at": first_sent_at.isoformat(),
                    "attempt": effect.attempts + 1,
                    "reason": "it may have been handed over before, and on_unknown is resend",
                },
            )
        return outbox.update_effect(
            conn,
            effect,
            token,
            state="sending",
            first_sent_at=first_sent_at,
            attempts=effect.attempts + 1,
            **columns,
        )


def save_done(
    desk: BookContext, row: ActionRow, effect: EffectRow, token: int, **columns: object
) -> EffectRow:
    """Store a receipt. Raises LeaseLostError."""
    with desk.store.write() as conn:
        effect = outbox.update_effect(conn, effect, token, state="done", **columns)
        told(conn, desk, row, effect)
    return effect


def save(desk: BookContext, effect: EffectRow, token: int, **columns: object) -> EffectRow:
    """Store how an effect stands. Raises LeaseLostError."""
    with desk.store.write() as conn:
        return outbox.update_effect(conn, effect, token, **columns)
