"""`ar-bridge promise`: a customer promised to pay."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption
from ar_bridge.cli.word_options import CustomerOption, InvoiceOption, day_of


def command(
    ctx: typer.Context,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="The day they will pay.")],
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="SUM", help="How much; else all of it.")
    ] = None,
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """Reminders wait until the day after the promise; a broken one goes on from there."""
    from ar_bridge.errors import UsageError
    from ar_bridge.store import commitments
    from ar_bridge.telling import tell
    from ar_bridge.word_subject import ids, subject_of
    from rules.model import AmountError, Promise, parse_minor

    due_on = day_of(on, "--on")
    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner, invoices = subject_of(conn, desk.book_id, customer, invoice or ())
        today = desk.today()
        if due_on < today:
            raise UsageError(f"{due_on} has passed.", remedy="a promise is for a day to come")
        currency = (
            invoices[0].currency if invoices else owner.currency or desk.company.base_currency
        )
        try:
            minor = None if amount is None else parse_minor(amount, currency)
        except AmountError as error:
            raise UsageError(f"--amount: {error}.", remedy="write it like 750.00") from None
        promised = Promise(
            id=commitments.new_id(conn, desk.book_id, "promise", owner.id, today),
            customer=owner.id,
            invoices=ids(invoices),
            on=today,
            due_on=due_on,
            amount=minor,
            currency=currency,
            reason=reason,
            actor=desk.worker,
            review_on=due_on,
        )
        told = tell(conn, desk, promised, actor=desk.worker, currency=currency)
    console.say(f"{owner.name} promised to pay on {due_on} ({promised.id}); {told}")
