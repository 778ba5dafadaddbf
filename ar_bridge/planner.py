"""Planning: decide, compare with what is already planned, store the plan as it is shown.

Planned actions that are decided again with the same facts stay as they are; those whose facts
changed become a new revision that needs approval again; those no longer due are withdrawn.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Connection

from ar_bridge import approvals, audit, editing, expiry, pricing, rebuilding
from ar_bridge.agenda import Agenda, agenda_of, looks_of, settle, sooner
from ar_bridge.context import BookContext
from ar_bridge.deciding import Decided, decisions_of
from ar_bridge.drafts import Draft
from ar_bridge.limits import BY_RULE, within_limits
from ar_bridge.plan_continued import continued
from ar_bridge.plan_seal import shown_plan
from ar_bridge.plan_view import plan_view, skips_view, unpacked_skips
from ar_bridge.plan_warnings import plan_warnings
from ar_bridge.plan_writing import written
from ar_bridge.resting import free, rested
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, mirror, plans, skips
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.agenda import newest_touch, waits_for_rules
from ar_bridge.unreadable import nobodys
from rules.actions.action import EffectContext
from rules.decision import Skip
from rules.model import Book, InvoiceId

_AT_ONCE = 200
"""Actions whose rows are made at one time: each holds a message twice."""

_encode = msgspec.json.Encoder().encode


class PlanResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a planning run came to."""

    plan_id: str
    read: Callable[[], dict[str, Any]]
    planned: int
    kept: int
    superseded: int
    withdrawn: int
    approved: int
    skipped: dict[str, int]

    @property
    def view(self) -> dict[str, Any]:
        """The plan as `plan --json` prints it."""
        return self.read()


def make_plan(desk: BookContext, *, actor: str = "rule") -> PlanResult:
    """Plan the whole book for today and store the plan; approve by rule what may run by itself."""
    today = desk.today()
    now = desk.clock.now()
    expiry.expire(desk)
    rebuilding.first_look(desk)
    with desk.store.read() as conn:
        asked = agenda_of(conn, desk, desk.terms())
        row = books.get(conn, desk.book_id)
        may_go = waits_for_rules(conn, desk.book_id, BY_RULE)
    if asked.payers is not None and not asked.payers:
        return _as_before(desk, asked, may_go=may_go)
    asked, row, decisions = decisions_of(desk, asked, today)
    book, skipped = decisions.book, decisions.skipped
    synced_at, state = row.synced_at, row.state
    made = pricing.within_day(desk, book, decisions.made, skipped)
    with desk.store.write() as conn:
        warnings = plan_warnings(
            book.company,
            desk.policy,
            state=state,
            book_name=desk.name,
            nobodys=nobodys(conn, desk.book_id),
        )
        return _store(
            conn,
            desk,
            book,
            synced_at or now,
            today,
            made,
            skipped,
            warnings,
            actor,
            asked,
            decisions,
        )


def _as_before(desk: BookContext, asked: Agenda, *, may_go: bool) -> PlanResult:
    """Nothing happened and nothing is due: the plan before stands. What limits held back in an
    earlier run may go in this one."""
    assert asked.before is not None
    plan_id = asked.before.plan_id
    approved = 0
    if may_go:
        with desk.store.write() as conn:
            approved = _approve_by_rule(conn, desk)

    with desk.store.read() as conn:
        return PlanResult(
            plan_id=plan_id,
            read=partial(_shown, desk, plan_id),
            planned=0,
            kept=action_store.count_of(conn, desk.book_id, "planned") + approved,
            superseded=0,
            withdrawn=0,
            approved=approved,
            skipped=skips.counts(conn, desk.book_id),
        )


def _shown(desk: BookContext, plan_id: str) -> dict[str, Any]:
    with desk.store.read() as conn:
        return dict(shown_plan(conn, desk.book_id, plan_id))


def _store(
    conn: Connection,
    desk: BookContext,
    book: Book,
    synced_at: datetime,
    today: date,
    made: Sequence[Draft],
    skipped: list[Skip],
    warnings: list[dict[str, str]],
    actor: str,
    asked: Agenda,
    decisions: Decided,
) -> PlanResult:
    now = desk.clock.now()
    newest = newest_touch(conn, desk.book_id)
    known_skips = len(skipped)
    latest = action_store.latest_revisions(
        conn, desk.book_id, {str(draft.action.key) for draft in made}
    )
    made = rested(made, latest, skipped, now)
    planned = action_store.actions_in(conn, desk.book_id, ("planned",), customers=asked.members)
    made = [
        decisions.whole(draft) if _is_edited(latest.get(draft.action.key)) else draft
        for draft in made
    ]
    made = expiry.waiting(desk, editing.kept_wording(made, latest, planned), latest)
    by_key = {draft.action.key: draft for draft in made}
    kept: dict[str, ActionRow] = {}
    changed: list[ActionRow] = []
    gone: list[ActionRow] = []
    for row in planned:
        if row.action.is_ordered:
            continue  # a person proposed it, and a person ends it
        again = by_key.get(row.action.key)
        if again is None:
            gone.append(row)
        elif _is_same(row, again, desk.policy_hash):
            kept[row.key] = row
        else:
            changed.append(row)
    approvals.withdraw(
        conn, desk, changed, state="superseded", actor="planner", reason="facts changed", now=now
    )
    expiry.withdraw_gone(conn, desk, gone, skipped)
    fresh = free(conn, desk, [d for d in made if d.action.key not in kept], skipped, today)
    numbers = {invoice.id: invoice.number for invoice in book.invoices}
    fresh_keys = {draft.action.key for draft in fresh}
    shown: list[tuple[Draft, int, EffectContext]] = []
    for draft in made:
        if draft.action.key in kept:
            revision = kept[draft.action.key].revision
        elif draft.action.key in fresh_keys:
            before = latest.get(draft.action.key)
            revision = before.revision + 1 if before else 1
        else:
            continue
        shown.append((draft, revision, approvals.effect_context(desk, draft, numbers)))
    view = plan_view(
        plan_id="",
        book_name=desk.name,
        book=book,
        book_as_of=synced_at,
        on=today,
        policy_name=desk.policy.name,
        policy_hash=desk.policy_hash,
        drafts=shown,
        skips=(),
        warnings=warnings,
    )
    before_it = _plan_before(conn, desk, asked) or {}
    view["actions"] = list(continued(view["actions"], before_it.get("actions"), asked.members))
    before_skips = before_it.get("skips")
    deferred = {str(skip.key) for skip in skipped if skip.code == pricing.DEFERRED}
    deferred |= {
        str(one["key"])
        for one in before_skips or ()
        if one["code"] == pricing.DEFERRED and one["customer"] not in (asked.members or ())
    }
    pricing.priced(view, desk, deferred)
    plan = written(
        view,
        continued(
            chain(
                unpacked_skips(decisions.shown),
                skips_view(skipped[decisions.shown_of :], book, today),
            ),
            before_skips,
            asked.members,
        ),
        on=today.isoformat(),
    )
    plan_id, digest = plan.id, plan.digest
    shown_actions, shown_skips = len(view["actions"]), plan.skips
    revisions = {draft.action.key: revision for draft, revision, _ in shown}
    del view, before_it, before_skips, shown
    plans.insert_plan(
        conn,
        id=plan_id,
        book_id=desk.book_id,
        on=today.isoformat(),
        book_as_of=synced_at.isoformat(),
        policy_name=desk.policy.name,
        policy_hash=desk.policy_hash,
        made_at=now.isoformat(),
        body=plan.body,
        digest=plan.digest,
    )
    del plan  # of a large book it is as large as all of its messages
    for start in range(0, len(fresh), _AT_ONCE):
        some = fresh[start : start + _AT_ONCE]
        action_store.insert_actions(
            conn,
            [
                columns(desk, decisions.whole(draft), plan_id, revisions[draft.action.key])
                for draft in some
            ],
        )
    skips.record(conn, desk.book_id, skipped, today, customers=asked.members)
    later = looks_of(desk, book, skipped[known_skips:], (), today)
    looks = {**decisions.looks, **sooner(later, decisions.looks)}
    settle(conn, desk, asked, looks, plan_id=plan_id, after=newest)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event="PlanMade",
        subject=plan_id,
        payload={
            "digest": digest,
            "policy": desk.policy_hash,
            "actions": shown_actions,
            "skips": shown_skips,
        },
    )
    approved = _approve_by_rule(conn, desk)
    counts = dict(decisions.counted)
    for skip in skipped:
        counts[skip.code] = counts.get(skip.code, 0) + 1
    return PlanResult(
        plan_id=plan_id,
        read=partial(_shown, desk, plan_id),
        planned=len(fresh),
        kept=len(kept),
        superseded=len(changed),
        withdrawn=len(gone),
        approved=approved,
        skipped=counts,
    )


def _approve_by_rule(conn: Connection, desk: BookContext) -> int:
    planned: list[ActionRow] = []
    if waits_for_rules(conn, desk.book_id, BY_RULE):
        planned = action_store.actions_in(conn, desk.book_id, ("planned",))
    rows = within_limits(conn, desk, [row for row in planned if not row.action.is_ordered])
    approved = approvals.approve(
        conn,
        desk,
        rows,
        actor="rule",
        reason=f"mode {desk.mode}, within the limits of the policy",
        numbers=_numbers(conn, desk, rows),
    )
    return len(approved)


def _plan_before(conn: Connection, desk: BookContext, asked: Agenda) -> dict[str, Any] | None:
    if asked.members is None or asked.before is None:
        return None
    plan = plans.plan_named(conn, desk.book_id, asked.before.plan_id)
    return plan.body if plan is not None else None


def _numbers(
    conn: Connection, desk: BookContext, rows: Sequence[ActionRow]
) -> dict[InvoiceId, str]:
    """What people call the invoices of actions, those of accounts that were not loaded too."""
    named = {invoice for row in rows for invoice in row.action.about}
    named |= {InvoiceId(invoice) for row in rows for invoice in row.facts.get("invoices", ())}
    return {one.id: one.number for one in mirror.invoices_by_id(conn, desk.book_id, named)}


def _is_edited(row: ActionRow | None) -> bool:
    return row is not None and row.edited_by is not None


def _is_same(row: ActionRow, draft: Draft, policy_hash: str) -> bool:
    return (
        row.facts_digest == draft.digest
        and row.policy_hash == policy_hash
        and row.send_on == draft.send_on
        and row.mode == draft.mode
    )


def columns(desk: BookContext, draft: Draft, plan_id: str, revision: int) -> dict[str, Any]:
    """A draft as a row of `store.actions`, with its items."""
    action = draft.action
    return {
        "book_id": desk.book_id,
        "plan_id": plan_id,
        "key": action.key,
        "revision": revision,
        "kind": action.kind,
        "state": "planned",
        "mode": draft.mode,
        "customer": action.customer,
        "stage": action.stage,
        "fee": action.fee,
        "number": action.number(desk.company.id),
        "amount": action.amount,
        "currency": action.currency,
        "channel": draft.message.channel if draft.message else "",
        "send_on": draft.send_on.isoformat(),
        "send_at": draft.send_at.isoformat(),
        "body": _encode(action).decode(),
        "reasons": _encode(draft.reasons).decode(),
        "message": _encode(draft.message).decode() if draft.message else None,
        "facts": _encode(draft.facts).decode(),
        "facts_digest": draft.digest,
        "policy_hash": desk.policy_hash,
        "waits_for": _encode(draft.waits_for).decode(),
        **expiry.columns(draft),
        "items": action.items,
    }
