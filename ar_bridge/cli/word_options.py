"""What the commands share that record a person's word."""

from datetime import date
from typing import Annotated, TypeAlias

import typer

from ar_bridge.errors import UsageError

SubjectArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SUBJECT]...", help="A customer, or invoices: number, id or name."),
]
CustomerOption: TypeAlias = Annotated[
    str | None, typer.Option("--customer", metavar="NAME", help="Customer: id or whole name.")
]
InvoiceOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--invoice", metavar="NUMBER", help="Invoice: number or id; may be repeated."),
]
OwnerOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--owner", metavar="WHO", help="Who looks after it; else the policy's [commitments] owner."
    ),
]
ReviewOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--review-on", metavar="DATE", help="When they look at it again."),
]


def day_of(text: str, option: str) -> date:
    """A date that somebody typed. Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f'{option} "{text}" is not a date.', remedy="write it like 2026-11-30"
        ) from None


def day_ahead(text: str, option: str, today: date, why: str) -> date:
    """A date that somebody typed and that has not passed. Raises UsageError; `why` says what it
    is for."""
    day = day_of(text, option)
    if day < today:
        raise UsageError(f"{day} has passed.", remedy=why)
    return day
