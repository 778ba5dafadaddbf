"""Messages about what a customer undertook: a promise that was not kept, where the policy answers
it with a message, and the parts of a payment plan, before their day and when one did not come.

A reminder of the procedure that goes out the same day says it too; then no further one does.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.keys import message_key, stage_item
from rules.actions.messages import SendReminder
from rules.actions.undertaken import PartAsked
from rules.aging import is_fee_document, is_open
from rules.breaches import told_of, untold_breach
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason, Skip
from rules.frame import ONE_DAY
from rules.guards.base import Case
from rules.guards.disputes import uncontested
from rules.guards.promises import instalments
from rules.guards.table import first_hold
from rules.keeping import PlanStanding, PromiseStanding
from rules.listed import also_open_of, aside_by_ground, credit_deducted, parts_set_aside
from rules.model.commitment import Instalments
from rules.model.ids import CustomerId, InvoiceId, StageId
from rules.model.invoice import Invoice
from rules.model.money import Minor, format_minor
from rules.model.own_stages import BROKEN_PROMISE, INSTALMENT, MISSED_INSTALMENT
from rules.policy.stage import Stage
from rules.policy.values import Mode


def promise_messages(
    day: AccountDay, budget: ContactBudget, reminded: Collection[InvoiceId]
) -> Iterator[Decision]:
    """One message for each broken promise that the policy answers with one; `reminded` are
    invoices that a reminder of today asks for anyway."""
    together: dict[tuple[str, CustomerId, str], list[Invoice]] = defaultdict(list)
    found: dict[str, PromiseStanding] = {}
    rules = day.frame.policy.commitments
    if not day.breaches:
        return
    for invoice in day.account.invoices:
        if not _is_asked_for(day, invoice) or invoice.id in reminded:
            continue
        breach = untold_breach(day, invoice)
        if breach is None:
            continue
        nth = day.breaches.index(breach) + 1
        rule = rules.broken_promise if nth == 1 else rules.second_broken_promise
        if rule != "remind" or first_hold(Case(day, invoice, "reminder", _voice(day, invoice))):
            continue
        found[breach.promise.id] = breach
        unit = invoice.customer if budget.rules.unit == "customer" else day.account.payer.id
        together[breach.promise.id, unit, invoice.currency].append(invoice)
    for (name, unit, currency), invoices in together.items():
        yield from _about_promise(day, budget, found[name], unit, currency, invoices)


def _about_promise(
    day: AccountDay,
    budget: ContactBudget,
    breach: PromiseStanding,
    unit: CustomerId,
    currency: str,
    invoices: Sequence[Invoice],
) -> Iterator[Decision]:
    slot = int(f"{breach.promise.due_on:%Y%m%d}")
    items = _items(invoices, BROKEN_PROMISE, slot)
    reason = Reason("promise_broken", (("on", breach.promise.due_on.isoformat()),))
    waits = _waits(day, budget, unit, items, reason)
    if waits:
        yield from waits
        return
    qualified = tuple(invoice.id for invoice in invoices)
    total = sum(uncontested(Case(day, invoice, "reminder")) for invoice in invoices)
    also_open = also_open_of(day, currency, qualified, frozenset())
    set_aside = parts_set_aside(day, (*qualified, *also_open))
    yield Act(
        action=SendReminder(
            **_addressed(day, invoices, items, currency),
            stage=BROKEN_PROMISE,
            template="promise_broken",
            qualified=qualified,
            also_open=also_open,
            set_aside=set_aside,
            aside_as=aside_by_ground(day, set_aside),
            total=total,
            unapplied=credit_deducted(day, invoices, total),
            broken=told_of(day, breach),
        ),
        reasons=(reason,),
        send_on=day.today,
        mode=day.frame.policy.mode,
    )


def instalment_messages(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """A reminder of the next part before its day, and one when it did not come on it; else the
    day on which there is one to be sent."""
    for told in sorted(day.account.commitments, key=lambda told: told.id):
        if isinstance(told, Instalments) and told.stands_on(day.today):
            found = day.plan_standing(told)
            if not found.is_broken and found.next_part is not None:
                yield from _about_part(day, budget, found)


def _about_part(day: AccountDay, budget: ContactBudget, found: PlanStanding) -> Iterator[Decision]:
    part = found.next_part
    assert part is not None
    rules = day.frame.policy.commitments
    is_missed = day.today > part.due_on
    before = rules.instalment_reminder
    first = part.due_on + ONE_DAY
    if before is not None and not is_missed:
        first = day.frame.calendar.shift(part.due_on, before, -1)
    if is_missed and rules.missed_instalment != "remind":
        return
    stage = MISSED_INSTALMENT if is_missed else INSTALMENT
    slot = int(f"{part.due_on:%Y%m%d}")
    shares = _shares(day, found, part.left)
    items = _items([invoice for invoice, _ in shares], stage, slot)
    was_sent = any(
        item.stage == stage
        and item.key.endswith(f"/{slot}")
        and (item.invoice is None or found.plan.binds(item.invoice))
        and item.state != "bounced"
        for item in day.account.served
    )
    if day.today < first or was_sent:
        next_on = first if day.today < first else max(part.due_on, day.today) + ONE_DAY
        yield Skip(
            customer=day.account.payer.id,
            code="not_due",
            reasons=(Reason("not_due", (("next_on", next_on.isoformat()),)),),
            next_on=next_on,
        )
        return
    if not shares:
        return
    currency = shares[0][0].currency
    amount = f"{format_minor(part.left, currency)} {currency}"
    reason = Reason(
        "instalment_missed" if is_missed else "instalment_due",
        (("amount", amount), ("on", part.due_on.isoformat())),
    )
    unit = day.account.payer.id
    if budget.rules.unit == "customer":
        unit = shares[0][0].customer
    waits = _waits(day, budget, unit, items, reason)
    if waits:
        yield from waits
        return
    invoices = [invoice for invoice, _ in shares]
    yield Act(
        action=SendReminder(
            **_addressed(day, invoices, items, currency),
            stage=stage,
            template="instalment_missed" if is_missed else "instalment_due",
            qualified=tuple(invoice.id for invoice in invoices),
            # What the plan leaves to later parts is not asked for today.
            set_aside=tuple(
                (invoice.id, invoice.balance - share)
                for invoice, share in shares
                if invoice.balance > share
            ),
            total=sum(share for _, share in shares),
            part=PartAsked(
                due_on=part.due_on,
                amount=part.amount,
                paid=part.paid,
                position=found.parts.index(part) + 1,
                count=len(found.parts),
                is_missed=is_missed,
            ),
        ),
        reasons=(reason,),
        send_on=day.today,
        mode=day.frame.policy.mode,
    )


def _shares(day: AccountDay, found: PlanStanding, left: Minor) -> list[tuple[Invoice, Minor]]:
    """The invoices of the plan that an instalment pays, the oldest first, with what of each."""
    shares: list[tuple[Invoice, Minor]] = []
    for invoice in day.account.invoices:
        if not is_open(invoice) or is_fee_document(invoice) or not found.plan.binds(invoice.id):
            continue
        if invoice.currency != found.currency or left <= 0:
            continue
        case = Case(day, invoice, "reminder", _voice(day, invoice))
        if first_hold(case, without=instalments) is not None:
            continue
        share = min(uncontested(case), left)
        if share > 0:
            shares.append((invoice, share))
            left -= share
    return shares


def _is_asked_for(day: AccountDay, invoice: Invoice) -> bool:
    is_late = invoice.due_on is not None and invoice.due_on < day.today
    return is_late and is_open(invoice) and not is_fee_document(invoice)


def _voice(day: AccountDay, invoice: Invoice) -> Stage | None:
    """The stage in whose voice the message speaks: the firmest that reminded of the invoice, or
    the first one that does."""
    reminding = [step for step in day.frame.steps if step.reminds]
    served = {item.stage for item in day.served.get(invoice.id, ()) if item.kind == "reminder"}
    heard = [step for step in reminding if step.ids & served]
    chosen = heard[-1:] or reminding[:1]
    return chosen[0].stage if chosen else None


def _addressed(
    day: AccountDay, invoices: Sequence[Invoice], items: tuple[Item, ...], currency: str
) -> dict[str, Any]:
    """Whom the message goes to, as the stage has it in whose voice it speaks."""
    payer = day.account.payer.id
    told: dict[str, Any] = {
        "key": message_key(payer, [item.key for item in items]),
        "customer": payer,
        "currency": currency,
        "items": items,
    }
    stage = _voice(day, invoices[-1])
    if stage is not None:
        told |= {"channel": stage.channels[0], "roles": stage.to, "cc_roles": stage.cc}
    return told


def _items(invoices: Sequence[Invoice], stage: StageId, slot: int) -> tuple[Item, ...]:
    return tuple(
        Item(
            key=stage_item("reminder", invoice.id, stage, slot),
            kind="reminder",
            invoice=invoice.id,
            stage=stage,
        )
        for invoice in invoices
    )


def _waits(
    day: AccountDay,
    budget: ContactBudget,
    unit: CustomerId,
    items: Sequence[Item],
    reason: Reason,
) -> list[Skip]:
    """Skips until the day on which the message may go; none, and the budget used, where that is
    today."""
    is_observed = day.frame.policy.mode is Mode.OBSERVE
    wait = budget.wait(unit, is_observed)
    if wait is None:
        budget.use(unit, is_observed)
        return []
    ground, send_on = wait
    return [_skip(day, item, (ground, reason), send_on) for item in items]


def _skip(day: AccountDay, item: Item, reasons: tuple[Reason, ...], next_on: date) -> Skip:
    return Skip(
        customer=day.account.payer.id,
        invoice=item.invoice,
        stage=item.stage,
        key=item.key,
        code=reasons[0].code,
        reasons=reasons,
        next_on=next_on,
    )
