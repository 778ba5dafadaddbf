"""Early payment discounts: offered, checked against the payment, credited exactly once.

The discount is worked out from the invoice as it stands: a changed total or a credit note changes
it until the customer has paid. It is earned when payments dated inside the window leave no more
open than the discount; then what is left is credited. A payment that came late, or too little of
it, is never credited: a task tells a person.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.discount import CreditDiscount, OfferDiscount
from rules.actions.internal import OpenTask
from rules.actions.keys import message_key, stage_item
from rules.aging import is_open
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason, Skip
from rules.early_payment import Earning, discount_of
from rules.frame import ONE_DAY
from rules.guards.base import Case
from rules.guards.table import first_hold
from rules.guards.whole_account import account_held
from rules.listed import aside_by_ground, parts_set_aside
from rules.model.ids import ItemKey, StageId
from rules.model.invoice import Invoice
from rules.model.money import format_minor
from rules.policy.discount import Discount
from rules.policy.values import Mode, strictest


class _Offered(msgspec.Struct, frozen=True):
    invoice: Invoice
    earning: Earning
    key: ItemKey


def discount_decisions(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """Credits that were earned, tasks about what was deducted wrongly, and offers."""
    rule = day.frame.policy.discount
    if rule is None:
        return
    offers: dict[str, list[_Offered]] = defaultdict(list)
    for invoice in day.account.invoices:
        earning = discount_of(day, rule, invoice)
        if earning is None:
            continue
        yield from _outcome(day, rule, invoice, earning)
        offered = _offer(day, rule, invoice, earning)
        if offered is not None:
            offers[invoice.currency].append(offered)
    for currency, found in sorted(offers.items()):
        yield from _send(day, budget, rule, currency, found)


def _key(kind: str, rule: Discount, invoice: Invoice) -> ItemKey:
    return stage_item(kind, invoice.id, StageId(rule.id), 1)


def _is_done(day: AccountDay, key: ItemKey, invoice: Invoice) -> bool:
    return any(item.key == key for item in day.served.get(invoice.id, ()))


def _mode(day: AccountDay, rule: Discount) -> Mode:
    return strictest(day.frame.policy.mode, rule.mode)


def _outcome(
    day: AccountDay, rule: Discount, invoice: Invoice, earning: Earning
) -> Iterator[Decision]:
    """The credit, or the task, or until when it can still be had."""
    payer = day.account.payer.id
    currency = invoice.currency
    key = _key("discount", rule, invoice)
    if not is_open(invoice) or _is_done(day, key, invoice):
        return
    if earning.paid_on is not None and earning.to_credit > 0:
        held = account_held(day)
        if held is not None:
            yield Skip(
                customer=payer,
                invoice=invoice.id,
                stage=StageId(rule.id),
                key=key,
                code=held.code,
                reasons=held.reasons,
                next_on=held.next_on,
                review_on=held.review_on,
            )
            return
        yield Act(
            action=CreditDiscount(
                key=key,
                customer=invoice.customer,
                currency=currency,
                items=(Item(key=key, kind="discount", invoice=invoice.id, stage=StageId(rule.id)),),
                stage=StageId(rule.id),
                invoice=invoice.id,
                invoice_number=invoice.number,
                name=rule.name,
                credited=earning.to_credit,
                paid_on=earning.paid_on,
                until=earning.until,
                account=rule.account,
                tax=rule.tax,
            ),
            reasons=(
                Reason(
                    "discount_earned",
                    (
                        ("discount", rule.name),
                        ("invoice", invoice.number),
                        ("amount", f"{format_minor(earning.to_credit, currency)} {currency}"),
                        ("on", earning.paid_on.isoformat()),
                        ("until", earning.until.isoformat()),
                    ),
                ),
            ),
            send_on=day.today,
            mode=_mode(day, rule),
        )
        return
    if earning.until >= day.today:
        yield Skip(
            customer=payer,
            invoice=invoice.id,
            stage=StageId(rule.id),
            key=key,
            code="discount_open",
            reasons=(
                Reason(
                    "discount_open",
                    (
                        ("invoice", invoice.number),
                        ("amount", f"{format_minor(earning.amount, currency)} {currency}"),
                        ("until", earning.until.isoformat()),
                    ),
                ),
            ),
            next_on=earning.until + ONE_DAY,
        )
        return
    if earning.doubt:
        yield from _task(day, rule, invoice, earning)


def _task(
    day: AccountDay, rule: Discount, invoice: Invoice, earning: Earning
) -> Iterator[Decision]:
    key = _key("task", rule, invoice)
    if _is_done(day, key, invoice):
        return
    currency = invoice.currency
    left = f"{currency} {format_minor(invoice.balance, currency)}"
    allowed = f"{currency} {format_minor(earning.amount, currency)}"
    why = {
        "late": f"the payment came after {earning.until}",
        "short": f"{left} was deducted and {allowed} could be had",
    }[earning.doubt]
    payer = day.account.payer
    yield Act(
        action=OpenTask(
            key=key,
            customer=payer.id,
            currency=currency,
            items=(Item(key=key, kind="task", invoice=invoice.id, stage=StageId(rule.id)),),
            stage=StageId(rule.id),
            text=(
                f"{rule.name}, {payer.name}, invoice {invoice.number}: {left} is left open and "
                f"{why}, so nothing is credited. Ask for it, or credit it by hand."
            ),
            due_on=day.today,
        ),
        reasons=(
            Reason(
                "discount_not_earned",
                (("discount", rule.name), ("invoice", invoice.number), ("why", why)),
            ),
        ),
        send_on=day.today,
        mode=day.frame.policy.mode,
    )


# offers ---------------------------------------------------------------------------------------


def _offer(day: AccountDay, rule: Discount, invoice: Invoice, earning: Earning) -> _Offered | None:
    """Whether a message of its own offers it today."""
    if rule.offer_after is None or not is_open(invoice) or earning.until < day.today:
        return None
    on = day.frame.calendar.shift(invoice.issued_on, rule.offer_after)
    key = _key("discount_offer", rule, invoice)
    is_untouched = invoice.balance == earning.payable
    if on > day.today or not is_untouched or _is_done(day, key, invoice):
        return None
    if first_hold(Case(day, invoice, "reminder")) is not None:
        return None
    return _Offered(invoice, earning, key)


def _send(
    day: AccountDay,
    budget: ContactBudget,
    rule: Discount,
    currency: str,
    found: list[_Offered],
) -> Iterator[Decision]:
    payer = day.account.payer
    is_observed = _mode(day, rule) is Mode.OBSERVE
    units = budget.units_of(one.invoice for one in found)
    wait = budget.wait_for(units, is_observed)
    if wait is not None:
        reason, send_on = wait
        for one in found:
            yield Skip(
                customer=payer.id,
                invoice=one.invoice.id,
                stage=StageId(rule.id),
                key=one.key,
                code=reason.code,
                reasons=(reason,),
                next_on=send_on,
            )
        return
    for unit in units:
        budget.use(unit, is_observed)
    qualified = tuple(one.invoice.id for one in found)
    set_aside = parts_set_aside(day, qualified)
    asked = sum(one.invoice.balance for one in found) - sum(part for _, part in set_aside)
    yield Act(
        action=OfferDiscount(
            key=message_key(payer.id, [one.key for one in found]),
            customer=payer.id,
            currency=currency,
            items=tuple(
                Item(
                    key=one.key,
                    kind="discount_offer",
                    invoice=one.invoice.id,
                    stage=StageId(rule.id),
                )
                for one in found
            ),
            stage=StageId(rule.id),
            template=rule.template,
            roles=rule.to,
            cc_roles=rule.cc,
            qualified=qualified,
            set_aside=set_aside,
            aside_as=aside_by_ground(day, set_aside),
            total=asked,
            discounts=tuple(
                (one.invoice.id, one.earning.amount, one.earning.until) for one in found
            ),
        ),
        reasons=tuple(
            Reason(
                "discount_open",
                (
                    ("invoice", one.invoice.number),
                    ("amount", f"{format_minor(one.earning.amount, currency)} {currency}"),
                    ("until", one.earning.until.isoformat()),
                ),
            )
            for one in found
        ),
        send_on=day.today,
        mode=_mode(day, rule),
    )
