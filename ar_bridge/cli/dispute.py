"""`ar-bridge dispute`: a customer contests an invoice, or no more."""

from typing import Annotated, Final, Literal, cast

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
)

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge dispute INV-7 --amount 200.00 --owner ann --reason "short delivery"
  ar-bridge dispute INV-7 --won-by customer --reason "credited"
"""


def command(
    ctx: typer.Context,
    subject: SubjectArgument = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="SUM", help="The contested part; else all.")
    ] = None,
    won_by: Annotated[
        str | None,
        typer.Option("--won-by", metavar="WHO", help="End it: won by customer, or by us."),
    ] = None,
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    owner: OwnerOption = None,
    review_on: ReviewOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """What is contested is neither chased nor charged for until the dispute ends.

    Parts contested one after the other add up; what is left goes on.
    """
    from ar_bridge.errors import UsageError
    from rules.model import Dispute

    if won_by not in (None, "customer", "us"):
        raise UsageError(
            f'--won-by "{won_by}" is neither customer nor us.', remedy="say who was right"
        )
    with saying(ctx, book, subject, customer, invoice, json) as said:
        if won_by is not None:
            _end(said, cast(Literal["customer", "us"], won_by), reason)
            return
        if not said.invoices:
            raise UsageError("Which invoice is contested?", remedy="name it by its number")
        if amount is not None:
            said.one_invoice("that the contested part")
        contested = Dispute(
            **said.common("dispute", reason, owner, review_on),
            amount=None if amount is None else said.sum(amount),
        )
        said.record(contested, f"{said.customer.name} contests {said.numbers}")


def _end(said: Saying, won_by: Literal["customer", "us"], reason: str) -> None:
    from ar_bridge import words
    from ar_bridge.errors import UsageError
    from ar_bridge.telling import tell_ended
    from ar_bridge.word_subject import ids
    from rules.model import Dispute

    wanted = set(ids(said.invoices))
    open_ones = [
        found
        for found in words.standing(
            said.conn, said.desk.book_id, said.customer.id, [Dispute], said.today
        )
        if not wanted or wanted & set(found.invoices)
    ]
    if not open_ones:
        raise UsageError(
            f"No dispute of {said.customer.name} is open on that.",
            remedy="ar-bridge holds lists what stands",
        )
    told = tell_ended(
        said.conn,
        said.desk,
        open_ones,
        kind="dispute_end",
        actor=said.desk.worker,
        reason=reason,
        won_by=won_by,
    )
    ended = ", ".join(found.id for found in open_ones)
    said.answer(open_ones, f"ended {ended}, won by {won_by}; {told}", note=told)
