"""The contact budget: how often a customer hears from us, over all invoices and children."""

from collections.abc import Sequence
from datetime import date, timedelta

from rules.calendar import BusinessCalendar
from rules.policy.schema import ContactRules

_HORIZON = 400
_REMEMBERED = 200
"""Days for which a contact counts at most."""


def is_free(
    day: date, contacts: Sequence[date], rules: ContactRules, calendar: BusinessCalendar
) -> bool:
    """Whether one more contact on that day keeps within the day, any seven days and the gap.

    `contacts` are the days of the counted ones: sent, approved and those whose fate is unknown.
    """
    if sum(1 for on in contacts if on == day) >= rules.per_customer_per_day:
        return False
    for on in contacts:
        first, second = (on, day) if on <= day else (day, on)
        # Several a day may be allowed; the gap is between days.
        if first != second and calendar.shift(first, rules.min_gap) > second:
            return False
    for back in range(7):
        start = day - timedelta(days=6 - back)
        end = start + timedelta(days=6)
        if sum(1 for on in contacts if start <= on <= end) >= rules.per_customer_per_week:
            return False
    return True


def first_free_day(
    day: date, contacts: Sequence[date], rules: ContactRules, calendar: BusinessCalendar
) -> date:
    """The day itself, or the first one after it on which the budget allows a contact."""
    near = [on for on in contacts if (day - on).days < _REMEMBERED]
    if not near:
        return day
    if is_long_ago(max(near), day, rules, calendar):
        return day
    for ahead in range(_HORIZON):
        candidate = day + timedelta(days=ahead)
        if is_free(candidate, near, rules, calendar):
            return candidate
    return day + timedelta(days=_HORIZON)


def is_long_ago(last: date, day: date, rules: ContactRules, calendar: BusinessCalendar) -> bool:
    """Whether the last contact lies so far back that one more is free on the day, whatever other
    contacts there were before it."""
    ago = (day - last).days
    return ago >= _REMEMBERED or (ago >= 7 and calendar.shift(last, rules.min_gap) <= day)
