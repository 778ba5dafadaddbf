"""Acknowledgements of what a customer told us: on the day after it was taken down, once.

A promise, a dispute or a payment plan that a person recorded is confirmed to the customer, where
the policy asks for it, or in the way that a stage which acknowledges says. It demands nothing and
uses up no contact budget.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.courtesy import Acknowledge, PlannedPart, WordKind
from rules.actions.keys import account_item, message_key
from rules.aging import is_fee_document, is_open
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason, Skip
from rules.guards.base import REVIEW_AFTER, Hold
from rules.guards.whole_account import account_held
from rules.listed import aside_by_ground, parts_set_aside
from rules.model.book import LEDGER
from rules.model.commitment import Commitment, Dispute, Instalments, Promise
from rules.model.ids import StageId
from rules.policy.schema import Policy

TEMPLATE: Final = "acknowledgement"
_FOR: Final = timedelta(days=7)
"""After this long an acknowledgement would sound odd."""


def wants_acknowledgements(policy: Policy) -> bool:
    """Asked for as a whole, or by a stage."""
    return policy.commitments.acknowledge or any(
        "acknowledge" in stage.do for stage in policy.stage
    )


def acknowledgements(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """One message for each word that was taken down lately and stands."""
    nth: dict[tuple[str, date], int] = defaultdict(int)
    for told in sorted(day.account.commitments, key=lambda one: (one.on, one.id)):
        word = _word(told)
        if word is None or told.actor == LEDGER:
            continue
        nth[word, told.on] += 1
        if not told.on < day.today <= told.on + _FOR or not told.stands_on(day.today):
            continue
        connected_on = day.frame.book.company.connected_on
        if connected_on is not None and told.on < connected_on:
            continue
        yield from _tell(day, told, word, nth[word, told.on])


def _word(told: Commitment) -> WordKind | None:
    match told:
        case Promise():
            return "promise"
        case Dispute():
            return "dispute"
        case Instalments():
            return "instalments"
    return None


def _tell(day: AccountDay, told: Commitment, word: WordKind, nth: int) -> Iterator[Decision]:
    payer = day.account.payer
    slot = int(f"{told.on:%Y%m%d}") * (100 if nth > 1 else 1) + (nth if nth > 1 else 0)
    key = account_item("acknowledgement", payer.id, StageId(word), slot)
    if any(item.key == key for item in day.served.get(None, ())):
        return
    about = [
        invoice
        for invoice in day.account.invoices
        if is_open(invoice) and not is_fee_document(invoice) and told.binds(invoice.id)
    ]
    if not about:
        return
    currency = about[0].currency
    about = [invoice for invoice in about if invoice.currency == currency]
    step = next((one for one in day.frame.steps if "acknowledge" in one.stage.do), None)
    stage = None if step is None else step.stage
    if stage is not None and (not day.applies(stage, about[0]) or day.unmet(stage, about[0])):
        return
    held = account_held(day)
    send_on = day.frame.send_day(payer)
    if held is None and send_on > day.today:
        reason = Reason("not_send_day", (("next_on", send_on.isoformat()),))
        held = Hold(code=reason.code, reasons=(reason,), next_on=send_on)
    if held is not None:
        yield Skip(
            customer=payer.id,
            stage=StageId(word),
            key=key,
            code=held.code,
            reasons=held.reasons,
            next_on=held.next_on,
            review_on=held.review_on,
        )
        return
    qualified = tuple(invoice.id for invoice in about)
    set_aside = parts_set_aside(day, qualified)
    yield Act(
        action=Acknowledge(
            key=message_key(payer.id, [key]),
            customer=payer.id,
            currency=currency,
            items=(Item(key=key, kind="acknowledgement", stage=StageId(word)),),
            stage=StageId(word),
            template=(stage.template if stage is not None else "") or TEMPLATE,
            roles=stage.to if stage is not None else ("billing",),
            cc_roles=stage.cc if stage is not None else (),
            signed_by=stage.signed_by if stage is not None else "",
            qualified=qualified,
            set_aside=set_aside,
            aside_as=aside_by_ground(day, set_aside),
            total=sum(invoice.balance for invoice in about) - sum(part for _, part in set_aside),
            word=word,
            said_on=told.on,
            said_amount=_amount(told),
            until=_until(told),
            waits_until=day.promise_ends(told) if isinstance(told, Promise) else None,
            parts=tuple(PlannedPart(due_on=part.due_on, amount=part.amount) for part in told.parts)
            if isinstance(told, Instalments)
            else (),
            owner=told.owner,
            answer_by=(told.review_on or told.on + REVIEW_AFTER)
            if isinstance(told, Dispute)
            else None,
        ),
        reasons=(Reason("word_acknowledged", (("word", word), ("on", told.on.isoformat()))),),
        send_on=day.today,
        mode=day.frame.policy.mode if step is None else step.mode,
    )


def _amount(told: Commitment) -> int | None:
    if isinstance(told, Instalments):
        return sum(part.amount for part in told.parts)
    return told.amount if isinstance(told, Promise | Dispute) else None


def _until(told: Commitment) -> date | None:
    if isinstance(told, Promise):
        return told.due_on
    if isinstance(told, Instalments):
        return max((part.due_on for part in told.parts), default=None)
    return None
