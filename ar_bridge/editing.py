"""Editing the wording of a planned message: a new revision with who and why, to be approved again.

The edit stands on the facts of the action, not on the day: the next planning runs keep it while
those are the same, and drop it, saying so, when they change. The digest that an approval rests on
stays that of the generated message, so the check before sending sees every change behind it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import approvals, audit
from ar_bridge.business_facts import lasting
from ar_bridge.context import BookContext
from ar_bridge.drafts import Draft, strictest
from ar_bridge.errors import UsageError
from ar_bridge.plan_seal import store_plan
from ar_bridge.plan_view import plan_view
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, mirror, revisions
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.plans import EDIT
from ar_bridge.wording import lost_facts, moved_on, reworded
from rules.actions.action import RenderedMessage
from rules.actions.late_fee import ChargeLateFee
from rules.decision import Reason

LONGEST_SUBJECT: Final = 200
LONGEST_TEXT: Final = 50_000

HOLDS_ON: Final = ("planned", "approved", "superseded", "withdrawn", "expired")
"""States after which an edit holds on; what was rejected or refused is written anew."""


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """The new revision and the plan that shows it."""

    plan_id: str
    view: dict[str, Any]
    row: ActionRow
    lost: tuple[str, ...]
    """Facts that no longer stand in the message: a person confirmed that."""


def edit(
    conn: Connection,
    desk: BookContext,
    row: ActionRow,
    *,
    subject: str,
    text: str,
    actor: str,
    reason: str,
    anyway: bool = False,
) -> Edited:
    """Give a planned or approved message other words, in the caller's transaction.

    It becomes the next revision, planned, together with late fees that it announces; both need
    approval. Raises UsageError where there is nothing to edit, where it was begun, where the words
    are empty or unchanged, and, unless `anyway`, where amounts or invoice numbers are missing.
    """
    message = message_of(conn, row)
    subject, text = _clean(subject, text)
    if (subject, text) == (message.subject, message.text):
        raise UsageError(f"{row.key} says that already.", remedy="change the subject or the text")
    group = _group(conn, desk, row)
    about = {invoice for each in group for invoice in each.action.about}
    named = mirror.invoices_by_id(conn, desk.book_id, about)
    base = row.drafted or message
    lost = lost_facts(
        base,
        reworded(message, subject, text),
        amounts=[
            *((each.action.amount, each.currency) for each in group if each.action.amount),
            *((one.balance, one.currency) for one in named),
        ],
        numbers=[one.number for one in named],
    )
    if lost and not anyway:
        raise UsageError(
            "The new wording leaves out what the message has to say.",
            problems=lost,
            remedy="put it back, or confirm with --anyway that it is meant",
        )
    now = desk.clock.now()
    why = f"edited by {actor}" + (f": {reason}" if reason else "")
    approvals.withdraw(conn, desk, group, state="superseded", actor=actor, reason=why, now=now)
    encode = msgspec.json.encode
    changes = {
        "message": encode(reworded(message, subject, text)).decode(),
        "drafted": encode(base).decode(),
        "edited_by": actor,
        "edited_why": reason,
        "mode": strictest(row.mode, "approve"),
        "reasons": encode((*_unedited(row.reasons), kept_reason(actor, reason))).decode(),
    }
    latest = {each.key: msgspec.structs.replace(each, revision=each.revision + 1) for each in group}
    plan_id, view = _stored_plan(conn, desk, row, latest, changes, actor)
    fresh = [
        revisions.renew(
            conn,
            each,
            plan_id,
            changes if each.id == row.id else {"mode": strictest(each.mode, "approve")},
        )
        for each in group
    ]
    edited = next(each for each in fresh if each.key == row.key)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event="MessageEdited",
        subject=row.key,
        payload={
            "revision": edited.revision,
            "replaces": row.revision,
            "plan": plan_id,
            "reason": reason,
            "subject": subject,
            "text_hash": hashlib.sha256(text.encode()).hexdigest(),
            "left_out": lost,
        },
    )
    return Edited(plan_id=plan_id, view=view, row=edited, lost=tuple(lost))


def kept_wording(
    made: Sequence[Draft], latest: Mapping[str, ActionRow], planned: Sequence[ActionRow] = ()
) -> list[Draft]:
    """The drafts with the words that people gave them, while the facts are the same; where those
    changed, the words are dropped and a reason says so. `latest` are the newest revisions by key,
    `planned` what was planned before."""
    keys = {draft.action.key for draft in made}
    orphans = {
        (row.customer, row.kind): row
        for row in planned
        if row.edited_by is not None and row.key not in keys
    }
    found: list[Draft] = []
    for draft in made:
        before = latest.get(draft.action.key)
        if draft.message is None:
            found.append(draft)
        elif before is None or before.edited_by is None:
            lost = orphans.get((draft.action.customer, draft.action.kind))
            what = "the message is about other invoices now"
            found.append(draft if lost is None else _dropped(draft, lost, what))
        elif before.state in HOLDS_ON:
            found.append(_kept(draft, before))
        else:
            found.append(draft)
    return found


def kept_reason(who: str, why: str | None) -> Reason:
    """Said of an action whose words are a person's."""
    return Reason("edit_kept", (("who", who), *((("why", why),) if why else ())))


def _kept(draft: Draft, before: ActionRow) -> Draft:
    assert draft.message is not None and before.edited_by is not None
    if before.message is None or before.drafted is None:
        return draft
    if lasting(before.facts) != lasting(draft.facts):
        return _dropped(draft, before, "the facts have changed")
    words: RenderedMessage | None = before.message
    if before.drafted != draft.message:
        words = moved_on(before.drafted, before.message, draft.message)
    if words is None:
        return _dropped(draft, before, "the lines that were changed read otherwise now")
    return msgspec.structs.replace(
        draft,
        mode=strictest(draft.mode, "approve"),
        message=words,
        drafted=draft.message,
        edited_by=before.edited_by,
        edited_why=before.edited_why or "",
        reasons=(*draft.reasons, kept_reason(before.edited_by, before.edited_why)),
    )


def _dropped(draft: Draft, before: ActionRow, why: str) -> Draft:
    reason = Reason("edit_dropped", (("who", before.edited_by or ""), ("why", why)))
    return msgspec.structs.replace(draft, reasons=(*draft.reasons, reason))


def _unedited(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(one for one in reasons if one.code not in ("edit_kept", "edit_dropped"))


def carrier(conn: Connection, desk: BookContext, row: ActionRow) -> ActionRow:
    """The action that has the message: of a late fee, what announces it; else the action."""
    if not isinstance(row.action, ChargeLateFee) or not row.action.notice:
        return row
    states = ("planned", "approved")
    found = action_store.actions_in(conn, desk.book_id, states, keys={str(row.action.notice)})
    return found[-1] if found else row


def message_of(conn: Connection, row: ActionRow) -> RenderedMessage:
    """The message that can be edited. Raises UsageError where there is none, or no longer."""
    if row.message is None:
        raise UsageError(
            f"{row.key} is a {row.kind.replace('_', ' ')} and has no message.",
            remedy="ar-bridge plan --json names the actions that have one",
        )
    if row.action.is_ordered:
        raise UsageError(
            f"{row.key} was ordered, and its words with it.",
            remedy="reject it, and order it anew with other words",
        )
    if row.state not in ("planned", "approved") or action_store.has_started(conn, row.id):
        raise UsageError(
            f"{row.key} is {row.state} and can no longer be edited.",
            remedy="only what waits for its approval, or for its time, can be",
        )
    return row.message


def _clean(subject: str, text: str) -> tuple[str, str]:
    subject = " ".join(subject.split())
    text = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"
    problems = []
    if not subject:
        problems.append("the subject is empty")
    if len(subject) > LONGEST_SUBJECT:
        problems.append(f"the subject is longer than {LONGEST_SUBJECT} characters")
    if not text.strip():
        problems.append("the text is empty")
    if len(text) > LONGEST_TEXT:
        problems.append(f"the text is longer than {LONGEST_TEXT:,} characters")
    if any(ord(one) < 32 and one not in "\n\t" for one in f"{subject}{text}"):
        problems.append("there are control characters in it")
    if problems:
        raise UsageError(
            "Nothing was changed.", problems=problems, remedy="an action is rejected, not emptied"
        )
    return subject, text


def _group(conn: Connection, desk: BookContext, row: ActionRow) -> list[ActionRow]:
    """The message and the late fees that it announces: they are approved as one."""
    keys = set(row.waits_for)
    fees = (
        action_store.actions_in(conn, desk.book_id, ("planned", "approved"), keys=keys)
        if keys
        else []
    )
    ours = [fee for fee in fees if isinstance(fee.action, ChargeLateFee)]
    begun = [fee.key for fee in ours if action_store.has_started(conn, fee.id)]
    if begun:
        raise UsageError(
            f"{row.key} can no longer be edited: a late fee that it announces was begun.",
            problems=begun,
            remedy="ar-bridge apply finishes it",
        )
    return [*ours, row]


def _stored_plan(
    conn: Connection,
    desk: BookContext,
    row: ActionRow,
    group: Mapping[str, ActionRow],
    changes: Mapping[str, Any],
    actor: str,
) -> tuple[str, dict[str, Any]]:
    """A plan of its own: what is approved is always something that was shown."""
    today, now = desk.today(), desk.clock.now()
    book = desk.load(conn, today, {row.customer}, {each.id for each in group.values()})
    numbers = {invoice.id: invoice.number for invoice in book.invoices}
    shown = []
    for each in group.values():
        draft = Draft(
            action=each.action,
            reasons=each.reasons,
            mode=strictest(each.mode, "approve"),
            send_on=each.send_on,
            send_at=each.send_at,
            message=each.message,
            facts=each.facts,
            digest=each.facts_digest,
            waits_for=each.waits_for,
            waiting_since=each.waiting_since,
            asked_at=each.asked_at,
        )
        if each.key == row.key:
            draft = msgspec.structs.replace(
                draft,
                message=msgspec.json.decode(changes["message"], type=RenderedMessage),
                reasons=msgspec.json.decode(changes["reasons"], type=tuple[Reason, ...]),
                edited_by=changes["edited_by"],
            )
        shown.append((draft, each.revision, approvals.effect_context(desk, each, numbers)))
    synced_at = books.get(conn, desk.book_id).synced_at or now
    view = plan_view(
        plan_id="",
        book_name=desk.name,
        book=book,
        book_as_of=synced_at,
        on=today,
        policy_name=desk.policy.name,
        policy_hash=row.policy_hash,
        drafts=shown,
        skips=(),
    )
    plan_id, digest = store_plan(conn, desk.book_id, view, prefix=EDIT, made_at=now)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event="PlanMade",
        subject=plan_id,
        payload={
            "digest": digest,
            "policy": row.policy_hash,
            "actions": len(shown),
            "edits": row.key,
        },
    )
    return plan_id, view
