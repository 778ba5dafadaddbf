"""Published reference rates, dated. Percent a year.

A rate holds from its day until the next one; the newest holds for its half-year and no longer:
a day beyond it has no rate, and nothing that needs one is charged until somebody adds it (the
policy's `rates` on the fee), because the last known rate is not the present one. Rows that were
not compared with their source yet say so, and every derivation that uses one repeats it.
"""

from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from rules.calendar import add_months

_HALF_YEAR: Final = 6


class ReferenceRate(msgspec.Struct, frozen=True):
    """One publication."""

    from_: date
    percent: str
    is_checked: bool = True

    @property
    def exact(self) -> Fraction:
        return Fraction(self.percent)


class Series(msgspec.Struct, frozen=True):
    """The publications of one rate, in order of the day."""

    name: str
    source: str
    rates: tuple[ReferenceRate, ...] = ()

    @property
    def through(self) -> date | None:
        """The last day that has a rate."""
        if not self.rates:
            return None
        return add_months(self.rates[-1].from_, _HALF_YEAR) - timedelta(days=1)


def _series(name: str, source: str, *rates: tuple[str, str, bool]) -> Series:
    rows = (ReferenceRate(date.fromisoformat(day), percent, ok) for day, percent, ok in rates)
    return Series(name, source, tuple(rows))


# The Bank of England's rate of 30 June counts for interest that starts from 1 July, that of
# 31 December from 1 January (SI 2002/1675, art. 4).
BANK_OF_ENGLAND: Final = _series(
    "Bank of England official dealing rate",
    "bankofengland.co.uk, rate on 30 June and 31 December",
    ("2024-01-01", "5.25", True),
    ("2024-07-01", "5.25", False),
    ("2025-01-01", "4.75", True),
    ("2025-07-01", "4.25", True),
    ("2026-01-01", "3.75", False),
)

ECB: Final = _series(
    "ECB main refinancing rate of the half-year",
    "Directive 2011/7/EU, art. 2(7): the rate on 1 January and 1 July",
    ("2024-01-01", "4.50", True),
    ("2024-07-01", "4.25", True),
    ("2025-01-01", "3.15", False),
    ("2025-07-01", "2.15", False),
    ("2026-01-01", "2.15", True),
    ("2026-07-01", "2.40", True),
)

BASISZINSSATZ: Final = _series(
    "Basiszinssatz",
    "BGB 247: set by the Bundesbank on 1 January and 1 July",
    ("2016-07-01", "-0.88", True),
    ("2023-01-01", "1.62", True),
    ("2023-07-01", "3.12", False),
    ("2024-01-01", "3.62", False),
    ("2024-07-01", "3.37", False),
    ("2025-01-01", "2.27", False),
    ("2025-07-01", "1.27", False),
)

RBI_BANK_RATE: Final = _series("bank rate of the Reserve Bank of India", "rbi.org.in")
"""No publication is kept here: the policy names the rates."""

US_TREASURY: Final = _series("Prompt Payment interest rate", "fiscal.treasury.gov, 5 CFR 1315")
"""No publication is kept here: the policy names the rates."""
