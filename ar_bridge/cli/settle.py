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
        bool | None,
        typer.Option(
            "--happened/--did-not-happen", help="What you found in the ledger or the mailbox."
        ),
    ] = None,
    retry: Annotated[
        bool,
        typer.Option(
            "--retry",
            help="Try again what failed too often, or a late fee that the ledger refused.",
        ),
    ] = False,
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """An answer was lost and could not be found again: look there, then say what is true.

    What was parked because it failed too often is tried again with --retry, and so is a late fee
    that the ledger refused, which else waits until the policy, its account or tax, or the invoice
    has changed.
    """
    from ar_bridge.errors import UsageError
    from ar_bridge.selection import selected
    from ar_bridge.settling import MAY_BE_RETRIED, OPEN_ENDED, settle, try_again

    if (happened is None) != retry:
        raise UsageError(
            "What became of it?",
            remedy="say --happened, --did-not-happen, or --retry for what only failed too often",
        )

    with opened(ctx, book) as desk, desk.store.write() as conn:
        states = MAY_BE_RETRIED if retry else OPEN_ENDED
        for row in selected(conn, desk, [key], states):
            if happened is None:
                follows = try_again(conn, desk, row, actor=desk.worker, reason=reason)
            else:
                follows = settle(
                    conn, desk, row, happened=happened, actor=desk.worker, reason=reason
                )
            console.say(f"{row.key}: {follows}")
