"""`ar-bridge charge`: pass on what collecting cost, with its evidence."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Id or whole name.")],
    invoice: Annotated[
        list[str],
        typer.Option("--invoice", metavar="NUMBER", help="What it is about; may be repeated."),
    ],
    amount: Annotated[str, typer.Option("--amount", metavar="SUM", help="What was paid.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="court, agency, bank or other.")
    ],
    evidence: Annotated[
        Path, typer.Option("--evidence", metavar="FILE", help="The bill, at most 5 MB.")
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; the customer reads it too.")
    ],
    basis: Annotated[
        str, typer.Option("--legal-basis", metavar="TEXT", help="Else that of the policy.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "--look", help="Only show what would happen.")
    ] = False,
    book: BookOption = None,
) -> None:
    """Charge a court's, an agency's or a bank's bill to the customer, as a document of its own."""
    from ar_bridge.charging import charge, costs
    from ar_bridge.cli.money_options import sum_of
    from ar_bridge.cli.ordering import do_at_once
    from ar_bridge.errors import UsageError
    from ar_bridge.filing import MOST_BYTES
    from ar_bridge.words import the_customer, the_invoice
    from rules.actions.actual_costs import CostKind

    if kind not in get_args(CostKind):
        raise UsageError(
            f'--kind "{kind}" is not known.', remedy=f"one of {', '.join(get_args(CostKind))}"
        )
    if not reason.strip():
        raise UsageError("What is it charged for?", remedy="say --reason TEXT")
    try:
        with evidence.open("rb") as opened_file:
            content = opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{evidence} cannot be read: {error.strerror or error}.", remedy="name a file"
        ) from None
    with opened(ctx, book) as desk:
        with desk.store.read() as conn:
            who = the_customer(conn, desk.book_id, customer)
            about = [the_invoice(conn, desk.book_id, one) for one in dict.fromkeys(invoice)]
        found = costs(
            desk,
            who.id,
            about,
            kind=cast(CostKind, kind),
            amount=sum_of(amount, about[0].currency),
            filename=evidence.name,
            content=content,
            basis=basis,
        )
        console.say(str(found))
        if dry_run:
            return
        with desk.store.write() as conn:
            ordered = charge(conn, desk, found, actor=desk.worker, reason=reason)
        do_at_once(desk, ordered)
