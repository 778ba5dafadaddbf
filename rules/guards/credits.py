"""Money that is already there: unapplied credit, payments not yet applied, cash not yet entered."""

from datetime import date

from rules.frame import ONE_DAY
from rules.guards.base import REVIEW_AFTER, Case, Hold, hold
from rules.guards.disputes import uncontested
from rules.guards.freshness import older_than
from rules.model.money import format_minor


def covering_credits(case: Case) -> Hold | None:
    """Unapplied credit settles the oldest invoices first; one that it covers is not asked for."""
    if not case.day.credit or case.day.net_of(case.invoice) > 0 or case.invoice.balance <= 0:
        return None
    currency = case.invoice.currency
    return hold(
        "unapplied_credit",
        ("invoice", case.invoice.number),
        ("credit", f"{format_minor(case.day.credit.get(currency, 0), currency)} {currency}"),
        review_on=(case.invoice.due_on or case.invoice.issued_on) + REVIEW_AFTER,
    )


def fresh_payments(case: Case) -> Hold | None:
    """A payment that came in lately and is not applied yet: wait until somebody applied it."""
    if not case.day.unused_money:
        return None
    lag = case.frame.policy.do_not_chase.paid_lag
    until: date | None = None
    for currency, known_on in case.day.unused_money:
        if currency != case.invoice.currency:
            continue
        ends = case.frame.calendar.shift(known_on, lag)
        if ends > case.today and (until is None or ends > until):
            until = ends
    if until is None:
        return None
    return hold("paid_lag", ("invoice", case.invoice.number), ("until", until), next_on=until)


def unentered_cash(case: Case) -> Hold | None:
    """Demands wait until payments are known to be entered through recently, where asked for."""
    limit = case.frame.policy.do_not_chase.cash_older_than
    if limit is None:
        return None
    entered = case.frame.book.entered_through
    if entered is not None and not older_than(case.frame, entered, limit):
        return None
    return hold(
        "cash_not_entered",
        ("entered_through", entered or "unknown"),
        ("limit", limit),
        next_on=case.today + ONE_DAY,
        review_on=case.today,
    )


def small_balances(case: Case) -> Hold | None:
    """Balances that are not worth a message; they are looked at when something else is owed."""
    if case.invoice.status != "open":
        # What accrued until a late payment is owed, though nothing is open any more.
        return None
    least = case.frame.least(case.invoice.currency)
    asked = case.invoice.balance if case.day.is_plain else uncontested(case)
    if asked >= least:
        return None
    currency = case.invoice.currency
    return hold(
        "below_minimum",
        ("invoice", case.invoice.number),
        ("balance", f"{format_minor(asked, currency)} {currency}"),
        ("minimum", format_minor(least, currency)),
        review_on=(case.invoice.due_on or case.invoice.issued_on) + REVIEW_AFTER,
    )
