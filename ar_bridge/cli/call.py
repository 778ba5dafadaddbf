"""`ar-bridge call`: what came of a call."""

from typing import Annotated, Literal

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption
from ar_bridge.cli.word_options import day_of


def command(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its key as `worklist` shows it.")],
    result: Annotated[
        Literal["reached", "no-answer", "promised"],
        typer.Option("--result", help="What came of it."),
    ],
    note: Annotated[
        str,
        typer.Option(
            "--note", "--reason", metavar="TEXT", help="What was said; kept in the audit."
        ),
    ] = "",
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="With `promised`: the day they will pay."),
    ] = None,
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="SUM", help="With `promised`: how much; else all of it."),
    ] = None,
    consent: Annotated[
        bool,
        typer.Option(
            "--consent",
            help="With `promised`: you agree to wait longer than the policy's max_promise.",
        ),
    ] = False,
    book: BookOption = None,
) -> None:
    """Say what came of a call. One that was answered counts as a contact; one that was not stays
    on the worklist; a promise is recorded as such."""
    from ar_bridge.calls import note_of_call, promised_on_a_call
    from ar_bridge.errors import UsageError
    from ar_bridge.worklist import finish

    if (on is not None or amount is not None) != (result == "promised"):
        raise UsageError(
            "--on and --amount go with --result promised, and a promise needs --on.",
            remedy="ar-bridge call KEY --result promised --on 2026-11-30",
        )
    if result == "promised" and on is None:
        raise UsageError("A promise needs its day.", remedy="add --on DATE")
    with opened(ctx, book) as desk, desk.store.write() as conn:
        row = finish(conn, desk, key, result=result.replace("-", "_"), note=note, actor=desk.worker)
        said = {
            "reached": "the call is done and counts as a contact",
            "no-answer": "the call stays on the worklist",
        }.get(result)
        if result != "no-answer":
            note_of_call(conn, desk, row, note=note)
        if on is not None:
            said = promised_on_a_call(
                conn, desk, row, day_of(on, "--on"), amount=amount, note=note, consent=consent
            )
    console.say(f"{row.key}: {said}")
