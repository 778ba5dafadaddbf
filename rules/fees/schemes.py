"""What the law of late payment gives a creditor, scheme by scheme. No legal advice.

uk                  Late Payment of Commercial Debts (Interest) Act 1998; SI 2002/1675: the
                    rate is fixed by the half-year in which interest starts to run
eu, eu:XX           Directive 2011/7/EU as a minimum: simple, floating by half-year, EUR 40
eu:FR               Code de commerce L441-10: ten points above the ECB's rate
eu:AT               UGB 456: 9.2 points above the base rate, which has to be named
de, de:consumer     BGB 288, 247: floating by half-year; the fixed sum not from consumers
ie                  SI 580/2012: one rate for the payment; compensation in bands
nl                  BW 6:119a: added to the debt after each full year
in:msmed            MSMED Act 2006, s. 16: three times the bank rate, monthly rests
us:prompt-payment   5 CFR 1315.17: simple on 360 days up to 30 days, monthly beyond
"""

from fractions import Fraction
from typing import Final, Literal

import msgspec

from rules.fees.reference_rates import (
    BANK_OF_ENGLAND,
    BASISZINSSATZ,
    ECB,
    RBI_BANK_RATE,
    US_TREASURY,
    Series,
)
from rules.policy.fee_tables import EU_MEMBERS


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """The conventions of one law."""

    series: Series
    margin: str = "0"
    """Percentage points on top of the reference rate."""
    factor: int = 1
    rate_fix: Literal["floating", "at_start"] = "floating"
    day_count: Literal["act/365", "act/360"] = "act/365"
    compounding: Literal["none", "monthly", "yearly"] = "none"
    simple_up_to: int = 0
    """Days up to which nothing is compounded."""
    currency: str = ""
    """Of the bands."""
    bands: tuple[tuple[str, str], ...] = ()
    """(least debt, fixed sum), the bound included."""

    def annual(self, reference: Fraction) -> Fraction:
        """Percent a year at a reference rate."""
        return reference * self.factor + Fraction(self.margin)


_EU_SUM: Final = (("0", "40.00"),)
_EU: Final = Scheme(series=ECB, margin="8", currency="EUR", bands=_EU_SUM)

_BUILT_IN: Final[dict[str, Scheme]] = {
    "uk": Scheme(
        series=BANK_OF_ENGLAND,
        margin="8",
        rate_fix="at_start",
        currency="GBP",
        bands=(("0", "40.00"), ("1000", "70.00"), ("10000", "100.00")),
    ),
    "eu": _EU,
    "eu:FR": Scheme(series=ECB, margin="10", currency="EUR", bands=_EU_SUM),
    "eu:AT": Scheme(
        series=Series("Austrian base rate", "oenb.at"),
        margin="9.2",
        currency="EUR",
        bands=_EU_SUM,
    ),
    "de": Scheme(series=BASISZINSSATZ, margin="9", currency="EUR", bands=_EU_SUM),
    "de:consumer": Scheme(series=BASISZINSSATZ, margin="5"),
    "ie": Scheme(
        series=ECB,
        margin="8",
        rate_fix="at_start",
        currency="EUR",
        # Up to and including 1,000 and 10,000: the next band begins a cent later.
        bands=(("0", "40.00"), ("1000.01", "70.00"), ("10000.01", "100.00")),
    ),
    "nl": Scheme(series=ECB, margin="8", compounding="yearly", currency="EUR", bands=_EU_SUM),
    "in:msmed": Scheme(series=RBI_BANK_RATE, factor=3, compounding="monthly"),
    "us:prompt-payment": Scheme(
        series=US_TREASURY,
        rate_fix="at_start",
        day_count="act/360",
        compounding="monthly",
        simple_up_to=30,
    ),
}

_SAME: Final = {"eu:DE": "de", "eu:IE": "ie", "eu:NL": "nl"}

SCHEMES: Final[dict[str, Scheme]] = {
    **{f"eu:{country}": _EU for country in EU_MEMBERS},
    **_BUILT_IN,
    **{name: _BUILT_IN[same] for name, same in _SAME.items()},
}
"""Every name that `scheme` may have (`rules.policy.fee_tables.SCHEME_NAMES`)."""
