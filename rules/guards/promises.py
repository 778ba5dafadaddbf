"""What the customer undertook: promises to pay, instalments, and pauses that we granted."""

from collections.abc import Iterator
from datetime import date

from rules.frame import ONE_DAY
from rules.guards.base import Case, Hold, hold
from rules.guards.stops import paused
from rules.keeping import PartStanding, PlanStanding
from rules.model.commitment import Instalments, Pause, Promise
from rules.model.money import format_minor


def pauses(case: Case) -> Hold | None:
    """Say nothing until the day after the pause."""
    found = [told for told in case.told if isinstance(told, Pause) and told.until >= case.today]
    if not found:
        return None
    return paused(max(found, key=lambda told: (told.until, told.id)), case.frame)


def promises(case: Case) -> Hold | None:
    """A promise is waited for until its day and the grace after it have passed; one that was kept
    before, until its day: so it was agreed for whatever else is open."""
    standing = [told for told in case.told if isinstance(told, Promise)]
    if not standing:
        return None
    ends, told = date.min, standing[0]
    for one in sorted(standing, key=lambda one: one.id):
        found = case.day.promise_standing(one)
        until = min(one.due_on, found.ends) if found.outcome == "kept" else found.ends
        if until >= ends:
            ends, told = until, one
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
    """An agreed plan is waited for while every part that is due, grace included, was paid.

    Payments count against the parts in order. Once all are paid, or one was missed, the procedure
    goes on at its place with what is open.
    """
    for found, part in _plans_kept(case):
        last = max(one.due_on for one in found.parts)
        return hold(
            "instalments",
            ("next_part", part.due_on),
            ("amount", f"{format_minor(part.left, found.currency)} {found.currency}".strip()),
            ("last_part", last),
            ("owner", found.plan.owner),
            next_on=part.ends + ONE_DAY,
        )
    return None


def part_awaited(case: Case) -> PartStanding | None:
    """The next part of the plan that is kept for the invoice; None where there is no such."""
    return next((part for _, part in _plans_kept(case)), None)


def _plans_kept(case: Case) -> Iterator[tuple[PlanStanding, PartStanding]]:
    for told in case.told:
        if isinstance(told, Instalments):
            found = case.day.plan_standing(told)
            part = found.next_part
            if part is not None and not found.is_broken:
                yield found, part
