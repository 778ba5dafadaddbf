"""`interest`: simple interest on what is owed, day by day, at one rate or at dated rates."""

from datetime import date, timedelta
from fractions import Fraction

from rules.actions.late_fee import DerivationRow
from rules.fees.base import NOTHING, Accrued, chargeable_days, major, rational, total_of
from rules.fees.timeline import Debt, rate_on
from rules.policy.fee import Fee


def interest(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """One row for each run of days with one base and one rate.

    A day before the first dated rate bears nothing.
    """
    days = chargeable_days(fee, debt, through, from_day)
    if days is None:
        return NOTHING
    rates = _rates(fee)
    if fee.rate_fix == "at_start":
        rates = [(date.min, rate_on(rates, days.first) or Fraction(0))]
    cuts = [day for day, _ in rates]
    if fee.day_count == "act/act":
        cuts += [date(year, 1, 1) for year in range(days.first.year + 1, days.last.year + 1)]
    rows: list[DerivationRow] = []
    for span in debt.spans(days.first, days.last, fee.base, cuts):
        annual = rate_on(rates, span.first)
        if annual is None:
            continue
        count, year = _fraction_of_year(fee.day_count, span.first, span.last)
        exact = major(span.base, debt.currency) * annual / 100 * Fraction(count, year)
        rows.append(
            DerivationRow(
                kind="segment",
                from_=span.first,
                to=span.last,
                days=count,
                base=round(span.base),
                annual_rate=_plain(annual),
                exact=rational(exact),
            )
        )
    return total_of(rows, is_cut=days.is_cut)


def _rates(fee: Fee) -> list[tuple[date, Fraction]]:
    if fee.rates:
        return sorted((dated.from_, Fraction(dated.annual)) for dated in fee.rates)
    return [(date.min, Fraction(fee.annual_rate or 0))]


def _fraction_of_year(day_count: str, first: date, last: date) -> tuple[int, int]:
    """Days that a span counts, and the length of its year. `first` and `last` are included."""
    days = (last - first).days + 1
    if day_count == "30/360":
        return _thirties(last) - _thirties(first - timedelta(days=1)), 360
    if day_count == "act/360":
        return days, 360
    if day_count == "act/act":
        return days, 366 if _is_leap(first.year) else 365
    return days, 365


def _thirties(day: date) -> int:
    """Days since year 0 where every month has thirty."""
    return day.year * 360 + day.month * 30 + min(day.day, 30)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _plain(rate: Fraction) -> str:
    """A percentage as people write it: 18, 12.75. Percentages come from exact decimals."""
    digits = 0
    while (rate * 10**digits).denominator != 1 and digits < 12:
        digits += 1
    scaled = rate * 10**digits
    whole, part = divmod(abs(scaled.numerator // scaled.denominator), 10**digits)
    sign = "-" if rate < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"
