"""`ar-bridge attach`: put a file on an invoice in the ledger."""

from pathlib import Path
from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(metavar="INVOICE", help="Number or id.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file, at most 5 MB.")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit.")
    ],
    book: BookOption = None,
) -> None:
    """For colleagues, not for the customer: a signed delivery note, a letter, an agreement."""
    from ar_bridge.cli.ordering import do_at_once
    from ar_bridge.errors import UsageError
    from ar_bridge.filing import MOST_BYTES, attach
    from ar_bridge.words import the_invoice

    try:
        with file.open("rb") as opened_file:
            content = opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror or error}.", remedy="name a file"
        ) from None
    with opened(ctx, book) as desk:
        with desk.store.write() as conn:
            found = the_invoice(conn, desk.book_id, invoice)
            ordered = attach(
                conn, desk, found, file.name, content, actor=desk.worker, reason=reason
            )
        console.say(f"{file.name} goes on invoice {found.number}")
        do_at_once(desk, ordered)
