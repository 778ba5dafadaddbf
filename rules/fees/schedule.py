"""On which day a fee is posted, how far it then reaches, and the slot that makes its key.

Slots come from the schedule, never from a count of what was done, so that deciding again gives
the same key:

    charged once (flat, percent,      1
      compensation, scale)
    repeated (flat, percent)          k of the k-th repetition
    flat_then_percent                 1 for the sum, k + 1 for the k-th percentage
    tiered, in percent or amounts     number of steps reached
    posted every month                YYYY-MM of the posting day
    posted every Nd                   k of the k-th N days after due
    posted with a stage               <stage id>-<slot of the stage>
    posted when due: percent a month  number of months charged
    posted when due: interest, daily  YYYY-MM-DD of the last day covered
      tiers
"""

from datetime import date, timedelta
from typing import Final

import msgspec

from rules.calendar import BusinessCalendar, add_months, days_in_month
from rules.policy.fee import Fee

_DAY: Final = timedelta(days=1)


class Posting(msgspec.Struct, frozen=True):
    """One occasion to post: `through` is the last day that the amount covers."""

    slot: str
    through: date


def month_posting(fee: Fee, day: date, calendar: BusinessCalendar) -> date:
    """The posting day of the month that `day` lies in."""
    if fee.post.day is None:
        return calendar.last_business_day(day)
    return day.replace(day=min(fee.post.day, days_in_month(day)))


def late_from(fee: Fee, due_on: date, calendar: BusinessCalendar) -> date:
    """The due date that the fee counts from: with `due_roll = "following"` one on a weekend, a
    holiday or a closed day moves to the next working day (Germany: BGB 193)."""
    return calendar.next_working_day(due_on) if fee.due_roll == "following" else due_on


def latest_posting(
    fee: Fee, due_on: date, today: date, calendar: BusinessCalendar, stage_slot: str = ""
) -> Posting | None:
    """The last occasion to post on or before today; None where there was none yet.

    A missed posting day is caught up: the threshold has passed, whatever day it is.
    """
    if fee.post.kind == "claim_only" or fee.on == "returned_payment":
        return None
    due_on = late_from(fee, due_on, calendar)
    through = _through(fee, due_on, today, calendar, stage_slot)
    if through is None or through <= due_on + timedelta(days=fee.grace.count):
        return None
    slot = _slot(fee, due_on, through, stage_slot)
    return Posting(slot, through) if slot is not None else None


def _through(
    fee: Fee, due_on: date, today: date, calendar: BusinessCalendar, stage_slot: str
) -> date | None:
    post = fee.post
    if post.kind == "when_due":
        return today
    if post.kind == "month":
        on = month_posting(fee, today, calendar)
        if on > today:
            on = month_posting(fee, today.replace(day=1) - _DAY, calendar)
        return on
    if post.kind == "every":
        assert post.every is not None
        passed = (today - due_on).days // post.every.count
        return due_on + timedelta(days=passed * post.every.count) if passed > 0 else None
    if post.kind == "with_stage":
        return today if stage_slot else None
    return None


def _slot(fee: Fee, due_on: date, through: date, stage_slot: str) -> str | None:
    late = (through - due_on).days
    if fee.repeat is not None:
        reached = min(late // fee.repeat.every.count, fee.repeat.times)
        reached += fee.type == "flat_then_percent"
        return str(reached) if reached > 0 else None
    if fee.is_charged_once:
        return "1"
    if fee.type == "tiered" and not fee.is_daily_tiers:
        reached = sum(tier.from_day <= late for tier in fee.tiers)
        return str(reached) if reached > 0 else None
    if fee.post.kind == "with_stage":
        return stage_slot
    if fee.post.kind == "month":
        return f"{through:%Y-%m}"
    if fee.post.kind == "every":
        assert fee.post.every is not None
        return str(late // fee.post.every.count)
    if fee.type == "percent" and fee.month_count != "days/30":
        return str(_months(due_on, through, fee.month_count == "started"))
    return through.isoformat()


def _months(due_on: date, through: date, begun: bool) -> int:
    months = (through.year - due_on.year) * 12 + through.month - due_on.month
    while add_months(due_on, months) > through:
        months -= 1
    return months + (1 if begun and add_months(due_on, months) < through else 0)


def next_posting(fee: Fee, due_on: date, after: date, calendar: BusinessCalendar) -> date | None:
    """The first occasion after a day; None where none is known ahead."""
    if fee.on == "returned_payment":
        return None
    due_on = late_from(fee, due_on, calendar)
    earliest = max(after, due_on + timedelta(days=fee.grace.count)) + _DAY
    post = fee.post
    if post.kind == "month":
        on = month_posting(fee, earliest, calendar)
        if on < earliest:
            on = month_posting(fee, add_months(earliest.replace(day=1), 1), calendar)
        return on
    if post.kind == "every":
        assert post.every is not None
        passed = -(-(earliest - due_on).days // post.every.count)
        return due_on + timedelta(days=max(passed, 1) * post.every.count)
    if post.kind != "when_due":
        return None
    is_new = after <= due_on + timedelta(days=fee.grace.count)
    if fee.type == "flat_then_percent" and is_new:
        return earliest
    if fee.repeat is not None:
        every = fee.repeat.every.count
        reached = max(-(-(earliest - due_on).days // every), 1)
        return due_on + timedelta(days=reached * every) if reached <= fee.repeat.times else None
    if fee.type == "percent" and fee.per == "month" and fee.month_count != "days/30":
        months = _months(due_on, earliest - _DAY, False) + 1
        step = _DAY if fee.month_count == "started" else timedelta(0)
        at = add_months(due_on, months - 1) + step
        return at if at >= earliest else add_months(due_on, months) + step
    if fee.is_charged_once:
        # After its day there is nothing further to wait for.
        return earliest if is_new else None
    if fee.type == "tiered" and not fee.is_daily_tiers:
        steps = sorted(due_on + timedelta(days=tier.from_day) for tier in fee.tiers)
        return next((day for day in steps if day >= earliest), None)
    return earliest
