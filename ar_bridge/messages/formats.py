"""Money and dates as the reader of a message writes them (CLDR, through Babel)."""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from rules.model.money import Minor, currency_digits, format_minor

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """Text of a ledger made safe for a subject line or a plain-text line.

    Control characters and direction overrides become a space (a line break in a name must not
    become a mail header), and braces are parted so that no name can pose as a late slot.
    """
    if _is_clean(text):
        return text
    return " ".join(_CONTROL.sub(" ", text).split()).replace("{{", "{ {").replace("}}", "} }")


def _is_clean(text: str) -> bool:
    # Nearly every name and number is; the rest is looked at closely.
    return (
        text.isascii()
        and text.isprintable()
        and "  " not in text
        and text[:1] != " "
        and text[-1:] != " "
        and "{{" not in text
        and "}}" not in text
    )


def locale_for(language: str, *countries: str) -> Locale:
    """The locale of a language in the first of the countries that it is known in.

    `en` and `GB` give en_GB; a pair that CLDR does not know falls back to the language alone,
    and an unknown language to English.
    """
    code = language.split("-")[0].split("_")[0].lower() or "en"
    for country in filter(None, countries):
        try:
            return Locale.parse(f"{code}_{country.upper()}")
        except (UnknownLocaleError, ValueError):
            continue
    try:
        return Locale(code)
    except (UnknownLocaleError, ValueError):
        return Locale("en")


# A plan writes the same days and amounts over and over: in the table, in the total, again just
# before sending. Babel takes longer over them than everything else in a message.
@lru_cache(maxsize=4096)
def _written_day(on: date, width: Literal["medium", "long"], code: str) -> str:
    return format_date(on, width, locale=code)


@lru_cache(maxsize=1024)
def _money_pattern(digits: int, is_negative: bool, currency: str, code: str) -> str | None:
    """How amounts of so many digits are written, `%s` for each digit, where that is all there is
    to it: the figure 1 stands in no sign of a currency and in no separator."""
    ones = int("1" * digits) * (-1 if is_negative else 1)
    written = format_currency(Decimal(format_minor(ones, currency)), currency, locale=code)
    return _pattern_of(written, digits)


@lru_cache(maxsize=4096)
def _written_money(minor: Minor, currency: str, code: str) -> str:
    figures = str(abs(minor))
    if len(figures) > currency_digits(currency):
        pattern = _money_pattern(len(figures), minor < 0, currency, code)
        if pattern is not None:
            return pattern % tuple(figures)
    return format_currency(Decimal(format_minor(minor, currency)), currency, locale=code)


def exactly(value: Decimal, shown: int, currency: str, code: str) -> str:
    """An amount with so many decimals, as CLDR writes it."""
    locale = Locale.parse(code)
    pattern = locale.currency_formats["standard"].pattern
    return format_currency(
        value,
        currency,
        format=re.sub(r"0\.0+", "0." + "0" * shown if shown else "0", pattern),
        locale=locale,
        currency_digits=False,
    )


@lru_cache(maxsize=1024)
def _exact_pattern(
    digits: int, shown: int, is_negative: bool, currency: str, code: str
) -> str | None:
    """As `_money_pattern`, with more decimals than the currency has."""
    ones = Decimal("1" * digits).scaleb(-shown) * (-1 if is_negative else 1)
    return _pattern_of(exactly(ones, shown, currency, code), digits)


def _pattern_of(written: str, digits: int) -> str | None:
    if written.count("1") != digits or re.search(r"[02-9%]", written):
        return None
    return written.replace("1", "%s")


def quotient(text: str) -> tuple[int, int]:
    """A rational number as it is stored, `num/den`: what stands above and below the bar."""
    above, _, below = text.partition("/")
    return int(above), int(below or 1)


class Formats:
    """Writes amounts and dates for one locale."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self._code = str(locale)

    def money(self, minor: Minor, currency: str) -> str:
        """Minor units with the currency's own sign and digits: 120000 GBP -> £1,200.00."""
        return _written_money(minor, currency, self._code)

    def exact_money(self, major: Fraction, currency: str, *, extra: int = 2) -> str:
        """An exact amount, shown with up to `extra` digits more than the currency has.

        Trailing zeros beyond the currency's own digits are left out, so a whole cent reads as one.
        """
        return self.exact_ratio(major.numerator, major.denominator, currency, extra=extra)

    def exact_ratio(self, above: int, below: int, currency: str, *, extra: int = 2) -> str:
        """The same of a quotient that need not be reduced; `below` is positive."""
        digits = currency_digits(currency)
        scaled, rest = divmod(above * 10 ** (digits + extra), below)
        if 2 * rest > below or (2 * rest == below and scaled % 2):
            scaled += 1  # to the nearest, and of two to the even one
        shown = digits + extra
        while shown > digits and scaled % 10 == 0:
            scaled //= 10
            shown -= 1
        figures = str(abs(scaled)).zfill(shown + 1)
        filled = _exact_pattern(len(figures), shown, scaled < 0, currency, self._code)
        if filled:
            return filled % tuple(figures)
        return exactly(Decimal(scaled).scaleb(-shown), shown, currency, self._code)

    def day(self, on: date | None) -> str:
        """A date for a table: 1 Sept 2026."""
        return "" if on is None else _written_day(on, "medium", self._code)

    def long_day(self, on: date | None) -> str:
        """A date for a sentence: 1 September 2026."""
        return "" if on is None else _written_day(on, "long", self._code)

    def rate(self, percent: str) -> str:
        """A yearly rate in percent as it stands in the policy: 18 -> 18%."""
        return f"{percent}%"


@lru_cache(maxsize=256)
def formats_for(language: str, *countries: str) -> Formats:
    """The way of writing of a language in the first of the countries that it is known in."""
    return Formats(locale_for(language, *countries))
