"""Custom fields of QuickBooks invoices: the purchase order, and dates that people keep there."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from connectors.quickbooks import wire
from rules.model.date_fields import field_name, read_date

_PO_NAMES: Final = frozenset({"po", "po number", "p.o. number", "purchase order"})

_DAY_FIRST: Final[dict[str, bool | None]] = {"USD": False, "CAD": None, "": None}
"""Order of day and month that people of a home currency are used to; either in Canada."""


def purchase_order(fields: Sequence[wire.CustomField] | None) -> str:
    """The customer's order number; empty where there is none."""
    for field in fields or ():
        if field.name and field.string_value and field.name.strip().lower() in _PO_NAMES:
            return field.string_value
    return ""


def date_fields(
    fields: Sequence[wire.CustomField] | None, home_currency: str
) -> tuple[tuple[str, date], ...]:
    """Fields whose text reads as a date, by name: QuickBooks keeps dates as text. What is no
    date, or may be one of two, is ignored."""
    if not fields:
        return ()
    day_first = _DAY_FIRST.get(home_currency, True)
    read = (
        (field_name(field.name), read_date(field.string_value, day_first=day_first))
        for field in fields
        if field.name and field.string_value
    )
    return tuple(sorted((name, on) for name, on in read if name and on is not None))
