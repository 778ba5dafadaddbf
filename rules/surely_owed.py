"""A quick look at fees that were posted: most of them are owed beyond doubt.

Working a fee out exactly takes as long as deciding about a hundred invoices. Of simple interest on
an open invoice of which nobody told anything, three whole numbers say what it comes to at least;
only what is not so plain is worked out.
"""

from collections.abc import Sequence
from datetime import date

from rules.account_day import AccountDay
from rules.fee_rules import FeeRule
from rules.fees.caps import nominal
from rules.model.history import FeePosted
from rules.model.ids import FeeId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor


def all_surely_owed(day: AccountDay) -> bool:
    """Whether every fee of the account comes to no less today than was posted of it; False where
    it takes a closer look. Asked of every account that ever bore a fee, every day."""
    rules = day.frame.fee_of
    charged: dict[tuple[InvoiceId, FeeId], Minor] = {}
    for fee in day.account.fees:
        if fee.fee not in rules:
            continue
        rule = rules[fee.fee]
        if rule is None or not rule.is_plain_interest or fee.state != "done" or fee.is_minimum:
            return False
        of_rule = (fee.invoice, rule.id)
        charged[of_rule] = charged.get(of_rule, 0) + fee.amount - fee.corrected
    for payment in day.account.payments:
        if payment.reversed_on is not None:
            return False
    if not day.is_plain:
        return False
    invoices, today = day.invoices, day.today
    for (name, fee_id), amount in charged.items():
        invoice, rule = invoices.get(name), rules[fee_id]
        # An invoice that the book no longer holds was settled long ago.
        if invoice is not None and not (rule and _covers(rule, invoice, amount, today)):
            return False
    return True


def surely_owed(
    day: AccountDay, rule: FeeRule, invoice: Invoice, posted: Sequence[FeePosted]
) -> bool:
    """Whether the fee comes to no less today than was posted of it; False where it takes a
    closer look."""
    if not rule.is_plain_interest or not day.is_plain:
        return False
    if any(payment.reversed_on is not None for payment in day.payments_of(invoice)):
        return False
    charged = sum(charge.amount - charge.corrected for charge in posted)
    return _covers(rule, invoice, charged, day.today)


def _covers(rule: FeeRule, invoice: Invoice, charged: Minor, today: date) -> bool:
    """Whether plain interest on what is open today comes to what was charged."""
    if invoice.status != "open" or invoice.due_on is None:
        return False
    return comes_to(rule, invoice, charged, earning_days(rule, invoice.due_on, today))


def earning_days(rule: FeeRule, due_on: date, today: date) -> int:
    """The days that plain interest has run by today; 0 or less where it earned nothing."""
    late = (today - due_on).days
    if late <= rule.grace_days:
        return 0
    days = late - rule.free_days
    if rule.from_day is not None and rule.from_day > due_on:
        days = min(days, (today - rule.from_day).days + 1)
    return days


def surely_accrued(rule: FeeRule, days: int) -> tuple[int, int] | None:
    """(a, b) where plain interest of so many days comes to at least a/b of what is open on an
    invoice, rounded down; None where a sum is its limit."""
    if rule.sum_cap is not None:
        return None
    interest, days_to_earn_it = rule.plain_rate
    accrued = max(days, 0) * interest, days_to_earn_it
    if days > 0 and rule.plain_cap is not None:
        share, of = rule.plain_cap
        if share * days_to_earn_it < accrued[0] * of:
            return rule.plain_cap
    return accrued


def comes_to(rule: FeeRule, invoice: Invoice, charged: Minor, days: int) -> bool:
    """Whether so many days of plain interest on an open invoice surely come to what was charged."""
    if days <= 0:
        return False
    # What is open today was owed on every day before: payments and credits only lowered it.
    owed = invoice.balance - invoice.fee_lines
    if rule.plain_cap is not None:
        share, of = rule.plain_cap
        if charged * of > owed * share:
            return False
    if rule.sum_cap is not None and (
        rule.sum_cap.bare is None or charged > nominal(rule.sum_cap.bare, invoice.currency)
    ):
        return False
    interest, days_to_earn_it = rule.plain_rate
    # Rounded down: a fee is never less than that, however it is rounded.
    return owed * interest * days >= charged * days_to_earn_it
