"""`ar-bridge dispute`: a customer contests an invoice, or no more."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption
from ar_bridge.cli.word_options import CustomerOption, InvoiceOption


def command(
    ctx: typer.Context,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="SUM", help="The contested part; else all.")
    ] = None,
    won_by: Annotated[
        str | None,
        typer.Option("--won-by", metavar="WHO", help="End it: won by customer, or by us."),
    ] = None,
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """What is contested is neither chased nor charged for until the dispute ends."""
    from datetime import timedelta

    from ar_bridge import words
    from ar_bridge.errors import UsageError
    from ar_bridge.store import commitments
    from ar_bridge.telling import tell, tell_ended
    from ar_bridge.word_subject import ids, subject_of
    from rules.model import AmountError, Dispute, parse_minor

    if won_by not in (None, "customer", "us"):
        raise UsageError(
            f'--won-by "{won_by}" is neither customer nor us.', remedy="say who was right"
        )
    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner, invoices = subject_of(conn, desk.book_id, customer, invoice or ())
        today = desk.today()
        if won_by is not None:
            wanted = set(ids(invoices))
            open_ones = [
                found
                for found in words.standing(conn, desk.book_id, owner.id, [Dispute], today)
                if not wanted or wanted & set(found.invoices)
            ]
            if not open_ones:
                raise UsageError(
                    f"No dispute of {owner.name} is open on that.",
                    remedy="ar-bridge explain INVOICE says what stands",
                )
            told = tell_ended(
                conn,
                desk,
                open_ones,
                kind="dispute_end",
                actor=desk.worker,
                reason=reason,
                won_by=won_by,
            )
            ended = ", ".join(found.id for found in open_ones)
            console.say(f"ended {ended}, won by {won_by}; {told}")
            return
        if not invoices:
            raise UsageError("Which invoice is contested?", remedy="say --invoice NUMBER")
        try:
            minor = None if amount is None else parse_minor(amount, invoices[0].currency)
        except AmountError as error:
            raise UsageError(f"--amount: {error}.", remedy="write it like 750.00") from None
        contested = Dispute(
            id=commitments.new_id(conn, desk.book_id, "dispute", owner.id, today),
            customer=owner.id,
            invoices=ids(invoices),
            on=today,
            amount=minor,
            reason=reason,
            actor=desk.worker,
            review_on=today + timedelta(days=14),
        )
        told = tell(conn, desk, contested, actor=desk.worker, currency=invoices[0].currency)
    numbers = ", ".join(invoice.number for invoice in invoices)
    console.say(f"{owner.name} contests {numbers} ({contested.id}); {told}")
