"""What a person orders: their word is the approval, and it goes into the outbox with that word.

An order is stored as a plan of its own, so that it is shown, applied and audited like anything
else; the rules do not decide it again, and no later plan takes it out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from ar_bridge import approvals, audit, pricing
from ar_bridge.business_facts import business_facts, digest_of
from ar_bridge.context import BookContext
from ar_bridge.dispatcher import ApplyReport, apply
from ar_bridge.drafts import Draft, strictest
from ar_bridge.errors import UsageError
from ar_bridge.plan_seal import store_plan, stored_plan
from ar_bridge.plan_view import plan_view
from ar_bridge.planner import columns
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, mirror
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.plans import ORDER
from rules.actions.action import Action, RenderedMessage
from rules.decision import Reason
from rules.model import Book, CustomerId, InvoiceId

OBSERVED = "nothing is written to the ledger: book {book} observes"


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """An order in the outbox."""

    plan_id: str
    view: dict[str, Any]
    """As `plan --json` shows it."""
    rows: tuple[ActionRow, ...]


def is_observed(desk: BookContext, customer: CustomerId) -> bool:
    """Whether nothing of this customer may be written, by the strictest mode that applies."""
    modes = (desk.mode, str(desk.policy.mode.value), desk.mode_of(customer) or "auto")
    return strictest(*modes) == "observe"


def order(
    conn: Connection,
    desk: BookContext,
    actions: Sequence[Action],
    *,
    actor: str,
    reason: str,
    messages: Mapping[str, RenderedMessage] = {},
) -> Ordered:
    """Put a person's order into the outbox, approved by them, in the caller's transaction.

    `messages` are those of actions that send one, by action key. Raises UsageError where the
    book observes, or where the very same was ordered before and is
    done or under way.
    """
    proposed, numbers = _proposed(conn, desk, actions, actor, reason, messages)
    rows = approvals.approve(conn, desk, proposed.rows, actor=actor, reason=reason, numbers=numbers)
    return msgspec.structs.replace(proposed, rows=tuple(rows))


def propose(
    conn: Connection,
    desk: BookContext,
    actions: Sequence[Action],
    *,
    actor: str,
    reason: str,
    messages: Mapping[str, RenderedMessage] = {},
    after: Mapping[str, Sequence[str]] = {},
) -> Ordered:
    """Put what a person asks for into a plan of its own, which waits for a person's approval.

    `after` names, by action key, the actions that have to be done before it. Raises UsageError
    as `order` does.
    """
    return _proposed(conn, desk, actions, actor, reason, messages, after)[0]


def _proposed(
    conn: Connection,
    desk: BookContext,
    actions: Sequence[Action],
    actor: str,
    reason: str,
    messages: Mapping[str, RenderedMessage],
    after: Mapping[str, Sequence[str]] = {},
) -> tuple[Ordered, dict[InvoiceId, str]]:
    observed = [action for action in actions if is_observed(desk, action.customer)]
    if observed:
        raise UsageError(
            f"{OBSERVED.format(book=desk.name)}.",
            remedy='set mode = "approve" (or "auto") on the book, and check that neither the '
            "policy nor the customer's own mode asks for observe",
        )
    today, now = desk.today(), desk.clock.now()
    taken = action_store.taken_items(
        conn, desk.book_id, {str(item.key) for action in actions for item in action.items}
    )
    if taken:
        raise UsageError(
            "That was ordered before.",
            problems=[f"{key} is {state}" for key, state in taken.items()],
            remedy="ar-bridge status says what waits for you",
        )
    book = desk.load(conn, today, {action.customer for action in actions}, ())
    about = {item.invoice for action in actions for item in action.items if item.invoice}
    named = {one.id: one for one in mirror.invoices_by_id(conn, desk.book_id, about)}
    named.update((invoice.id, invoice) for invoice in book.invoices)
    numbers = {invoice.id: invoice.number for invoice in named.values()}
    latest = action_store.latest_revisions(conn, desk.book_id, {str(a.key) for a in actions})
    shown = []
    for action in actions:
        facts = business_facts(action, None, named, book.company.id)
        draft = Draft(
            action=action,
            reasons=(Reason("ordered", (("who", actor), ("why", reason))),),
            mode=_mode(desk) if action.key in messages else "approve",
            send_on=today,
            send_at=now,
            message=messages.get(action.key),
            facts=facts,
            digest=digest_of(facts),
            waits_for=tuple(after.get(str(action.key), ())),
        )
        before = latest.get(action.key)
        revision = before.revision + 1 if before else 1
        shown.append((draft, revision, approvals.effect_context(desk, draft, numbers)))
    plan_id, view = _stored(conn, desk, book, shown, actor, reason)
    action_store.insert_actions(
        conn, [columns(desk, draft, plan_id, revision) for draft, revision, _ in shown]
    )
    planned = action_store.actions_in(
        conn, desk.book_id, ("planned",), keys={str(a.key) for a in actions}, plan_id=plan_id
    )
    return Ordered(plan_id=plan_id, view=view, rows=tuple(planned)), numbers


def _mode(desk: BookContext) -> str:
    """A message of a book that only drafts is a draft too."""
    is_draft = strictest(desk.mode, str(desk.policy.mode.value), "approve") == "draft"
    return "draft" if is_draft else "approve"


def carry_out(desk: BookContext, ordered: Ordered) -> ApplyReport:
    """Do an order at once. Raises ConnectorError when the ledger cannot be worked with: the order
    then stands, and the next `apply` or `run` does it."""
    with desk.store.read() as conn:
        plan = stored_plan(conn, desk.book_id, ordered.plan_id)
    return apply(desk, plan=plan)


def _stored(
    conn: Connection,
    desk: BookContext,
    book: Book,
    shown: Sequence[Any],
    actor: str,
    reason: str,
) -> tuple[str, dict[str, Any]]:
    now, today = desk.clock.now(), desk.today()
    synced_at = books.get(conn, desk.book_id).synced_at
    view = plan_view(
        plan_id="",
        book_name=desk.name,
        book=book,
        book_as_of=synced_at or now,
        on=today,
        policy_name=desk.policy.name,
        policy_hash=desk.policy_hash,
        drafts=shown,
        skips=(),
    )
    pricing.priced(view, desk)
    plan_id, digest = store_plan(conn, desk.book_id, view, prefix=ORDER, made_at=now)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event="OrderGiven",
        subject=plan_id,
        payload={
            "digest": digest,
            "policy": desk.policy_hash,
            "actions": len(shown),
            "reason": reason,
        },
    )
    return plan_id, view
