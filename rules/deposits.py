"""Deposits asked of new customers: a part of the estimate, before work begins.

Asked once for each estimate. A customer counts as new until the books show an invoice of theirs
that was paid; where the books were connected lately, a person who looks at the request knows
better, which is why nothing goes by itself unless the policy says so.
"""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.deposit import RequestDeposit
from rules.actions.keys import account_item, message_key
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason, Skip
from rules.exposure import counts
from rules.guards.whole_account import account_held
from rules.model.estimate import Estimate
from rules.model.ids import ItemKey, StageId
from rules.model.money import Minor, exact_major, format_minor, round_minor
from rules.policy.credit import Deposit
from rules.policy.reading import plain_decimal
from rules.policy.schema import Policy
from rules.policy.values import Mode, strictest
from rules.stand_ins import estimate_as_invoice

DEPOSIT: Final = StageId("deposit")
"""Stands in the place of a stage in the keys of deposit requests."""


def wants_deposits(policy: Policy) -> bool:
    """Whether the policy asks anybody for deposits."""
    return policy.credit is not None and policy.credit.deposit is not None


def deposit_decisions(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """A request for each estimate that needs one, or why there is none yet."""
    credit = day.frame.policy.credit
    rule = credit.deposit if credit is not None else None
    if rule is None or not day.account.estimates:
        return
    for estimate in sorted(day.account.estimates, key=lambda one: (one.on, one.id)):
        if counts(estimate, day.today, rule.estimates):
            yield from _asked(day, budget, rule, estimate)


def deposit_of(estimate: Estimate, rule: Deposit) -> Minor:
    """The deposit in minor units, rounded once, half up."""
    share = exact_major(estimate.total, estimate.currency) * Fraction(rule.percent) / 100
    return round_minor(share, estimate.currency)


def _asked(
    day: AccountDay, budget: ContactBudget, rule: Deposit, estimate: Estimate
) -> Iterator[Decision]:
    payer = day.account.payer
    key = account_item("deposit_request", payer.id, DEPOSIT, estimate.id)
    if any(item.key == key and item.state != "bounced" for item in day.served.get(None, ())):
        return
    about = estimate_as_invoice(estimate)
    if rule.only and not day.is_in_any(rule.only, about):
        return
    if day.is_in_any(rule.skip, about):
        return
    amount = deposit_of(estimate, rule)
    if amount <= 0 or not _is_new(day, rule) or _was_seen_to(day, estimate, amount):
        return
    if rule.when is not None and not day.holds(rule.when, about):
        return
    if rule.unless is not None and day.holds(rule.unless, about):
        return
    number = estimate.number or str(estimate.id)
    held = account_held(day)
    if held is not None:
        yield Skip(
            customer=payer.id,
            stage=DEPOSIT,
            key=key,
            code=held.code,
            reasons=held.reasons,
            next_on=held.next_on,
            review_on=held.review_on,
        )
        return
    mode = strictest(day.frame.policy.mode, rule.mode)
    is_observed = mode is Mode.OBSERVE
    wait = budget.wait(payer.id, is_observed)
    if wait is not None:
        reason, send_on = wait
        yield Skip(
            customer=payer.id,
            stage=DEPOSIT,
            key=key,
            code=reason.code,
            reasons=(reason,),
            next_on=send_on,
        )
        return
    budget.use(payer.id, is_observed)
    yield _request(day, rule, estimate, number, amount, key, mode)


def _is_new(day: AccountDay, rule: Deposit) -> bool:
    """Nothing was ever paid, or the first invoice is not old enough yet."""
    invoices = [one for one in day.account.invoices if one.status in ("open", "paid")]
    has_paid = any(one.status == "paid" for one in invoices) or any(
        payment.allocations and payment.reversed_on is None for payment in day.account.payments
    )
    if not has_paid:
        return True
    first = min((one.issued_on for one in invoices), default=None)
    return first is not None and day.today < first + timedelta(days=rule.new_customer_days)


def _was_seen_to(day: AccountDay, estimate: Estimate, amount: Minor) -> bool:
    """The ledger shows a deposit on the estimate, or money that came in since and is not used:
    nobody is asked for what is there."""
    if estimate.deposit > 0:
        return True
    received = sum(
        payment.unapplied
        for payment in day.account.payments
        if payment.currency == estimate.currency and payment.on >= estimate.on
    ) + sum(
        credit.remaining
        for credit in day.account.credits
        if credit.currency == estimate.currency
        and credit.on >= estimate.on
        and credit.kind in ("deposit", "prepayment", "overpayment")
    )
    return received >= amount


def _request(
    day: AccountDay,
    rule: Deposit,
    estimate: Estimate,
    number: str,
    amount: Minor,
    key: ItemKey,
    mode: Mode,
) -> Act:
    payer = day.account.payer
    given = None
    if rule.due_in is not None:
        given = (day.frame.calendar.shift(day.today, rule.due_in) - day.today).days
    percent = plain_decimal(rule.percent)
    action = RequestDeposit(
        key=message_key(payer.id, [key]),
        customer=payer.id,
        currency=estimate.currency,
        items=(Item(key=key, kind="deposit_request", stage=DEPOSIT),),
        stage=DEPOSIT,
        template=rule.template,
        roles=rule.to,
        deadline_days=given,
        qualified=(),
        total=amount,
        estimate=estimate.id,
        estimate_number=number,
        estimate_on=estimate.on,
        estimate_total=estimate.total,
        percent=percent,
    )
    facts = (
        ("estimate", number),
        ("percent", percent),
        ("amount", f"{estimate.currency} {format_minor(amount, estimate.currency)}"),
        ("customer", payer.name),
    )
    return Act(action=action, reasons=(Reason("deposit_due", facts),), send_on=day.today, mode=mode)
