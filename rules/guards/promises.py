"""What the customer undertook: promises to pay, instalments, and pauses that we granted."""

from datetime import date

from rules.frame import ONE_DAY
from rules.guards.base import Case, Hold, hold
from rules.model.commitment import Instalments, Pause, Promise


def pauses(case: Case) -> Hold | None:
    """Say nothing until the day after the pause."""
    until = max((told.until for told in case.told if isinstance(told, Pause)), default=date.min)
    if until < case.today:
        return None
    told = next(t for t in case.told if isinstance(t, Pause) and t.until == until)
    return hold(
        "paused",
        ("until", until),
        ("reason", told.reason),
        ("owner", told.owner),
        next_on=until + ONE_DAY,
    )


def promises(case: Case) -> Hold | None:
    """A promise is waited for until its day and the grace after it have passed."""
    standing = [told for told in case.told if isinstance(told, Promise)]
    if not standing:
        return None
    ends, told = max(
        ((case.day.promise_ends(told), told) for told in standing),
        key=lambda found: (found[0], found[1].id),
    )
    if ends < case.today:
        return None
    return hold(
        "promised",
        ("on", told.due_on),
        ("promised_on", told.on),
        ("until", ends),
        next_on=ends + ONE_DAY,
    )


def expected_payments(case: Case) -> Hold | None:
    """A day that somebody noted in the ledger itself holds like a promise.

    One of more than `max_promise` ahead is no reason to wait yet.
    """
    expected = case.invoice.expected_on
    if expected is None:
        return None
    rules = case.frame.policy
    shift = case.frame.calendar.shift
    if expected > shift(case.today, rules.commitments.max_promise):
        return None
    ends = shift(expected, rules.do_not_chase.promise_grace)
    if ends < case.today:
        return None
    return hold("expected", ("on", expected), ("until", ends), next_on=ends + ONE_DAY)


def instalments(case: Case) -> Hold | None:
    """An agreed plan is waited for while every part that is due, grace included, was paid."""
    for told in case.told:
        if not isinstance(told, Instalments):
            continue
        named = set(told.invoices) or {invoice.id for invoice in case.day.account.invoices}
        paid = sum(
            part.amount
            for payment in case.day.account.payments
            if payment.reversed_on is None and payment.on >= told.on
            for part in payment.allocations
            if part.invoice in named
        )
        grace = case.frame.policy.do_not_chase.promise_grace
        expected = 0
        for part in told.parts:
            expected += part.amount
            ends = case.frame.calendar.shift(part.due_on, grace)
            if paid >= expected:
                continue
            if ends < case.today:
                return None  # a part was missed: the procedure goes on
            return hold(
                "instalments",
                ("next_part", part.due_on),
                ("owner", told.owner),
                next_on=ends + ONE_DAY,
            )
    return None
