"""`ar-bridge trust`: let rules act again after our own records were lost."""

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.errors import UsageError


def command(
    ctx: typer.Context,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Say that what was found again in the ledger is all there is.

    A book whose records were lost is rebuilt from the marks that ar-bridge leaves in the ledger,
    and every action waits for a person. This ends it: the book's own mode counts again.
    """
    from ar_bridge.rebuilding import trust

    if not reason.strip():
        raise UsageError(
            "A reason is needed: it is kept in the audit.",
            remedy='say who looked, and at what: --reason "compared with the mailbox of October"',
        )
    with opened(ctx, book) as desk, desk.store.write() as conn:
        trust(conn, desk, actor=desk.worker, reason=reason)
    if json:
        console.print_json({"schema": 1, "book": desk.name, "state": "normal", "mode": desk.mode})
        return
    console.say(
        f"{desk.name}: its records are trusted again; mode {desk.mode}.",
        "What is due from now on goes in that mode: ar-bridge plan shows it.",
    )
