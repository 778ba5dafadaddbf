"""Date fields that people add to invoices: their names, and dates as people type them."""

import re
from datetime import date
from typing import Final

_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_ISO: Final = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ].*)?")
_TYPED: Final = re.compile(r"(\d\d?)[./-](\d\d?)[./-](\d{4})")


def field_name(text: str) -> str:
    """The name by which a policy speaks of a field: `Work date` is `work_date`."""
    return _NOT_IN_A_NAME.sub("_", text.casefold()).strip("_")


def read_date(text: str, *, day_first: bool | None = None) -> date | None:
    """A day as ISO 8601 writes it, or as people type it: `13.09.2026`, `9/13/2026`.

    Of one that could be read both ways, `day_first` decides; where nobody knows (None), it is no
    date at all: a wrong day is worse than none. None for anything else.
    """
    found = _ISO.fullmatch(text.strip())
    if found is not None:
        return _day(int(found[1]), int(found[2]), int(found[3]))
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        return None
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    if "." in text or first > 12:
        day_first = True
    elif second > 12:
        day_first = False
    elif first == second:
        day_first = True
    if day_first is None:
        return None
    return _day(year, second, first) if day_first else _day(year, first, second)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
