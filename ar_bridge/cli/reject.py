"""`ar-bridge reject`: turn down single actions of a plan."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ByOption, ReasonOption, by, opened
from ar_bridge.cli.invocation import BookOption, JsonOption


def command(
    ctx: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(metavar="KEY...", help="Keys of actions as `plan` shows them.")
    ],
    book: BookOption = None,
    reason: ReasonOption = "",
    who: ByOption = "",
    json: JsonOption = False,
) -> None:
    """Turn actions down. They are proposed again when their facts change, or in two weeks."""
    from ar_bridge import approvals
    from ar_bridge.selection import selected

    with opened(ctx, book) as desk, desk.store.write() as conn:
        rows = selected(conn, desk, targets, ("planned", "approved"))
        rejected = approvals.reject(conn, desk, rows, actor=by(desk, who), reason=reason)
    if json:
        console.print_json({"schema": 1, "rejected": [row.key for row in rejected]})
        return
    for row in rejected:
        console.say(f"rejected {row.key}")
