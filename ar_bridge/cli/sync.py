"""`ar-bridge sync`: read what changed in the ledger."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption


def command(
    ctx: typer.Context,
    book: BookOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read everything again, not only what changed.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Read the ledger into our records. Writes nothing there."""
    from ar_bridge.reconciling import sync_book

    with opened(ctx, book) as desk, console.progress("reading") as bar:
        totals: dict[str, int] = {}
        done: dict[str, int] = {}

        def advance(entity: str, count: int, total: int | None) -> None:
            done[entity] = count
            totals[entity] = total or count
            bar(sum(done.values()), sum(totals.values()))

        report = sync_book(desk, full=full, progress=advance)
    if json:
        console.print_json(
            {
                "schema": 1,
                "book": desk.name,
                "full": report.full,
                "resumed": report.resumed,
                "remarks": list(report.remarks),
                "at": report.at.isoformat(),
                "read": dict(report.read),
                "closed": report.closed,
                "missing": list(report.missing),
                "removed": dict(report.removed),
                "quarantined": [
                    {"entity": bad.entity, "id": bad.id, "reason": bad.reason}
                    for bad in report.quarantined
                ],
            }
        )
        return
    console.say(
        f"{desk.name}: read "
        + ", ".join(
            console.counted(count, entity.removesuffix("s"))
            for entity, count in report.read.items()
        )
        + (f"; {report.closed} closed since the last time" if report.closed else "")
        + ("; went on where the last reading broke off" if report.resumed else "")
    )
    for remark in report.remarks:
        console.warn(remark)
    for number in report.missing:
        console.warn(f"invoice {number} was deleted in the ledger")
    for bad in report.quarantined:
        console.warn(f"could not read {bad.entity} {bad.id}: {bad.reason} (its customer waits)")
