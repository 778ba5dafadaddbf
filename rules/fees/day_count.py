"""How days become years, and how a yearly rate is written."""

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction


def fraction_of_year(day_count: str, first: date, last: date) -> tuple[int, int]:
    """Days that a span counts, and the length of its year. `first` and `last` are included.

    30/360 is the European form: every month has thirty days.
    """
    days = (last - first).days + 1
    if day_count == "30/360":
        return _thirties(last) - _thirties(first - timedelta(days=1)), 360
    if day_count == "act/360":
        return days, 360
    if day_count == "act/act":
        return days, 366 if is_leap(first.year) else 365
    return days, 365


def _thirties(day: date) -> int:
    """Days since year 0 where every month has thirty."""
    return day.year * 360 + day.month * 30 + min(day.day, 30)


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def rate_cuts(
    day_count: str, rates: Iterable[tuple[date, Fraction]], first: date, last: date
) -> list[date]:
    """Days on which a run of days ends because the rate, or the length of the year, changes."""
    cuts = [day for day, _ in rates]
    if day_count == "act/act":
        cuts += [date(year, 1, 1) for year in range(first.year + 1, last.year + 1)]
    return cuts


def plain(rate: Fraction) -> str:
    """A percentage as people write it: 18, 12.75. Percentages come from exact decimals."""
    digits = 0
    while (rate * 10**digits).denominator != 1 and digits < 12:
        digits += 1
    scaled = rate * 10**digits
    whole, part = divmod(abs(scaled.numerator // scaled.denominator), 10**digits)
    sign = "-" if rate < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"
