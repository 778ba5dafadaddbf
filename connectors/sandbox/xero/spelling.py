"""How Xero writes dates, instants and amounts."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from rules.model.money import Minor, currency_digits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


def ms_date(day: date) -> str:
    """Midnight UTC of an accounting day."""
    return ms_instant(datetime.combine(day, time(), UTC))


def ms_instant(at: datetime) -> str:
    return f"/Date({(at - _EPOCH) // timedelta(milliseconds=1)}+0000)/"


def day_text(day: date) -> str:
    """The `...String` twin of a date."""
    return f"{day.isoformat()}T00:00:00"


def read_date(text: Any) -> date | None:
    """A date as clients may write it: ISO, with or without a time, or `/Date(ms)/`.

    Raises ValueError for anything else; None for null and empty text.
    """
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise ValueError(text)
    match = _MS_DATE.fullmatch(text)
    if match is not None:
        return (_EPOCH + timedelta(milliseconds=int(match[1]))).date()
    return datetime.fromisoformat(text).date()


def read_since(text: str) -> datetime | None:
    """If-Modified-Since. What Xero cannot read it ignores, and gives everything."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def amount(minor: Minor, currency: str) -> Decimal:
    """Minor units as the decimal number of an answer."""
    return Decimal(minor).scaleb(-currency_digits(currency))
