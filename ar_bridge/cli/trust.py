"""`ar-bridge trust`: let rules act again, after records were lost or a policy changed."""

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
    """Say that you have looked, and that the book's own mode counts again.

    A book whose records were lost is rebuilt from the marks that ar-bridge leaves in the ledger,
    and every action waits for a person. And of a book, or a policy, that is applied for the first
    time only a few actions go by rule ([limits] first_apply). This ends both.
    """
    from ar_bridge import canary
    from ar_bridge.rebuilding import trust
    from ar_bridge.store import books

    if not reason.strip():
        raise UsageError(
            "A reason is needed: it is kept in the audit.",
            remedy='say who looked, and at what: --reason "compared with the mailbox of October"',
        )
    with opened(ctx, book) as desk, desk.store.write() as conn:
        was_rebuilt = books.get(conn, desk.book_id).state == "rebuilt"
        if was_rebuilt or not canary.is_on_trial(conn, desk):
            trust(conn, desk, actor=desk.worker, reason=reason)
        canary.prove(conn, desk, by=desk.worker, reason=reason)
    if json:
        console.print_json({"schema": 1, "book": desk.name, "state": "normal", "mode": desk.mode})
        return
    what = "its records are trusted again" if was_rebuilt else "its policy is not on trial any more"
    console.say(
        f"{desk.name}: {what}; mode {desk.mode}.",
        "What is due from now on goes in that mode: ar-bridge plan shows it.",
    )
