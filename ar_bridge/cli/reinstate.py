"""`ar-bridge reinstate`: undo the waiver of a late fee."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit.")
    ],
    document: Annotated[
        str | None, typer.Argument(metavar="[DOCUMENT]", help="The fee's number.")
    ] = None,
    invoice: Annotated[
        str | None, typer.Option("--invoice", metavar="NUMBER", help="Or the invoice it was on.")
    ] = None,
    fee: Annotated[
        str | None, typer.Option("--fee", metavar="ID", help="Only this fee of the policy.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="SUM", help="A part; else all of it.")
    ] = None,
    look: Annotated[
        bool, typer.Option("--look", "--dry-run", help="Only show what would happen.")
    ] = False,
    book: BookOption = None,
) -> None:
    """Let a fee that was waived be charged again, as a document of its own."""
    from ar_bridge.cli.money_options import sum_of
    from ar_bridge.cli.ordering import do_at_once
    from ar_bridge.errors import UsageError
    from ar_bridge.reinstating import reinstate, to_reinstate

    if (document is None) == (invoice is None):
        raise UsageError(
            "Which fee is meant?", remedy="name the fee document, or --invoice with --fee"
        )
    if not reason.strip():
        raise UsageError("Why is it reinstated?", remedy="say --reason TEXT")
    name = document or invoice or ""
    with opened(ctx, book) as desk:
        with desk.store.read() as conn:
            chosen = to_reinstate(conn, desk, name, fee=fee)
            if amount is not None:
                part = sum_of(amount, chosen.fee.currency)
                chosen = to_reinstate(conn, desk, name, fee=fee, amount=part)
        console.say(str(chosen))
        if look:
            return
        with desk.store.write() as conn:
            ordered = reinstate(conn, desk, chosen, actor=desk.worker, reason=reason)
        do_at_once(desk, ordered)
