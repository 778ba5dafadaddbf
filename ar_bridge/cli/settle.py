"""`ar-bridge settle`: say what became of an action whose outcome nobody else can know."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its key or document number, as `status` shows it.")
    ],
    happened: Annotated[
        bool,
        typer.Option(
            "--happened/--did-not-happen", help="What you found in the ledger or the mailbox."
        ),
    ],
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """An answer was lost and could not be found again: look there, then say what is true."""
    from ar_bridge.selection import selected
    from ar_bridge.settling import OPEN_ENDED, settle

    with opened(ctx, book) as desk, desk.store.write() as conn:
        for row in selected(conn, desk, [key], OPEN_ENDED):
            follows = settle(conn, desk, row, happened=happened, actor=desk.worker, reason=reason)
            console.say(f"{row.key}: {follows}")
