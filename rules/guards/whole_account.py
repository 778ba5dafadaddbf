"""Grounds to wait that lie in the account, for what is sent about the account as a whole."""

from rules.account_day import AccountDay
from rules.guards.base import Hold, hold
from rules.guards.stops import account_hold, is_stopped


def account_held(day: AccountDay) -> Hold | None:
    """What keeps back everything that is sent about the account as a whole: a stop of the payer
    or of anybody it pays for, a pause of the payer, an archived payer, data that are too old."""
    found = account_hold(day)
    if found is not None:
        return found
    for member in day.account.members:
        if day.account.commitments and is_stopped(day, member):
            return account_hold(day, member)
    payer = day.account.payer
    if not payer.is_active:
        return hold("inactive_payer", ("customer", payer.name), review_on=day.today)
    limit = day.frame.policy.do_not_chase.stale_after
    hours = day.frame.book.age_hours
    if hours > (limit.count if limit.unit == "h" else limit.count * 24):
        return hold(
            "stale_book",
            ("age_hours", hours),
            ("limit", limit),
            next_on=day.today,
            review_on=day.today,
        )
    return None
