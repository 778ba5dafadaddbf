"""`ar-bridge stop-customer`: stop everything that a customer could see."""

from typing import Annotated, Final, Literal, cast

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
)

GROUNDS: Final = ("insolvency", "deceased", "lawyer", "vulnerable", "other")

EXAMPLE: Final = """\
\b
Example:
  ar-bridge stop-customer "North Ltd" --because insolvency --owner ann --reason "notice of 3 Nov"
"""


def command(
    ctx: typer.Context,
    subject: SubjectArgument = None,
    because: Annotated[
        str, typer.Option("--because", metavar="GROUND", help=", ".join(GROUNDS) + ".")
    ] = "other",
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    owner: OwnerOption = None,
    review_on: ReviewOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """No message, no fee, no statement, no hand-off for this customer until a person resumes.

    An invoice only names its customer: the whole customer stops. Insolvency also sets a task to
    send in the proof of debt.
    """
    from difflib import get_close_matches

    import msgspec

    from ar_bridge.errors import UsageError
    from rules.model import Stop

    if because not in GROUNDS:
        near = get_close_matches(because, GROUNDS, n=1)
        raise UsageError(
            f'--because "{because}" is no ground.' + (f" Did you mean {near[0]}?" if near else ""),
            remedy=f"one of: {', '.join(GROUNDS)}",
        )
    ground = cast(Literal["insolvency", "deceased", "lawyer", "vulnerable", "other"], because)
    with saying(ctx, book, subject, customer, invoice, json, of_customers=True) as said:
        stopped = Stop(**said.common("stop", reason, owner, review_on), because=ground)
        whole = msgspec.structs.replace(stopped, invoices=())
        said.record(whole, f"nothing more goes to {said.customer.name}")
