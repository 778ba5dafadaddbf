"""`ar-bridge send-invoice`: have the ledger mail an invoice again."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(metavar="INVOICE", help="Number or id.")],
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """The ledger mails its own invoice to the customer; a note says that it did."""
    from ar_bridge.cli.ordering import do_at_once
    from ar_bridge.filing import send_again
    from ar_bridge.words import the_invoice

    with opened(ctx, book) as desk:
        with desk.store.write() as conn:
            found = the_invoice(conn, desk.book_id, invoice)
            ordered = send_again(conn, desk, found, actor=desk.worker, reason=reason)
        console.say(f"invoice {found.number} is mailed from {desk.connector.capabilities.ledger}")
        do_at_once(desk, ordered)
