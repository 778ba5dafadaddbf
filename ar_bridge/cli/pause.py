"""`ar-bridge pause`: say nothing to a customer until a date."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption
from ar_bridge.cli.word_options import CustomerOption, InvoiceOption, day_of


def command(
    ctx: typer.Context,
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="Last day of the pause (inclusive).")
    ],
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """Nothing that the customer could see happens until then; tasks for colleagues go on."""
    from ar_bridge.errors import UsageError
    from ar_bridge.store import commitments
    from ar_bridge.telling import tell
    from ar_bridge.word_subject import ids, subject_of
    from rules.model import Pause

    last = day_of(until, "--until")
    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner, invoices = subject_of(conn, desk.book_id, customer, invoice or ())
        today = desk.today()
        if last < today:
            raise UsageError(f"{last} has passed.", remedy="a pause ends on a day to come")
        paused = Pause(
            id=commitments.new_id(conn, desk.book_id, "pause", owner.id, today),
            customer=owner.id,
            invoices=ids(invoices),
            on=today,
            until=last,
            reason=reason,
            actor=desk.worker,
            review_on=last,
        )
        told = tell(conn, desk, paused, actor=desk.worker)
    console.say(f"{owner.name} is left alone until {last} ({paused.id}); {told}")
