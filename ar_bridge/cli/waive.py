"""`ar-bridge waive`: let a customer off a late fee."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="DOCUMENT|INVOICE", help="A fee's number, or an invoice.")
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit.")
    ],
    fee: Annotated[
        str | None, typer.Option("--fee", metavar="ID", help="Only this fee of the policy.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="SUM", help="A part; else all that is open.")
    ] = None,
    ours: Annotated[
        bool,
        typer.Option(
            "--ours",
            help="It was charged wrongly, by us: it may be charged again where it is owed.",
        ),
    ] = False,
    look: Annotated[bool, typer.Option("--look", help="Only show what would happen.")] = False,
    book: BookOption = None,
) -> None:
    """Take a late fee back in the ledger, and never charge it again (see also: reinstate)."""
    from ar_bridge.cli.money_options import sum_of
    from ar_bridge.cli.ordering import do_at_once
    from ar_bridge.errors import UsageError
    from ar_bridge.waiving import to_waive, waive

    if not reason.strip():
        raise UsageError("Why is it waived?", remedy="say --reason TEXT")
    with opened(ctx, book) as desk:
        with desk.store.read() as conn:
            chosen = to_waive(conn, desk, name, fee=fee)
            if amount is not None:
                part = sum_of(amount, chosen[0].fee.currency)
                chosen = to_waive(conn, desk, name, fee=fee, amount=part)
        console.say(*(one.told("corrected" if ours else "waived") for one in chosen))
        if look:
            return
        with desk.store.write() as conn:
            ordered = waive(conn, desk, chosen, actor=desk.worker, reason=reason, is_ours=ours)
        do_at_once(desk, ordered)
