"""Interest that bears interest: added to the debt every day, month or year.

Months and years are counted from the due date (the anchor day is kept and clamped to the end of
the month). At each rest what accrued since the last one is added to what bears interest:

    daily      every day; the yearly rate is spread over the days as `day_count` says
    monthly    a full month bears a twelfth of the yearly rate in force on its first day, a
               begun one simple interest by `day_count` (India: MSMED Act 2006, s. 16)
    yearly     simple interest by `day_count` within each year (Netherlands: BW 6:119 lid 2)

What was added goes on bearing interest while anything of the debt itself is owed.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from rules.actions.late_fee import DerivationRow
from rules.calendar import add_months
from rules.fees.base import Accrued, FeeDays, major, rational, total_of
from rules.fees.day_count import fraction_of_year, is_leap, plain, rate_cuts
from rules.fees.timeline import BaseKind, Debt, Span, rate_on

Rates = list[tuple[date, Fraction]]

_DAY: Final = timedelta(days=1)

GRID: Final = 10**24
"""Daily compounding is carried to 24 decimals: the exact fractions of some years of days have
thousands of digits and differ from these by less than 10^-20 of the smallest coin."""


class _Rest(msgspec.Struct, frozen=True):
    """The days, both ends included, between two additions to the debt."""

    first: date
    last: date
    is_whole: bool


def compounded(
    debt: Debt, days: FeeDays, rates: Rates, *, base: BaseKind, day_count: str, rests: str
) -> Accrued:
    """One row for each run of days with one base and one rate. `rests`: daily, monthly, yearly."""
    if rests == "daily":
        rows = list(_daily(debt, days, rates, base, day_count))
        return total_of(rows, is_cut=days.is_cut)
    monthly = rests == "monthly"
    added = Fraction(0)
    rows = []
    for rest in _rests(debt, days, 1 if monthly else 12):
        since = Fraction(0)
        at_rest = rate_on(rates, rest.first)
        cuts = [] if monthly else rate_cuts(day_count, rates, rest.first, rest.last)
        for span in debt.spans(rest.first, rest.last, base, cuts):
            annual = at_rest if monthly else rate_on(rates, span.first)
            if annual is None:
                continue
            if monthly and rest.is_whole:
                share = annual / 1200 * Fraction(span.days, (rest.last - rest.first).days + 1)
            else:
                count, year = fraction_of_year(day_count, span.first, span.last)
                share = annual / 100 * Fraction(count, year)
            bearing = major(span.base, debt.currency) + added
            exact = bearing * share
            since += exact
            rows.append(_row(debt, span, bearing, annual, exact))
        if rest.is_whole:
            added += since
    return total_of(rows, is_cut=days.is_cut)


def _rests(debt: Debt, days: FeeDays, months: int) -> Iterator[_Rest]:
    number = 0
    while True:
        first = add_months(debt.due_on, number * months) + _DAY
        number += 1
        last = add_months(debt.due_on, number * months)
        if first > days.last:
            return
        if last < days.first:
            continue
        is_whole = days.first <= first and last <= days.last
        yield _Rest(max(first, days.first), min(last, days.last), is_whole)


def _daily(
    debt: Debt, days: FeeDays, rates: Rates, base: BaseKind, day_count: str
) -> Iterator[DerivationRow]:
    added = Fraction(0)
    cuts = rate_cuts(day_count, rates, days.first, days.last)
    for span in debt.spans(days.first, days.last, base, cuts):
        annual = rate_on(rates, span.first)
        if annual is None:
            continue
        # A year of 30/360 has no days to compound on: each day counts as the calendar's own.
        year = 360 if day_count in ("act/360", "30/360") else 365
        if day_count == "act/act" and is_leap(span.first.year):
            year = 366
        growth = (1 + annual / 100 / year) ** span.days - 1
        bearing = major(span.base, debt.currency) + added
        exact = Fraction(round(bearing * growth * GRID), GRID)
        added += exact
        yield _row(debt, span, bearing, annual, exact)


def _row(
    debt: Debt, span: Span, bearing: Fraction, annual: Fraction, exact: Fraction
) -> DerivationRow:
    return DerivationRow(
        kind="compounded",
        from_=span.first,
        to=span.last,
        days=span.days,
        base=round(bearing / major(1, debt.currency)),
        annual_rate=plain(annual),
        exact=rational(exact),
    )
