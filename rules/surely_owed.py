"""A quick look at fees that were posted: most of them are owed beyond doubt.

Working a fee out exactly takes as long as deciding about a hundred invoices. Of simple interest on
an open invoice of which nobody told anything, three whole numbers say what it comes to at least;
only what is not so plain is worked out.
"""

from collections.abc import Sequence
from datetime import timedelta

from rules.account_day import AccountDay
from rules.fee_rules import DAYS_OF_A_YEAR, FeeRule
from rules.fees.caps import nominal
from rules.model.history import FeePosted
from rules.model.invoice import Invoice


def surely_owed(
    day: AccountDay, rule: FeeRule, invoice: Invoice, posted: Sequence[FeePosted]
) -> bool:
    """Whether the fee comes to no less today than was posted of it; False where it takes a
    closer look."""
    fee = rule.fee
    if not rule.is_plain_interest or fee.annual_rate is None or invoice.due_on is None:
        return False
    if invoice.status != "open" or not day.is_plain:
        return False
    if any(payment.reversed_on is not None for payment in day.payments_of(invoice)):
        return False
    # What is open today was owed on every day before: payments and credits only lowered it.
    owed = invoice.balance - invoice.fee_lines
    first = invoice.due_on + timedelta(days=1)
    if fee.grace_mode == "from_grace_end":
        first += timedelta(days=fee.grace.count)
    if rule.from_day is not None and rule.from_day > first:
        first = rule.from_day
    days = (day.today - first).days + 1
    if (day.today - invoice.due_on).days <= fee.grace.count or days <= 0:
        return False
    charged = sum(charge.amount - charge.corrected for charge in posted)
    cap = fee.cap
    if cap is not None:
        if cap.percent_of_original is not None:
            share, of = cap.percent_of_original.as_integer_ratio()
            if charged * 100 * of > owed * share:
                return False
        if cap.per_invoice is not None and (
            cap.per_invoice.bare is None
            or charged > nominal(cap.per_invoice.bare, invoice.currency)
        ):
            return False
    rate, of = fee.annual_rate.as_integer_ratio()
    year = DAYS_OF_A_YEAR[fee.day_count]
    # Rounded down: a fee is never less than that, however it is rounded.
    return owed * rate * days >= charged * 100 * year * of
