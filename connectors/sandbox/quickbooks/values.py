"""Values of a request body, or the refusal that QuickBooks gives for them."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from connectors.sandbox.quickbooks.faults import QuickBooksFault
from rules.model.money import AmountError, Minor, parse_minor

Body: TypeAlias = Mapping[str, Any]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def required(body: Body, *names: str) -> None:
    """Refuse with 2020 what is missing or blank."""
    for name in names:
        if body.get(name) in (None, "", []):
            raise missing(name)


def missing(name: str) -> QuickBooksFault:
    return QuickBooksFault("2020", f"Required parameter {name} is missing in the request", name)


def bad_reference(name: str, key: str) -> QuickBooksFault:
    return QuickBooksFault("2500", f"Invalid Reference Id : {name} {key!r} not found", name)


def reference(body: Body, name: str) -> str:
    """The id in a reference; empty where there is none."""
    return str((body.get(name) or {}).get("value") or "")


def number(value: object, name: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise QuickBooksFault("2010", f"{name}: {value!r} is not a number", name) from None


def minor(value: object, currency: str, name: str) -> Minor:
    try:
        return parse_minor(number(value, name), currency)
    except AmountError as trouble:
        raise QuickBooksFault("2010", f"{name}: {trouble}", name) from None


def day(body: Body, name: str) -> date | None:
    if body.get(name) is None:
        return None
    try:
        return date.fromisoformat(str(body[name]))
    except ValueError:
        raise QuickBooksFault("2010", f"{name}: {body[name]!r} is not a date", name) from None


def address(body: Body, name: str) -> str:
    """An e-mail address, or several with commas between."""
    text = str((body.get(name) or {}).get("Address") or "")
    for one in re.split(r"[,;]\s*", text) if text else ():
        if not _EMAIL.fullmatch(one):
            raise QuickBooksFault("2210", f"Email Address does not conform: {one}", name)
    return text
