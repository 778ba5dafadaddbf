"""`ar-bridge dispute`: a customer contests an invoice, or no more."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

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

if TYPE_CHECKING:
    from rules.model import Commitment, CreditExpected

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

    Parts contested one after the other add up; what is left goes on. What the customer was right
    about is not asked for either until its credit note is there, or a person has looked.
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
        part = None
        if amount is not None:
            part = said.part_of(
                said.one_invoice("that the contested part"),
                amount,
                "leave --amount out to dispute the whole",
            )
        contested = Dispute(
            **said.common("dispute", reason, owner, review_on),
            amount=part,
        )
        said.record(contested, f"{said.customer.name} contests {said.numbers}")


def _end(said: Saying, won_by: Literal["customer", "us"], reason: str) -> None:
    from ar_bridge import words
    from ar_bridge.errors import UsageError
    from ar_bridge.telling import tell, tell_ended
    from ar_bridge.word_subject import ids
    from rules.model import Dispute, format_minor

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
    lines: list[str] = []
    expected = list(_credits_to_come(said, open_ones, reason)) if won_by == "customer" else []
    for credit in expected:
        tell(said.conn, said.desk, credit, actor=said.desk.worker, currency=said.currency)
        lines.append(
            f"{format_minor(credit.amount, said.currency)} {said.currency} of it is not asked for "
            f"until {credit.until} ({credit.id}): write the credit note"
        )
    said.answer(
        [*open_ones, *expected], f"ended {ended}, won by {won_by}; {told}", *lines, note=told
    )


def _credits_to_come(
    said: Saying, ended: "Sequence[Commitment]", reason: str
) -> "Iterator[CreditExpected]":
    """What the customer was right about and no credit note since has taken off yet: until there
    is one, or a person has looked, it is neither chased nor charged for."""
    from rules.aging import is_open
    from rules.calendar import BusinessCalendar
    from rules.model import CreditExpected, Dispute, HolidaySet

    book = said.desk.load(said.conn, said.today, {said.customer.id}, ())
    calendar = BusinessCalendar(HolidaySet(region=""), ())
    until = calendar.shift(said.today, said.desk.policy.commitments.review_after)
    for dispute in ended:
        for invoice in book.invoices:
            if invoice.id not in dispute.invoices or not is_open(invoice):
                continue
            credited = sum(
                part.amount
                for note in book.credits
                if note.kind == "credit_note" and note.on >= dispute.on
                for part in note.allocations
                if part.invoice == invoice.id
            )
            assert isinstance(dispute, Dispute)
            if dispute.amount is None:
                left = 0 if credited else invoice.balance
            else:
                left = min(dispute.amount - credited, invoice.balance)
            if left > 0:
                told = said.common("credit_expected", reason, dispute.owner or None, None)
                told["invoices"] = (invoice.id,)
                yield CreditExpected(**told, amount=left, until=until)
