"""`ar-bridge withheld`: a part of an invoice that is not due before a day (a retention)."""

from typing import Annotated, Final

import typer

from ar_bridge.cli.desk import ReasonOption
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.saying import saying
from ar_bridge.cli.word_options import (
    CustomerOption,
    InvoiceOption,
    OwnerOption,
    ReviewOption,
    SubjectArgument,
    day_ahead,
)

EXAMPLE: Final = """\
\b
Example:
  ar-bridge withheld INV-7 --amount 500.00 --until 2027-06-30 --reason "retention, 5 %"
"""


def command(
    ctx: typer.Context,
    amount: Annotated[str, typer.Option("--amount", metavar="SUM", help="The part.")],
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The day from which it is due.")
    ],
    subject: SubjectArgument = None,
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    owner: OwnerOption = None,
    review_on: ReviewOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """That part is neither asked for nor bears a fee before the day; the rest goes on."""
    from rules.model import Withheld

    with saying(ctx, book, subject, customer, invoice, json) as said:
        held = said.one_invoice("it withheld")
        day = day_ahead(until, "--until", said.today, "a retention is due on a day to come")
        part = Withheld(
            **said.common("withheld", reason, owner, review_on),
            amount=said.part_of(held, amount, "name a part of what is open"),
            until=day,
        )
        said.record(part, f"{said.currency} {amount} of {held.number} are withheld until {day}")
