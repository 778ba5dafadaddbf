"""`ar-bridge pause`: say nothing to a customer until a date."""

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
  ar-bridge pause "North Ltd" --until 2026-12-01 --reason "new accountant, asked for time"
"""


def command(
    ctx: typer.Context,
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="Last day of the pause (inclusive).")
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
    """Nothing that the customer could see happens until then; tasks for colleagues go on."""
    from rules.model import Pause

    with saying(ctx, book, subject, customer, invoice, json, of_customers=True) as said:
        last = day_ahead(until, "--until", said.today, "a pause ends on a day to come")
        paused = Pause(**said.common("pause", reason, owner, review_on), until=last)
        said.record(paused, f"{said.customer.name} is left alone until {last}")
