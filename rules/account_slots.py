"""When a fee of whole accounts is posted, and under which slot.

Slots do not hang on any one invoice, because invoices come and go:

    posted every month             YYYY-MM of the posting day
    posted every Nd, when due      YYYY-MM-DD of the last day covered; N days are counted on a
                                   grid that is the same for all accounts
    posted with a stage            <stage id>-YYYYMMDD
    flat, when due                 due date of the oldest overdue invoice, once until nothing is
                                   overdue any more; with `repeat` that date and which repetition

each with the currency behind it, as in `2026-10-GBP`.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from rules.account_day import AccountDay
from rules.aging import is_open
from rules.dunning import DueStage
from rules.fee_rules import FeeRule
from rules.fees.schedule import month_posting
from rules.fees.slots import is_rest
from rules.frame import ONE_DAY
from rules.model.history import FeePosted
from rules.model.invoice import Invoice


class Occasion(msgspec.Struct, frozen=True):
    """One occasion to post: `through` is the last day that the amounts cover."""

    slot: str
    through: date
    is_flat: bool = False
    invoices: tuple[Invoice, ...] = ()
    """Those that it is about; none: all that owe anything."""


def occasion(
    day: AccountDay,
    rule: FeeRule,
    currency: str,
    invoices: Sequence[Invoice],
    posted: Sequence[FeePosted],
    stages: Sequence[DueStage],
) -> Occasion | None:
    """The last occasion to post on or before today; None where there was none."""
    fee, today = rule.fee, day.today
    overdue = tuple(
        one
        for one in invoices
        if is_open(one) and one.due_on is not None and _late_from(rule, one.due_on) <= today
    )
    found: tuple[str, date] | None = None
    if fee.post.kind == "month":
        through = month_posting(fee, today, day.frame.calendar)
        if through > today:
            through = month_posting(fee, today.replace(day=1) - ONE_DAY, day.frame.calendar)
        found = f"{through:%Y-%m}", through
    elif fee.post.kind == "every":
        assert fee.post.every is not None
        through = date.fromordinal(today.toordinal() // fee.post.every.count * fee.post.every.count)
        found = through.isoformat(), through
    elif fee.post.kind == "with_stage":
        step = next((one.step for one in stages if fee.post.stage in one.step.ids), None)
        found = None if step is None else (f"{step.id}-{today:%Y%m%d}", today)
    elif fee.post.kind == "when_due":
        if fee.type == "flat":
            slot = _spell(rule, overdue, posted, today)
            found = None if slot is None else (slot, today)
        else:
            found = today.isoformat(), today
    if found is None or (rule.from_day is not None and found[1] < rule.from_day):
        return None
    slot, through = found
    is_flat = fee.type == "flat"
    if is_flat and not overdue:
        return None
    return Occasion(f"{slot}-{currency}", through, is_flat, overdue if is_flat else ())


def _late_from(rule: FeeRule, due_on: date) -> date:
    return due_on + timedelta(days=rule.fee.grace.count + 1)


def _spell(
    rule: FeeRule, overdue: Sequence[Invoice], posted: Sequence[FeePosted], today: date
) -> str | None:
    """The slot of a sum that is charged once as long as anything is overdue, or repeated; None
    where it was charged. An invoice that was overdue already when it was charged last belongs
    to the same time."""
    if not overdue:
        return None
    oldest = overdue[0].due_on
    assert oldest is not None
    standing = [fee.on for fee in posted if fee.amount > fee.corrected and not is_rest(fee.key)]
    last = max(standing, default=None)
    repeat = rule.fee.repeat
    if repeat is None:
        if last is not None and any(
            one.due_on is not None and one.due_on < last for one in overdue
        ):
            return None
        return oldest.isoformat()
    reached = (today - oldest).days // repeat.every.count
    if not 1 <= reached <= repeat.times:
        return None
    if last is not None and last + timedelta(days=repeat.every.count) > today:
        return None
    return f"{oldest.isoformat()}-{reached}"


def next_occasion(
    day: AccountDay,
    rule: FeeRule,
    invoices: Sequence[Invoice],
    posted: Sequence[FeePosted],
    now: Occasion | None,
) -> date | None:
    """The first day after today on which anything may be posted to one of the invoices.

    `now` is today's occasion, which posted all that there is by today.
    """
    if now is not None and rule.ends_on is not None and now.through >= rule.ends_on:
        return None
    dues = [one.due_on for one in invoices if is_open(one) and one.due_on is not None]
    if rule.fee.post.kind == "when_due" and rule.fee.type == "flat" and now is None:
        return _next_sum(rule, sorted(dues), posted, day.today)
    found = [on for due_on in dues if (on := _next(day, rule, due_on)) is not None]
    return min(found, default=None)


def _next_sum(
    rule: FeeRule, dues: Sequence[date], posted: Sequence[FeePosted], today: date
) -> date | None:
    """The next day of a sum that there is no occasion for today: it begins, it comes again, or
    another invoice becomes overdue."""
    days = [_late_from(rule, due_on) for due_on in dues]
    if rule.from_day is not None:
        days = [max(day, rule.from_day) for day in days]
    repeat = rule.fee.repeat
    if repeat is not None and dues:
        every = timedelta(days=repeat.every.count)
        after_the_last = dues[0] + (repeat.times + 1) * every
        days += [dues[0] + number * every for number in range(1, repeat.times + 1)]
        days += [day for fee in posted if (day := fee.on + every) < after_the_last]
    return min((day for day in days if day > today), default=None)


def _next(day: AccountDay, rule: FeeRule, due_on: date) -> date | None:
    fee, earliest = rule.fee, max(day.today + ONE_DAY, _late_from(rule, due_on))
    if fee.post.kind == "every":
        assert fee.post.every is not None
        every = fee.post.every.count
        return date.fromordinal(-(-earliest.toordinal() // every) * every)
    if fee.post.kind == "month":
        return rule.next_posting(due_on, day.today, day.frame.calendar)
    return earliest if fee.post.kind == "when_due" else None
