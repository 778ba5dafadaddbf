"""Data that are too old to act on."""

from datetime import date

from rules.frame import Frame
from rules.guards.base import Case, Hold, hold
from rules.policy.values import Duration


def older_than(frame: Frame, day: date, limit: Duration) -> bool:
    """Whether a day lies further back than the limit."""
    if limit.unit == "h":
        return (frame.today - day).days * 24 > limit.count
    return frame.calendar.shift(day, limit) < frame.today


def stale_books(case: Case) -> Hold | None:
    """Nothing is sent on data older than `stale_after`: the customer may have paid since."""
    limit = case.frame.policy.do_not_chase.stale_after
    hours = case.frame.book.age_hours
    allowed = limit.count if limit.unit == "h" else limit.count * 24
    if hours <= allowed:
        return None
    return hold(
        "stale_book",
        ("age_hours", hours),
        ("limit", limit),
        next_on=case.today,
        review_on=case.today,
    )
