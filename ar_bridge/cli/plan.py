"""`ar-bridge plan`: decide what should happen, and show it."""

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption

BookFileOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--book-file", metavar="FILE", help="A book as a file: no set-up needed."),
]
PolicyOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--policy", metavar="POLICY", help="A policy file or preset, with --book-file."),
]
OnOption: TypeAlias = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="The day to decide for.")
]

NOT_EMPTY = 2
"""Exit code of `plan --check` when there is something to do."""


def command(
    ctx: typer.Context,
    book: BookOption = None,
    book_file: BookFileOption = None,
    policy: PolicyOption = None,
    on: OnOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 2 where there is something to do.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Decide what should happen to each invoice today, store the plan and show it."""
    from ar_bridge.cli.held_back import held_back, print_held_back

    waiting = 0
    held: dict[str, Any] = {"halted": None, "waits": []}
    if book_file is not None:
        from ar_bridge.preview import preview_plan

        view, seen = preview_plan(book_file, policy, on)
        console.warn(*seen.problems)
    else:
        from ar_bridge.cli.preview_options import require_stored
        from ar_bridge.planner import make_plan
        from ar_bridge.store.actions import actions_in

        require_stored(policy, on)
        with opened(ctx, book) as desk:
            view = make_plan(desk).view
            with desk.store.read() as conn:
                waiting = len(actions_in(conn, desk.book_id, ("approved",)))
            held = held_back(desk)
    if json:
        console.print_json(view if book_file is not None else {**view, "approved": waiting, **held})
    else:
        from ar_bridge.cli.plan_text import print_plan

        print_plan(view, nothing="Nothing new to do." if waiting else "Nothing to do.")
        if waiting:
            approved = console.counted(waiting, "approved action")
            console.say(f"{approved} still to be done: ar-bridge apply")
        print_held_back(held)
    if check and (view["actions"] or waiting):
        raise typer.Exit(NOT_EMPTY)
