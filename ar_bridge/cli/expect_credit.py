"""`ar-bridge expect-credit`: a credit note for an invoice is on its way."""

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
  ar-bridge expect-credit INV-7 --amount 120.00 --by 2026-11-20 --reason "two chairs returned"
"""


def command(
    ctx: typer.Context,
    amount: Annotated[str, typer.Option("--amount", metavar="SUM", help="What will be credited.")],
    by: Annotated[
        str, typer.Option("--by", metavar="DATE", help="The day by which it should be here.")
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
    """That amount is not asked for until then; if the credit is not there, it becomes a task."""
    from rules.model import CreditExpected

    with saying(ctx, book, subject, customer, invoice, json) as said:
        credited = said.one_invoice("a credit expected")
        day = day_ahead(by, "--by", said.today, "a credit is expected on a day to come")
        expected = CreditExpected(
            **said.common("credit_expected", reason, owner, review_on),
            amount=said.part_of(credited, amount, "name a part of what is open"),
            until=day,
        )
        said.record(expected, f"a credit of {said.currency} {amount} on {credited.number} by {day}")
