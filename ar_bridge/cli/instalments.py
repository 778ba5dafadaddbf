"""`ar-bridge instalments`: a customer pays in parts."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ar_bridge.cli.desk import ReasonOption
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.saying import Saying, saying
from ar_bridge.cli.word_options import (
    CustomerOption,
    InvoiceOption,
    OwnerOption,
    ReviewOption,
    SubjectArgument,
    day_ahead,
    day_of,
)
from ar_bridge.errors import UsageError

if TYPE_CHECKING:
    from rules.model import Invoice, Part

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge instalments INV-7 --part 2026-11-30=250.00 --part 2026-12-31=250.00
  ar-bridge instalments INV-7 INV-9 --every month --count 6 --first 2026-11-30 --total 1200.00
"""

EVERY: Final = {"week": 7, "fortnight": 14, "month": 0, "quarter": 0}
MOST: Final = 120


def command(
    ctx: typer.Context,
    subject: SubjectArgument = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="DATE=SUM", help="One part; say it for each of them."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="TIME", help=f"Equal parts: {', '.join(EVERY)}."),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", help="With --every: how many.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--first", metavar="DATE", help="With --every: the first day.")
    ] = None,
    total: Annotated[
        str | None,
        typer.Option("--total", metavar="SUM", help="With --every: of how much; else all of it."),
    ] = None,
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    owner: OwnerOption = None,
    review_on: ReviewOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """While the parts come in as agreed nothing else is asked for and no fee accrues.

    Without an invoice the plan is about all that is past due today. A part that is missed, grace
    included, brings the procedure back at its place.
    """
    from rules.model import Instalments, format_minor

    with saying(ctx, book, subject, customer, invoice, json) as said:
        about = list(said.invoices) or _past_due(said)
        owed = sum(one.balance for one in about)
        if part and (every or count or first or total):
            raise UsageError(
                "That is two plans.", remedy="say --part for each part, or --every with --count"
            )
        if part:
            parts = _named(said, part)
        else:
            parts = _equal(said, every, count, first, owed if total is None else None, total)
        agreed = sum(one.amount for one in parts)
        currency = about[0].currency
        if agreed > owed:
            raise UsageError(
                f"The parts come to {format_minor(agreed, currency)} {currency}, but only "
                f"{format_minor(owed, currency)} is open.",
                remedy="agree on parts of what is open",
            )
        common = said.common("instalments", reason, owner, review_on)
        plan = Instalments(
            **{**common, "invoices": tuple(one.id for one in about)},
            parts=tuple(parts),
            currency=currency,
        )
        numbers = ", ".join(one.number for one in about)
        lines = [f"  {one.due_on}: {format_minor(one.amount, currency)}" for one in parts]
        if agreed < owed:
            lines.append(f"  open after it: {format_minor(owed - agreed, currency)}")
        said.record(
            plan,
            f"{said.customer.name} pays {format_minor(agreed, currency)} {currency} on {numbers} "
            f"in {len(parts)} parts",
            *lines,
        )


def _past_due(said: Saying) -> "list[Invoice]":
    """What the customer owes past due, the oldest first. Raises UsageError where that is nothing
    or in several currencies."""
    book = said.desk.load(said.conn, said.today, [said.customer.id], ())
    found = [
        one
        for one in book.invoices
        if one.customer == said.customer.id
        and one.status == "open"
        and one.balance > 0
        and not one.is_fee
        and one.due_on is not None
        and one.due_on < said.today
    ]
    currencies = sorted({one.currency for one in found})
    if len(currencies) != 1:
        raise UsageError(
            f"{said.customer.name} owes nothing past due."
            if not found
            else f"{said.customer.name} owes in {' and '.join(currencies)}.",
            remedy="name the invoices",
        )
    return sorted(found, key=lambda one: (one.due_on or date.max, one.id))


def _named(said: Saying, texts: Sequence[str]) -> "list[Part]":
    from rules.model import Part

    parts: list[Part] = []
    for text in texts:
        day, equals, amount = text.partition("=")
        if not equals:
            raise UsageError(
                f'--part "{text}" is no part.', remedy="write it like 2026-11-30=250.00"
            )
        due_on = day_ahead(day.strip(), "--part", said.today, "a part is for a day to come")
        parts.append(Part(due_on, said.sum(amount.strip(), "--part")))
    if len({one.due_on for one in parts}) < len(parts):
        raise UsageError("Two parts are due on one day.", remedy="make them one part")
    return sorted(parts, key=lambda one: one.due_on)


def _equal(
    said: Saying,
    every: str | None,
    count: int | None,
    first: str | None,
    owed: int | None,
    total: str | None,
) -> "list[Part]":
    """Equal parts, cents left over in the last one; months keep the first day's number."""
    from datetime import timedelta

    from rules.calendar import add_months
    from rules.model import Part

    if every is None or count is None or first is None:
        raise UsageError(
            "Which parts?",
            remedy="say --part DATE=SUM for each, or --every month --count 6 --first DATE",
        )
    if every not in EVERY:
        raise UsageError(f'--every "{every}" is not known.', remedy=f"one of: {', '.join(EVERY)}")
    if not 1 <= count <= MOST:
        raise UsageError(f"--count {count} is not possible.", remedy=f"say 1 to {MOST}")
    begin = day_of(first, "--first")
    if begin < said.today:
        raise UsageError(f"{begin} has passed.", remedy="a part is for a day to come")
    amount = owed if total is None else said.sum(total, "--total")
    assert amount is not None
    share = amount // count
    if share <= 0:
        raise UsageError("The parts would be nothing.", remedy="agree on fewer parts")
    months = {"month": 1, "quarter": 3}.get(every, 0)
    days = [
        add_months(begin, months * turn) if months else begin + timedelta(days=EVERY[every] * turn)
        for turn in range(count)
    ]
    sums = [share] * (count - 1) + [amount - share * (count - 1)]
    return [Part(day, each) for day, each in zip(days, sums, strict=True)]
