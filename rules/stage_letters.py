"""Messages of stages that are no reminders: a statement out of its turn, instalments offered."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.courtesy import OfferPlan, PlannedPart
from rules.actions.keys import message_key, stage_item
from rules.actions.messages import SendReminder
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason, Skip
from rules.frame import ONE_DAY
from rules.guards.base import Case
from rules.guards.disputes import uncontested
from rules.internal import Due
from rules.listed import aside_by_ground, credit_deducted, parts_set_aside
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice
from rules.model.money import Minor, exact_major, format_minor
from rules.policy.reading import plain_decimal
from rules.policy.stage import PlanTerms
from rules.policy.values import Duration
from rules.served_stages import Past
from rules.statements import statement_of
from rules.steps import KIND_OF_VERB, LETTER_VERBS, Step

PLAN_TEMPLATE = "plan_offer"
STATEMENT_TEMPLATE = "statement"
_ANSWER_IN = Duration(7, "d")


def letter_acts(day: AccountDay, found: Sequence[Due], budget: ContactBudget) -> Iterator[Decision]:
    """One message for each stage, verb and currency, within the contact budget."""
    together: dict[tuple[int, str, str], list[Due]] = defaultdict(list)
    for one in found:
        for verb in LETTER_VERBS:
            if verb in one.due.step.stage.do and not _is_done(day, one, verb):
                together[one.due.step.index, verb, one.invoice.currency].append(one)
    for (_, verb, currency), same in sorted(together.items()):
        yield from _send(day, verb, currency, same, budget)


def _is_done(day: AccountDay, one: Due, verb: str) -> bool:
    past = Past(day.frame, day.served.get(one.invoice.id, ()))
    return past.slot(one.due.step, (KIND_OF_VERB[verb],)) >= one.due.slot


def _items(verb: str, same: Sequence[Due]) -> tuple[Item, ...]:
    kind = KIND_OF_VERB[verb]
    return tuple(
        Item(
            key=stage_item(kind, one.invoice.id, one.due.step.id, one.due.slot),
            kind=kind,
            invoice=one.invoice.id,
            stage=one.due.step.id,
        )
        for one in same
    )


def _send(
    day: AccountDay, verb: str, currency: str, same: Sequence[Due], budget: ContactBudget
) -> Iterator[Decision]:
    payer = day.account.payer
    step = same[0].due.step
    items = _items(verb, same)
    units = budget.units_of(one.invoice for one in same)
    wait = budget.wait_for(units, step.is_observed)
    if wait is None and verb == "offer_plan":
        small = _too_small(day, step, currency, same)
        wait = None if small is None else (small, day.today + ONE_DAY)
    if wait is not None:
        reason, next_on = wait
        for item in items:
            yield Skip(
                customer=payer.id,
                invoice=item.invoice,
                stage=step.id,
                key=item.key,
                code=reason.code,
                reasons=(reason,),
                next_on=next_on,
            )
        return
    for unit in units:
        budget.use(unit, step.is_observed)
    action: SendReminder
    if verb == "statement":
        stage = step.stage
        action = statement_of(
            day,
            currency,
            items=items,
            statement=step.id,
            name=stage.name,
            template=_template(step) or STATEMENT_TEMPLATE,
            roles=stage.to,
            cc_roles=stage.cc,
        )
    else:
        action = _offer(day, step, currency, same, items)
    yield Act(
        action=action,
        reasons=tuple(reason for one in same for reason in one.due.reasons),
        send_on=day.today,
        mode=step.mode,
    )


def _template(step: Step) -> str:
    """The stage's own, where it is not meant for something else that the stage sends."""
    alone = not step.reminds and len(step.letter_kinds) == 1
    return step.stage.template if alone else ""


def _owed(day: AccountDay, same: Sequence[Due]) -> Minor:
    return sum(uncontested(Case(day, one.invoice, "reminder")) for one in same)


def _too_small(day: AccountDay, step: Step, currency: str, same: Sequence[Due]) -> Reason | None:
    terms = step.stage.plan or PlanTerms()
    owed = _owed(day, same)
    if terms.minimum is None or exact_major(owed, currency) >= Fraction(terms.minimum):
        return None
    return Reason(
        "plan_too_small",
        (
            ("stage", step.stage.name or step.id),
            ("balance", f"{format_minor(owed, currency)} {currency}"),
            ("minimum", plain_decimal(terms.minimum)),
        ),
    )


def _offer(
    day: AccountDay, step: Step, currency: str, same: Sequence[Due], items: tuple[Item, ...]
) -> OfferPlan:
    stage = step.stage
    payer: CustomerId = day.account.payer.id
    invoices: list[Invoice] = [one.invoice for one in same]
    qualified = tuple(invoice.id for invoice in invoices)
    set_aside = parts_set_aside(day, qualified)
    total = _owed(day, same)
    calendar = day.frame.calendar
    answer_by = calendar.shift(day.today, stage.deadline or _ANSWER_IN)
    return OfferPlan(
        key=message_key(payer, [item.key for item in items]),
        customer=payer,
        currency=currency,
        items=items,
        stage=step.id,
        template=_template(step) or PLAN_TEMPLATE,
        channel=stage.channels[0],
        roles=stage.to,
        cc_roles=stage.cc,
        signed_by=stage.signed_by,
        qualified=qualified,
        set_aside=set_aside,
        aside_as=aside_by_ground(day, set_aside),
        total=total,
        unapplied=credit_deducted(day, invoices, total),
        parts=planned_parts(day, stage.plan or PlanTerms(), total, answer_by),
        answer_by=answer_by,
    )


def planned_parts(
    day: AccountDay, terms: PlanTerms, total: Minor, answer_by: date
) -> tuple[PlannedPart, ...]:
    """Equal parts that sum to the total exactly: a remainder goes to the first ones, a minor unit
    each. The first part is due `every` after the day by which the offer can be accepted."""
    least, rest = divmod(total, terms.parts)
    return tuple(
        PlannedPart(
            due_on=_after(day, answer_by, terms.every, position + 1),
            amount=least + (position < rest),
        )
        for position in range(terms.parts)
    )


def _after(day: AccountDay, start: date, every: Duration, times: int) -> date:
    """Months keep the day they count from, clamped; days and business days add up."""
    return day.frame.calendar.shift(start, Duration(every.count * times, every.unit))
