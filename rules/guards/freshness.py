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


def is_stale(frame: Frame) -> bool:
    """Whether the book is older than `stale_after`."""
    limit = frame.policy.do_not_chase.stale_after
    return frame.book.age_hours > (limit.count if limit.unit == "h" else limit.count * 24)


def stale_books(case: Case) -> Hold | None:
    """Nothing is sent on data older than `stale_after`: the customer may have paid since."""
    if not is_stale(case.frame):
        return None
    return hold(
        "stale_book",
        ("age_hours", case.frame.book.age_hours),
        ("limit", case.frame.policy.do_not_chase.stale_after),
        next_on=case.today,
        review_on=case.today,
    )
