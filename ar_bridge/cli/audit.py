"""`ar-bridge audit`: show, verify or export the record of what was done."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption

command = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@command.command()
def show(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Only what is about this key.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many of the newest entries.")] = 30,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """The newest entries: when, who, what, about what."""
    from ar_bridge import audit

    with opened(ctx, book) as desk, desk.store.read() as conn:
        entries = audit.history(conn, book_id=desk.book_id, subject=subject, limit=limit)
    if json:
        console.print_json({"schema": 1, "entries": [_view(e) for e in entries]})
        return
    console.print_table(
        ("when (UTC)", "who", "what", "about"),
        [(f"{e.at:%Y-%m-%d %H:%M}", e.actor, e.event, e.subject) for e in entries],
    )


@command.command()
def verify(ctx: typer.Context, book: BookOption = None, json: JsonOption = False) -> None:
    """Check the whole chain: nothing altered, removed or put in another order."""
    from ar_bridge import audit

    with opened(ctx, book) as desk, desk.store.read() as conn:
        problems = audit.verify(conn)
        count, head = audit.head(conn)
    if json:
        console.print_json(
            {
                "schema": 1,
                "entries": count,
                "head": head,
                "problems": [str(problem) for problem in problems],
            }
        )
    elif problems:
        for problem in problems:
            console.warn(str(problem))
    else:
        console.say(f"{count} entries, unbroken; the last one is {head}")
    if problems:
        raise typer.Exit(1)


@command.command()
def export(ctx: typer.Context, book: BookOption = None) -> None:
    """Every entry of the book as JSON Lines, oldest first."""
    import sys
    from json import dumps

    from ar_bridge import audit

    with opened(ctx, book) as desk, desk.store.read() as conn:
        entries = audit.history(conn, book_id=desk.book_id)
    for entry in sorted(entries, key=lambda entry: entry.seq):
        sys.stdout.write(dumps(_view(entry), ensure_ascii=False, default=str) + "\n")


def _view(entry: "object") -> dict[str, object]:
    import msgspec

    view: dict[str, object] = msgspec.to_builtins(entry)
    return view
