"""From decisions to drafts: the mode that applies, the instant, the rendered message, the facts.

A draft is everything that a planned action will be, before anything is stored. The planner
stores drafts; just before sending, drafts are made again from freshly read data and compared.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec

from ar_bridge.business_facts import business_facts, digest_of
from ar_bridge.collecting import all_of_it_stays
from ar_bridge.errors import ArBridgeError
from ar_bridge.messages.reaching import Render, reaching
from ar_bridge.messages.recipients import Unreachable
from ar_bridge.refused_fees import Refusal, Subject, subject_of
from rules.actions.action import Action, RenderedMessage
from rules.actions.discount import CreditDiscount
from rules.actions.fee_waiver import WaiveLateFee
from rules.actions.keys import effect_key, fee_notice_item, message_key, note_mark
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.asking import without_asking
from rules.calendar import local_date
from rules.decide import decide
from rules.decision import Act, Reason, Skip
from rules.model import Book, CustomerId, Invoice, InvoiceId, ItemKey
from rules.policy.schema import Policy

FOUND: Final = "found again in the ledger"

MOST_EFFECTS: Final = 2
"""A note is the first effect of an action or the one after its deed; where there is a deed for
each item, the one after all of them."""

MODES = ("observe", "draft", "approve", "auto")
"""From the strictest to the freest."""


SendAt: TypeAlias = Callable[[Book, Action, date], datetime]
"""When an action of a local day is due, as an instant: a window may open only tomorrow."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What drafting needs besides the book and the policy."""

    mode: str
    """The book's own mode."""
    mode_of: Callable[[CustomerId], str | None]
    """A stricter mode that somebody set for one customer."""
    has_drafts: bool
    """Whether the ledger keeps drafts; where it does not, `draft` means `approve`."""
    can_charge: bool
    """Whether the fee account and tax of the book are set."""
    render: Render
    send_at: SendAt
    posted: Callable[[Collection[str]], Mapping[str, ChargeLateFee]] = lambda keys: {}
    """Late fees that were posted before, by item key, for messages that announce them late."""
    refused_fees: Mapping[Subject, Refusal] = {}
    """Late fees that the ledger refused."""
    refused: Mapping[str, str] = {}
    """Addresses that the mail server refused lately, with what it said."""
    found: frozenset[str] = frozenset()
    """Marks of notes that were found again in the ledger: what wrote them was done."""
    unread: Collection[CustomerId] = frozenset()
    """Payers whose history is still to be found again: nothing is done about them blind."""
    unread_why: str = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An action, complete but not stored."""

    action: Action
    reasons: tuple[Reason, ...]
    mode: str
    send_on: date
    send_at: datetime
    message: RenderedMessage | None
    facts: dict[str, Any]
    digest: str
    waits_for: tuple[str, ...] = ()
    waiting_since: datetime | None = None
    """When it was first planned, without a break since."""
    asked_at: datetime | None = None
    """What waits for a person expires so long after this."""
    expires_on: date | None = None
    edited_by: str = ""
    """Whose wording the message has; `facts` and `digest` are those of the generated one."""
    edited_why: str = ""
    drafted: RenderedMessage | None = None
    """The generated message, where a person changed its wording."""


def strictest(*modes: str) -> str:
    """The strictest of several modes: overrides only tighten."""
    return min(modes, key=MODES.index)


def drafts(book: Book, policy: Policy, today: date, terms: Terms) -> tuple[list[Draft], list[Skip]]:
    """Decide for every account in the book and complete what is to be done.

    An action that cannot be completed (nobody to write to, no account for fees) becomes a skip
    with the reason; a late fee never outlives the message that announces it.
    """
    with all_of_it_stays():
        decisions = decide(book, policy, today)
    acts = [decision for decision in decisions if isinstance(decision, Act)]
    skips = [decision for decision in decisions if isinstance(decision, Skip)]
    acts = _without_unread(acts, skips, today, terms)
    acts = _without_found(acts, skips, book, today, terms)
    invoices = {invoice.id: invoice for invoice in book.invoices}
    acts = _without_fees(acts, skips, invoices, today, terms)
    charges = {act.action.key: act.action for act in acts if isinstance(act.action, ChargeLateFee)}
    earlier = {
        key
        for act in acts
        if isinstance(act.action, SendReminder)
        for key in act.action.fees
        if key not in charges
    }
    told: dict[str, ChargeLateFee] = dict(terms.posted(earlier)) if earlier else {}
    told.update((str(key), charge) for key, charge in charges.items())
    instants = {act.action.key: terms.send_at(book, act.action, act.send_on) for act in acts}
    days = {
        act.action.key: max(
            act.send_on, local_date(instants[act.action.key], book.company.timezone)
        )
        for act in acts
    }
    fallback = policy.on(today).contact.fallback
    messages: dict[str, RenderedMessage] = {}
    left: dict[str, Reason] = {}
    for act in acts:
        if not isinstance(act.action, SendReminder):
            continue
        announced = [told[key] for key in act.action.fees if key in told]
        asked = act.action
        if fallback and not asked.fallback:
            ways = (asked.channel, *asked.also_by)
            others = tuple(way for way in fallback if way not in ways)
            asked = msgspec.structs.replace(asked, fallback=others)
        try:
            rendered = reaching(
                terms.render, asked, book, announced, days[act.action.key], terms.refused
            )
        except Exception as trouble:
            # One message that cannot be written stops nobody else's, whatever the mistake.
            said = str(trouble.args[0] if trouble.args else trouble)
            if not isinstance(trouble, ArBridgeError):
                said = f"{type(trouble).__name__}: {said}"
            why = (("template", asked.template), ("why", said))
            left[act.action.key] = Reason("message_not_written", why)
            continue
        if isinstance(rendered, Unreachable):
            left[act.action.key] = Reason("unreachable", (("why", rendered.reason),))
        else:
            messages[act.action.key] = rendered
    made: list[Draft] = []
    for act in acts:
        action = act.action
        carrier = action.notice if isinstance(action, ChargeLateFee) else action.key
        if carrier in left:
            skips.extend(_left(act, left[carrier], today))
            continue
        mode = strictest(terms.mode, act.mode, terms.mode_of(action.customer) or "auto")
        message = messages.get(action.key)
        facts = business_facts(action, message, invoices, book.company.id)
        made.append(
            Draft(
                action=action,
                # Nobody is asked about a draft.
                reasons=without_asking(act.reasons) if mode == "draft" else act.reasons,
                mode=mode,
                send_on=days[action.key],
                send_at=instants[action.key],
                message=message,
                facts=facts,
                digest=digest_of(facts),
                waits_for=tuple(action.fees) if isinstance(action, SendReminder) else (),
            )
        )
    made = _one_mode_per_notice(made)
    made = [
        _without_draft(draft)
        if not terms.has_drafts or isinstance(draft.action, WaiveLateFee | CreditDiscount)
        else draft
        for draft in made
    ]
    return made, skips


def _without_fees(
    acts: list[Act],
    skips: list[Skip],
    invoices: Mapping[InvoiceId, Invoice],
    today: date,
    terms: Terms,
) -> list[Act]:
    """Drop late fees, and their mention in messages, where the book has no account for them or
    the ledger refused them: the reminder goes all the same."""
    dropped: dict[ItemKey, ChargeLateFee] = {}
    for act in acts:
        fee = act.action
        if not isinstance(fee, ChargeLateFee):
            continue
        refused = terms.refused_fees.get(subject_of(fee))
        if not terms.can_charge:
            code, why, next_on, review_on = "fee_set_up_missing", "", today, today
        elif refused is not None and refused.stands(fee, invoices):
            code, why, review_on = "refused", refused.why, refused.review_on
            next_on = max(review_on, today + timedelta(days=1))
        else:
            continue
        dropped[fee.key] = fee
        skips.append(
            Skip(
                customer=fee.customer,
                invoice=fee.invoice,
                fee=fee.fee_id,
                key=fee.key,
                code=code,
                reasons=(Reason(code, (("why", why),) if why else ()),),
                next_on=next_on,
                review_on=review_on,
            )
        )
    return _bare(acts, dropped)


def _without_unread(acts: list[Act], skips: list[Skip], today: date, terms: Terms) -> list[Act]:
    """Leave payers alone about whom the ledger was not fully asked yet."""
    if not terms.unread:
        return acts
    why = (("why", terms.unread_why),) if terms.unread_why else ()
    for act in acts:
        if act.action.customer in terms.unread:
            skips.extend(_skipped(act, Reason("history_unread", why), today))
    return [act for act in acts if act.action.customer not in terms.unread]


def _without_found(
    acts: list[Act], skips: list[Skip], book: Book, today: date, terms: Terms
) -> list[Act]:
    """Leave out what the ledger shows to be done, by its own number or mark: whatever else was
    restored, or was not, the very same thing is never done twice."""
    company = book.company.id
    charged = {invoice.number for invoice in book.invoices if invoice.is_fee}
    done: dict[ItemKey, Act] = {}
    for act in acts:
        action = act.action
        if isinstance(action, ChargeLateFee):
            is_there = bool(charged) and action.number(company) in charged
        else:
            is_there = bool(terms.found) and not terms.found.isdisjoint(_marks(action, company))
        if is_there:
            done[action.key] = act
            skips.extend(_skipped(act, Reason("already_done", (("state", FOUND),)), today))
    fees = {key: a.action for key, a in done.items() if isinstance(a.action, ChargeLateFee)}
    return _bare([act for act in acts if act.action.key not in done], fees)


def _marks(action: Action, company_id: str) -> set[str]:
    """Marks that the notes of an action would have, whichever of its effects they are."""
    return {
        note_mark(company_id, effect_key(action.key, position, name))
        for position in range(max(MOST_EFFECTS, len(action.items) + 1))
        for name in ("post_note", "set_hold")
    }


def _skipped(act: Act, reason: Reason, today: date) -> list[Skip]:
    return [
        Skip(
            customer=act.action.customer,
            invoice=item.invoice,
            stage=item.stage,
            fee=item.fee,
            key=item.key,
            code=reason.code,
            reasons=(reason,),
            next_on=today + timedelta(days=1),
        )
        for item in act.action.items
    ]


def _bare(acts: list[Act], dropped: Mapping[ItemKey, ChargeLateFee]) -> list[Act]:
    """The acts without these fees, and messages that no longer mention them."""
    if not dropped:
        return acts
    kept: list[Act] = []
    for act in acts:
        action = act.action
        if action.key in dropped:
            continue
        if not isinstance(action, SendReminder) or dropped.keys().isdisjoint(action.fees):
            kept.append(act)
            continue
        gone = [key for key in action.fees if key in dropped]
        notices = {fee_notice_item(key) for key in gone}
        items = tuple(item for item in action.items if item.key not in notices)
        if not items:
            continue
        bare = msgspec.structs.replace(
            action,
            items=items,
            fees=tuple(key for key in action.fees if key not in dropped),
            announced=action.announced - sum(dropped[key].charge for key in gone),
            key=message_key(action.customer, (item.key for item in items)),
        )
        kept.append(msgspec.structs.replace(act, action=bare))
    return kept


def _left(act: Act, reason: Reason, today: date) -> list[Skip]:
    return [
        Skip(
            customer=act.action.customer,
            invoice=item.invoice,
            stage=item.stage,
            fee=item.fee,
            key=item.key,
            code=reason.code,
            reasons=(reason,),
            next_on=today,
            review_on=today,
        )
        for item in act.action.items
    ]


def _without_draft(draft: Draft) -> Draft:
    """Where the ledger keeps no drafts, a fee in mode draft asks a person before it is posted;
    its message is still left as a draft."""
    if draft.mode == "draft" and isinstance(
        draft.action, ChargeLateFee | WaiveLateFee | CreditDiscount
    ):
        return msgspec.structs.replace(draft, mode="approve")
    return draft


def _one_mode_per_notice(made: list[Draft]) -> list[Draft]:
    """A message and the fees that it announces are approved together, in the strictest mode."""
    modes: dict[str, str] = {}
    for draft in made:
        if isinstance(draft.action, ChargeLateFee):
            notice = draft.action.notice
            modes[notice] = strictest(draft.mode, modes.get(notice, "auto"))
    for draft in made:
        if draft.action.key in modes:
            modes[draft.action.key] = strictest(draft.mode, modes[draft.action.key])
    return [
        msgspec.structs.replace(
            draft,
            mode=modes.get(
                draft.action.notice
                if isinstance(draft.action, ChargeLateFee)
                else draft.action.key,
                draft.mode,
            ),
        )
        for draft in made
    ]
