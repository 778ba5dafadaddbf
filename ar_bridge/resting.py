"""What is not planned again: what a person rejected, what the ledger refused, what is under way."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from ar_bridge.business_facts import lasting
from ar_bridge.context import REFUSED_RESTS, BookContext
from ar_bridge.drafts import Draft
from ar_bridge.store import actions as action_store
from ar_bridge.store.actions import ActionRow
from rules.actions.fee_waiver import WaiveLateFee
from rules.actions.late_fee import ChargeLateFee
from rules.decision import Reason, Skip

REJECTED_REST = timedelta(days=14)
"""A rejected action is proposed again when its facts change, or after this long."""


def rested(
    made: Sequence[Draft], latest: dict[str, ActionRow], skipped: list[Skip], now: datetime
) -> list[Draft]:
    """Leave out what a person rejected, or the ledger refused, while nothing has changed."""
    resting: dict[str, tuple[str, ActionRow, datetime]] = {}
    for draft in made:
        before = latest.get(draft.action.key)
        if before is None or before.ended_at is None:
            continue
        if not _is_same(before, draft):
            continue
        if before.state == "refused" and isinstance(draft.action, ChargeLateFee):
            continue  # drafts know for how long
        rest = {"rejected": REJECTED_REST, "refused": REFUSED_RESTS}.get(before.state)
        if rest is not None and now < before.ended_at + rest:
            resting[draft.action.key] = (before.state, before, before.ended_at + rest)
    kept: list[Draft] = []
    for draft in made:
        carrier = str(getattr(draft.action, "notice", ""))
        ground = resting.get(draft.action.key) or resting.get(carrier)
        if ground is None and any(key in resting for key in draft.waits_for):
            ground = next(resting[key] for key in draft.waits_for if key in resting)
        if ground is None:
            kept.append(draft)
            continue
        state, before, until = ground
        skipped.extend(
            Skip(
                customer=draft.action.customer,
                invoice=item.invoice,
                stage=item.stage,
                fee=item.fee,
                key=item.key,
                code=state,
                reasons=(Reason(state, (("why", before.ended_reason or ""),)),),
                next_on=until.date(),
                review_on=until.date(),
            )
            for item in draft.action.items
        )
    return kept


def _is_same(before: ActionRow, draft: Draft) -> bool:
    """Whether it rests on the same facts. What was charged too much shrinks by what accrues each
    day: who turned it down meant the smaller sum too."""
    then, now = lasting(before.facts), lasting(draft.facts)
    if isinstance(draft.action, WaiveLateFee) and isinstance(before.action, WaiveLateFee):
        if draft.action.waived > before.action.waived:
            return False
        then.pop("fee"), now.pop("fee")
    return then == now


def free(
    conn: Connection,
    desk: BookContext,
    fresh: list[Draft],
    skipped: list[Skip],
    today: date,
) -> list[Draft]:
    """Leave out drafts that carry an item which a live action already has."""
    taken = action_store.taken_items(
        conn, desk.book_id, {str(item.key) for draft in fresh for item in draft.action.items}
    )
    free: list[Draft] = []
    for draft in fresh:
        clash = [item for item in draft.action.items if item.key in taken]
        if not clash:
            free.append(draft)
            continue
        skipped.extend(
            Skip(
                customer=draft.action.customer,
                invoice=item.invoice,
                stage=item.stage,
                fee=item.fee,
                key=item.key,
                code="already_done",
                reasons=(Reason("already_done", (("state", taken[item.key]),)),),
                next_on=today + timedelta(days=1),
            )
            for item in clash
        )
    return free
