"""Sums that somebody typed."""

from ar_bridge.errors import UsageError
from rules.model import AmountError, Minor, parse_minor


def sum_of(text: str, currency: str, option: str = "--amount") -> Minor:
    """A sum in minor units. Raises UsageError."""
    try:
        return parse_minor(text, currency)
    except AmountError as error:
        raise UsageError(f"{option}: {error}.", remedy="write it like 5.00") from None
