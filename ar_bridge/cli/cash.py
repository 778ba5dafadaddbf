"""`ar-bridge cash`: up to which day payments are entered in the books."""

from typing import Annotated, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.word_options import day_of

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge cash --through 2026-11-20 --by ann
  ar-bridge cash show
"""


def command(
    ctx: typer.Context,
    action: Annotated[
        str | None, typer.Argument(metavar="[show]", help="Only say how it stands.")
    ] = None,
    through: Annotated[
        str | None,
        typer.Option("--through", metavar="DATE", help="Payments are entered up to this day."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="WHO", help="Who entered them, for the audit.")
    ] = "",
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Say each morning up to which day you have entered payments, the last bank day included.

    Messages print that day, and demands wait for it where the policy has `cash_older_than`.
    """
    from ar_bridge.cash import enter_through
    from ar_bridge.errors import UsageError
    from ar_bridge.store import books

    if action not in (None, "show"):
        raise UsageError(f'"{action}" is not known.', remedy="say show, or --through DATE")
    with opened(ctx, book) as desk:
        if through is not None:
            if action == "show":
                raise UsageError("Show or enter?", remedy="leave out one of them")
            day = day_of(through, "--through")
            actor = f"{by}, told by {desk.worker}" if by.strip() else desk.worker
            with desk.store.write() as conn:
                warning = enter_through(conn, desk, day, actor=actor, reason=reason)
            if warning:
                console.warn(f"warning: {warning}")
        with desk.store.read() as conn:
            row = books.get(conn, desk.book_id)
        limit = desk.policy.do_not_chase.cash_older_than
        name = desk.name
    if json:
        console.print_json(
            {
                "schema": 1,
                "book": name,
                "entered_through": row.entered_through,
                "read_at": row.synced_at,
                "cash_older_than": None if limit is None else str(limit),
            }
        )
        return
    if row.entered_through is None:
        console.say(f"{name}: nobody said up to which day payments are entered")
    else:
        console.say(f"{name}: payments are entered through {row.entered_through}")
    if limit is not None:
        console.say(f"  demands wait where that is more than {limit} ago")
