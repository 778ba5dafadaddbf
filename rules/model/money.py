"""Money is an integer number of minor units plus an ISO 4217 code; a float never touches it.

Sums and stored amounts are plain `int` (named `Minor`) next to a currency code, because a
book holds hundreds of thousands of them. `Fraction` carries exact intermediate results and
`round_minor` is the one place where an exact amount becomes money.
"""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import Final, TypeAlias

Minor: TypeAlias = int

# ISO 4217 currencies whose minor unit is not 1/100.
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


class AmountError(ValueError):
    """An amount that cannot be read, or that is finer than its currency allows."""


class Rounding(StrEnum):
    """How an exact amount becomes minor units. `half_up` rounds ties away from zero."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"
    UP = "up"


def currency_digits(currency: str) -> int:
    """Decimals of a currency by ISO 4217: USD 2, JPY 0, KWD 3."""
    return _DIGITS.get(currency, 2)


def parse_minor(amount: str | int | Decimal, currency: str) -> Minor:
    """Read a decimal amount in major units as exact minor units.

    Raises AmountError for text that is no plain number and for more decimals than the
    currency has: money is never rounded on the way in.
    """
    try:
        value = amount if isinstance(amount, Decimal) else Decimal(amount)
    except (InvalidOperation, ValueError, TypeError):
        raise AmountError(f"{amount!r} is not an amount of money") from None
    if not value.is_finite():
        raise AmountError(f"{amount!r} is not an amount of money")
    scaled = value.scaleb(currency_digits(currency))
    minor = int(scaled)
    if minor != scaled:
        raise AmountError(
            f"{amount} has more decimals than {currency} allows ({currency_digits(currency)})"
        )
    return minor


def format_minor(minor: Minor, currency: str) -> str:
    """Minor units as a decimal string in the currency's own digits: 120000 USD -> '1200.00'."""
    digits = currency_digits(currency)
    if digits == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}"


def exact_major(minor: Minor, currency: str) -> Fraction:
    """Minor units as an exact number of major units."""
    return Fraction(minor, 10 ** currency_digits(currency))


def round_minor(major: Fraction, currency: str, mode: Rounding = Rounding.HALF_UP) -> Minor:
    """Round an exact amount in major units once, to minor units."""
    unit: int = 10 ** currency_digits(currency)
    scaled = major * unit
    sign = -1 if scaled < 0 else 1
    whole, rest = divmod(abs(scaled.numerator), scaled.denominator)
    twice = 2 * rest
    if mode is Rounding.HALF_UP:
        up = twice >= scaled.denominator
    elif mode is Rounding.HALF_EVEN:
        up = twice > scaled.denominator or (twice == scaled.denominator and whole % 2 == 1)
    elif mode is Rounding.UP:
        up = rest > 0
    else:
        up = False
    return sign * (whole + up)
