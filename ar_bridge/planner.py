"""Planning: decide, compare with what is already planned, store the plan as it is shown.

Planned actions that are decided again with the same facts stay as they are; those whose facts
changed become a new revision that needs approval again; those no longer due are withdrawn.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from ar_bridge import approvals, audit, editing, expiry, pricing, rebuilding
from ar_bridge.agenda import Agenda, agenda_of, looks_of, settle
from ar_bridge.context import REFUSED_RESTS, BookContext
from ar_bridge.drafts import Draft, drafts, lasting, strictest
from ar_bridge.limits import BY_RULE, within_limits
from ar_bridge.plan_continued import continued
from ar_bridge.plan_seal import digest_of_plan, plan_id_of, stored_plan
from ar_bridge.plan_view import plan_view
from ar_bridge.plan_warnings import plan_warnings
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, mirror, plans, skips
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.agenda import newest_touch, waits_for_rules
from ar_bridge.unreadable import nobodys
from rules.actions.action import EffectContext
from rules.decision import Reason, Skip
from rules.model import Book, InvoiceId

REJECTED_REST = timedelta(days=14)
"""A rejected action is proposed again when its facts change, or after this long."""


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
    terms = desk.terms()
    with desk.store.read() as conn:
        asked = agenda_of(conn, desk, terms)
        row = books.get(conn, desk.book_id)
        is_quiet = asked.payers is not None and not asked.payers
        may_go = waits_for_rules(conn, desk.book_id, BY_RULE)
        book = desk.load(conn, today, asked.payers, ()) if not is_quiet else None
    if book is None:
        return _as_before(desk, asked, may_go=may_go)
    looked = rebuilding.look(desk, book)
    if looked.has_found:
        with desk.store.read() as conn:
            asked = agenda_of(conn, desk, desk.terms())
            book = desk.load(conn, today, asked.payers, ())
            row = books.get(conn, desk.book_id)
    synced_at, state = row.synced_at, row.state
    terms = msgspec.structs.replace(desk.terms(), unread=looked.unread, unread_why=looked.problem)
    if state == "rebuilt":
        # Our own records were lost: a person looks at everything until they are trusted again.
        terms = msgspec.structs.replace(terms, mode=strictest(terms.mode, "approve"))
    made, skipped = drafts(book, desk.policy, today, terms)
    made = pricing.within_day(desk, book, made, skipped)
    with desk.store.write() as conn:
        warnings = plan_warnings(
            book.company,
            desk.policy,
            state=state,
            book_name=desk.name,
            nobodys=nobodys(conn, desk.book_id),
        )
        return _store(
            conn, desk, book, synced_at or now, today, made, skipped, warnings, actor, asked
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

    def read() -> dict[str, Any]:
        with desk.store.read() as conn:
            plan = stored_plan(conn, desk.book_id, plan_id)
        return plan.body if plan is not None else {}

    with desk.store.read() as conn:
        return PlanResult(
            plan_id=plan_id,
            read=read,
            planned=0,
            kept=action_store.count_of(conn, desk.book_id, "planned") + approved,
            superseded=0,
            withdrawn=0,
            approved=approved,
            skipped=skips.counts(conn, desk.book_id),
        )


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
) -> PlanResult:
    now = desk.clock.now()
    newest = newest_touch(conn, desk.book_id)
    latest = action_store.latest_revisions(
        conn, desk.book_id, {str(draft.action.key) for draft in made}
    )
    made = _rested(made, latest, skipped, now)
    planned = action_store.actions_in(conn, desk.book_id, ("planned",), customers=asked.members)
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
    fresh = _free(conn, desk, [d for d in made if d.action.key not in kept], skipped, today)
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
        shown.append((draft, revision, view_context(desk, draft, numbers)))
    view = plan_view(
        plan_id="",
        book_name=desk.name,
        book=book,
        book_as_of=synced_at,
        on=today,
        policy_name=desk.policy.name,
        policy_hash=desk.policy_hash,
        drafts=shown,
        skips=skipped,
        warnings=warnings,
    )
    before_it = _plan_before(conn, desk, asked)
    view = continued(view, before_it, asked.members)
    pricing.priced(view, desk)
    digest = digest_of_plan(view)
    plan_id = plan_id_of(today.isoformat(), digest)
    view["plan"] = plan_id
    plans.insert_plan(
        conn,
        id=plan_id,
        book_id=desk.book_id,
        on=today.isoformat(),
        book_as_of=synced_at.isoformat(),
        policy_name=desk.policy.name,
        policy_hash=desk.policy_hash,
        made_at=now.isoformat(),
        body=msgspec.json.encode(view).decode(),
        digest=digest,
    )
    revisions = {draft.action.key: revision for draft, revision, _ in shown}
    action_store.insert_actions(
        conn, [columns(desk, draft, plan_id, revisions[draft.action.key]) for draft in fresh]
    )
    skips.record(conn, desk.book_id, skipped, today, customers=asked.members)
    looks = looks_of(desk, book, skipped, made, today)
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
            "actions": len(view["actions"]),
            "skips": len(view["skips"]),
        },
    )
    approved = _approve_by_rule(conn, desk)
    counts: dict[str, int] = {}
    for skip in skipped:
        counts[skip.code] = counts.get(skip.code, 0) + 1
    return PlanResult(
        plan_id=plan_id,
        read=lambda: view,
        planned=len(fresh),
        kept=len(kept),
        superseded=len(changed),
        withdrawn=len(gone),
        approved=approved,
        skipped=counts,
    )


def _approve_by_rule(conn: Connection, desk: BookContext) -> int:
    rows = within_limits(
        conn,
        desk,
        [
            row
            for row in action_store.actions_in(conn, desk.book_id, ("planned",))
            if not row.action.is_ordered
        ],
    )
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


def _is_same(row: ActionRow, draft: Draft, policy_hash: str) -> bool:
    return (
        row.facts_digest == draft.digest
        and row.policy_hash == policy_hash
        and row.send_on == draft.send_on
        and row.mode == draft.mode
    )


def _rested(
    made: Sequence[Draft], latest: dict[str, ActionRow], skipped: list[Skip], now: datetime
) -> list[Draft]:
    """Leave out what a person rejected, or the ledger refused, while nothing has changed."""
    resting: dict[str, tuple[str, ActionRow, datetime]] = {}
    for draft in made:
        before = latest.get(draft.action.key)
        if before is None or before.ended_at is None:
            continue
        if lasting(before.facts) != lasting(draft.facts):
            continue
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


def _free(
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


def view_context(desk: BookContext, draft: Draft, numbers: dict[InvoiceId, str]) -> EffectContext:
    """What an action that is only planned needs to say which effects it would have."""
    return EffectContext(
        company_id=desk.company.id,
        today=draft.send_on,
        numbers=numbers,
        message=draft.message,
        message_domain=desk.message_domain,
        note_limit=desk.connector.capabilities.note_limit,
        fee_account=desk.fee_account,
        fee_tax=desk.fee_tax,
        bad_debt_account=desk.bad_debt_account,
        bad_debt_tax=desk.bad_debt_tax,
        is_draft=draft.mode == "draft",
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
        "body": msgspec.json.encode(action).decode(),
        "reasons": msgspec.json.encode(draft.reasons).decode(),
        "message": msgspec.json.encode(draft.message).decode() if draft.message else None,
        "facts": msgspec.json.encode(draft.facts).decode(),
        "facts_digest": draft.digest,
        "policy_hash": desk.policy_hash,
        "waits_for": msgspec.json.encode(draft.waits_for).decode(),
        **expiry.columns(draft),
        "items": action.items,
    }
