"""Xero's three ways of writing a date: `/Date(ms+0000)/`, ISO 8601, and nothing.

The milliseconds of an accounting date are midnight UTC of that day whatever the organisation's
zone, and the offset behind them is decoration: a day is never shifted to local time.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

_MS_DATE: Final = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.date().toordinal()
_DAY_MS: Final = 86_400_000


class DateError(ValueError):
    """Text that is no date in any of Xero's spellings."""


@lru_cache(maxsize=4096)  # a page names the same few days again and again
def parse_day(text: str | None) -> date | None:
    """The accounting day; None for null and empty text. Raises DateError."""
    if not text:
        return None
    match = _MS_DATE.fullmatch(text)
    try:
        if match is not None:
            return date.fromordinal(_EPOCH_DAY + int(match[1]) // _DAY_MS)
        return date.fromisoformat(text[:10])
    except (ValueError, OverflowError):
        raise DateError(f"{text!r} is not a date") from None


def parse_instant(text: str | None) -> datetime | None:
    """The instant, aware UTC; None for null and empty text. Raises DateError."""
    if not text:
        return None
    match = _MS_DATE.fullmatch(text)
    try:
        if match is not None:
            return _EPOCH + timedelta(milliseconds=int(match[1]))
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise DateError(f"{text!r} is not a time") from None
    # Xero writes UTC without saying so.
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def instant_text(instant: datetime) -> str:
    """An instant for If-Modified-Since: `2026-01-31T09:15:00Z`, whole seconds, never later."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
