"""Approval: by rule or by a person, with who, when and why; the same transaction fills the outbox.

A late fee and the message that announces it are one decision to a person: approving or rejecting
either takes the other along.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit, canary
from ar_bridge.context import BookContext
from ar_bridge.drafts import Draft
from ar_bridge.errors import UsageError
from ar_bridge.store import actions as action_store
from ar_bridge.store import inbound
from ar_bridge.store.actions import ActionRow
from rules.actions.action import EffectContext
from rules.actions.apology import SendApology
from rules.actions.effects import Effect
from rules.actions.late_fee import ChargeLateFee
from rules.model import InvoiceId


def approve(
    conn: Connection,
    desk: BookContext,
    rows: Sequence[ActionRow],
    *,
    actor: str,
    reason: str,
    numbers: dict[InvoiceId, str],
) -> list[ActionRow]:
    """Approve planned actions together with those they belong to; returns all that are approved.

    Raises UsageError where the book only observes: nothing may leave it.
    """
    now = desk.clock.now()
    chosen = with_companions(conn, desk, rows)
    if any(row.mode == "observe" for row in chosen):
        raise UsageError(
            f"book {desk.name} observes: nothing is sent from it",
            remedy='set mode = "approve" (or "auto") on the book, and check that neither the '
            "policy nor the stage asks for observe, then plan again",
        )
    again = {row.key for row in chosen if row.revision > 1 and row.message is not None}
    in_vain = inbound.sent_in_vain(conn, desk.book_id, again)
    outbox: list[tuple[int, Sequence[Effect]]] = []
    for row in chosen:
        context = effect_context(desk, row, numbers)
        if row.key in in_vain:
            context = msgspec.structs.replace(context, sent_in_vain=in_vain[row.key])
        outbox.append((row.id, row.action.effects(context)))
    seals = action_store.insert_all_effects(conn, desk.book_id, outbox)
    entries = [
        audit.Told(
            actor=actor,
            event="ActionApproved",
            subject=row.key,
            payload={
                "revision": row.revision,
                "state": "approved",
                "plan": row.plan_id,
                "policy": row.policy_hash,
                "digest": row.facts_digest,
                "outbox": seals.get(row.id, ""),
                "reason": reason,
                "reasons": row.reasons,
            },
        )
        for row in chosen
    ]
    audit.append_all(conn, entries, book_id=desk.book_id, at=now)
    action_store.set_state(
        conn,
        [row.id for row in chosen],
        "approved",
        now=now,
        approved_by=actor,
        approved_at=now.isoformat(),
        waits_why=None,
    )
    canary.looked_at(conn, desk, chosen, actor=actor)
    return [msgspec.structs.replace(row, state="approved") for row in chosen]


def reject(
    conn: Connection,
    desk: BookContext,
    rows: Sequence[ActionRow],
    *,
    actor: str,
    reason: str,
) -> list[ActionRow]:
    """Reject planned or approved actions that have not begun, with those they belong to."""
    now = desk.clock.now()
    chosen = with_companions(conn, desk, [row for row in rows if row.kind != SendApology.kind])
    # What an apology says to be taken back is taken back without it too.
    alone = [row for row in rows if row.kind == SendApology.kind]
    chosen = [*chosen, *(row for row in alone if row.id not in {one.id for one in chosen})]
    begun = [row.key for row in chosen if action_store.has_started(conn, row.id)]
    if begun:
        raise UsageError(
            f"already begun and no longer to be rejected: {', '.join(begun)}",
            remedy="let it finish; a fee can be waived afterwards",
        )
    withdraw(conn, desk, chosen, state="rejected", actor=actor, reason=reason, now=now)
    return chosen


def withdraw(
    conn: Connection,
    desk: BookContext,
    rows: Iterable[ActionRow],
    *,
    state: str,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Take actions that have not begun out of the plan; their keys are free again.

    Raises ValueError for one that has begun: that is only finished or parked.
    """
    for row in rows:
        if action_store.has_started(conn, row.id):
            raise ValueError(f"{row.key} has begun and can no longer be withdrawn")
        action_store.drop_effects(conn, [row.id])
        action_store.set_state(conn, [row.id], state, now=now, reason=reason)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=now,
            actor=actor,
            event="ActionRejected" if state == "rejected" else "ActionWithdrawn",
            subject=row.key,
            payload={
                "revision": row.revision,
                "state": state,
                "plan": row.plan_id,
                "policy": row.policy_hash,
                "reason": reason,
            },
        )


def effect_context(
    desk: BookContext, of: ActionRow | Draft, numbers: dict[InvoiceId, str]
) -> EffectContext:
    """What an action, planned or stored, needs to know to spell out its effects on its day."""
    return EffectContext(
        company_id=desk.company.id,
        today=of.send_on,
        numbers=numbers,
        message=of.message,
        message_domain=desk.message_domain,
        note_limit=desk.connector.capabilities.note_limit,
        fee_account=desk.fee_account,
        fee_tax=desk.fee_tax,
        bad_debt_account=desk.bad_debt_account,
        bad_debt_tax=desk.bad_debt_tax,
        is_draft=of.mode == "draft",
    )


def with_companions(
    conn: Connection, desk: BookContext, rows: Sequence[ActionRow]
) -> list[ActionRow]:
    """The rows, their notices, and every fee that those notices announce."""
    states = sorted({row.state for row in rows})
    notices = {row.action.notice for row in rows if isinstance(row.action, ChargeLateFee)}
    announcing = [row for row in rows if row.waits_for]
    keys = {str(key) for key in notices}
    if keys:
        announcing += action_store.actions_in(conn, desk.book_id, states, keys=keys)
    wanted = keys | {key for row in announcing for key in row.waits_for}
    missing = wanted - {row.key for row in rows}
    companions = (
        action_store.actions_in(conn, desk.book_id, states, keys=missing) if missing else []
    )
    known = {row.id: row for row in [*rows, *companions]}
    return [known[row_id] for row_id in sorted(known)]
