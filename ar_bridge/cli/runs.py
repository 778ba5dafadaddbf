"""`ar-bridge runs`: what was run when, and what it did."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption


def command(
    ctx: typer.Context,
    number: Annotated[
        int | None, typer.Argument(metavar="[RUN]", help="List what this run did.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many of the newest runs.")] = 20,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """The newest runs with their numbers, or what one of them did."""
    from ar_bridge.errors import UsageError
    from ar_bridge.runs_done import rows_of_run
    from ar_bridge.store import runs

    with opened(ctx, book) as desk, desk.store.read() as conn:
        if number is None:
            found = runs.latest(conn, desk.book_id, kind=("run", "apply"), limit=limit)
            done = []
        else:
            one = runs.numbered(conn, desk.book_id, number)
            if one is None:
                raise UsageError(
                    f"There is no run {number} of {desk.name}.", remedy="ar-bridge runs lists them"
                )
            found = [one]
            done = rows_of_run(conn, desk, one)
    if json:
        view = [
            {
                "run": run.id,
                "kind": run.kind,
                "on": run.on.isoformat(),
                "started_at": run.started_at.isoformat(),
                "ended_at": run.ended_at.isoformat() if run.ended_at else None,
                "outcome": run.outcome,
                "counts": run.counts,
            }
            for run in found
        ]
        listed = [
            {"key": row.key, "kind": row.kind, "customer": row.customer, "state": row.state}
            for row in done
        ]
        console.print_json(
            {"schema": 1, "runs": view, **({"actions": listed} if number is not None else {})}
        )
        return
    if number is not None:
        console.print_table(
            ("action", "kind", "customer", "state", "document"),
            [(row.key, row.kind, row.customer, row.state, row.number) for row in done],
        )
        return
    console.print_table(
        ("run", "began (UTC)", "outcome", "done"),
        [
            (
                str(run.id),
                f"{run.started_at:%Y-%m-%d %H:%M}",
                run.outcome or "cut short",
                ", ".join(f"{n} {kind}" for kind, n in run.counts.get("applied", {}).items()),
            )
            for run in found
        ],
    )
