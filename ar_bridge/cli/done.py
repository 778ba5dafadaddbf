"""`ar-bridge done`: a task of the worklist is done."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its key as `worklist` shows it.")],
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="What came of it; kept in the audit.")
    ] = "",
    book: BookOption = None,
) -> None:
    """Take a task off the worklist."""
    from ar_bridge.store.task_results import DONE
    from ar_bridge.worklist import finish

    with opened(ctx, book) as desk, desk.store.write() as conn:
        row = finish(conn, desk, key, result=DONE, note=note, actor=desk.worker)
    console.say(f"{row.key} is done")
