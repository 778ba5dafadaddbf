"""What the commands share that record a person's word."""

from datetime import date
from typing import Annotated, TypeAlias

import typer

from ar_bridge.errors import UsageError

CustomerOption: TypeAlias = Annotated[
    str | None, typer.Option("--customer", metavar="NAME", help="Customer: id or whole name.")
]
InvoiceOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--invoice", metavar="NUMBER", help="Invoice: number or id; may be repeated."),
]


def day_of(text: str, option: str) -> date:
    """A date that somebody typed. Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f'{option} "{text}" is not a date.', remedy="write it like 2026-11-30"
        ) from None
