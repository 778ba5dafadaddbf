"""`ar-bridge approve`: release a plan, or single actions of it."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption


def command(
    ctx: typer.Context,
    targets: Annotated[
        list[str],
        typer.Argument(metavar="PLAN|KEY...", help="A plan, or keys of actions as `plan` shows."),
    ],
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Release what was planned. A late fee and the message that announces it go together."""
    from ar_bridge import approvals
    from ar_bridge.errors import UsageError
    from ar_bridge.selection import selected
    from ar_bridge.store import mirror

    with opened(ctx, book) as desk, desk.store.write() as conn:
        rows = selected(conn, desk, targets, ("planned",))
        late = [row for row in rows if row.send_on < desk.today()]
        if late:
            # What was written for a day says so in its text: it would only be withdrawn.
            raise UsageError(
                "Nothing was approved.",
                problems=[f"{row.key} was written for {row.send_on}" for row in late],
                remedy="ar-bridge plan makes a plan for today",
            )
        ids = {invoice for row in rows for invoice in row.action.about}
        approved = approvals.approve(
            conn,
            desk,
            rows,
            actor=desk.worker,
            reason=reason,
            numbers={i.id: i.number for i in mirror.invoices_by_id(conn, desk.book_id, ids)},
        )
    if json:
        console.print_json({"schema": 1, "approved": [row.key for row in approved]})
        return
    for row in approved:
        console.say(f"approved {row.key}")
    if approved:
        console.say("ar-bridge apply does it when its time has come")
