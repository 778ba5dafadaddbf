"""The days on which statements of account fall due, month after month."""

from datetime import date, timedelta
from typing import Final

import msgspec

from rules.calendar import BusinessCalendar, add_months, days_in_month
from rules.policy.statement import Statement

_DAY: Final = timedelta(days=1)


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a statement."""

    label: str
    """`YYYY-MM` of its month: the last part of the item key."""
    on: date
    """Its day, before closed days move it."""
    since: date
    """Day of the turn before it: the first day that an activity statement covers."""
    following: date
    """Day of the next turn."""

    @property
    def through(self) -> date:
        """Last day that an activity statement covers: the day before its own."""
        return self.on - _DAY


def slot_day(rule: Statement, month: date, calendar: BusinessCalendar) -> date:
    """The statement's day in the month of that day."""
    wanted = rule.day_of_month.day
    if wanted is None:
        return calendar.last_business_day(month)
    return month.replace(day=min(wanted, days_in_month(month)))


def latest_slot(rule: Statement, today: date, calendar: BusinessCalendar) -> Slot:
    """The last turn whose day has come."""
    step = rule.every.count
    month = date(today.year, today.month - (today.month - 1) % step, 1)
    on = slot_day(rule, month, calendar)
    if on > today:
        month = add_months(month, -step)
        on = slot_day(rule, month, calendar)
    return Slot(
        label=f"{month:%Y-%m}",
        on=on,
        since=slot_day(rule, add_months(month, -step), calendar),
        following=slot_day(rule, add_months(month, step), calendar),
    )
