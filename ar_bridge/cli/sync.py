"""`ar-bridge sync`: read what changed in the ledger."""

from typing import Annotated, Any

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption, invocation
from ar_bridge.errors import ArBridgeError, SetupError
from connectors.errors import ConnectorError


def command(
    ctx: typer.Context,
    book: BookOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read everything again, not only what changed.")
    ] = False,
    nudged: Annotated[
        bool,
        typer.Option("--nudged", help="Only books of which a webhook said that they changed."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Read the ledger into our records. Writes nothing there."""
    if not nudged:
        view = _read(ctx, book, full=full, is_quiet=json)
        if json:
            console.print_json({"schema": 1, **view})
        return
    names = _nudged(ctx, book)
    views: list[dict[str, Any]] = []
    troubles: list[Exception] = []
    for name in names:
        try:
            views.append(_read(ctx, name, full=full, is_quiet=json))
        except (ArBridgeError, ConnectorError) as error:
            console.warn(f"{name}: {error}")
            troubles.append(error)
    if json:
        console.print_json({"schema": 1, "books": views})
    elif not names:
        console.say("No webhook has named a book since it was last read.")
    if troubles:
        raise troubles[0]


def _nudged(ctx: typer.Context, book: str | None) -> list[str]:
    """Configured books of which a webhook told since they were last read."""
    from ar_bridge.store import nudges
    from ar_bridge.store.engine import open_store
    from ar_bridge.wiring import connected_row, database_url

    call = invocation(ctx)
    store = open_store(database_url(call.settings, call.home))
    found: list[str] = []
    try:
        for settings in call.books(book):
            try:
                row = connected_row(store, settings)
            except SetupError:
                continue
            with store.read() as conn:
                if nudges.waiting(conn, row.ledger, row.company_id, tenant=row.tenant_id):
                    found.append(settings.name)
    finally:
        store.close()
    return found


def _read(ctx: typer.Context, book: str | None, *, full: bool, is_quiet: bool) -> dict[str, Any]:
    from ar_bridge.reconciling import sync_book

    with opened(ctx, book) as desk, console.progress("reading") as bar:
        totals: dict[str, int] = {}
        done: dict[str, int] = {}

        def advance(entity: str, count: int, total: int | None) -> None:
            done[entity] = count
            totals[entity] = total or count
            bar(sum(done.values()), sum(totals.values()))

        report = sync_book(desk, full=full, progress=advance)
    view = {
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
            {
                "entity": bad.entity,
                "id": bad.id,
                "reason": bad.reason,
                "customer": bad.customer,
                "waits": bad.waits,
            }
            for bad in report.quarantined
        ],
    }
    if is_quiet:
        return view
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
        console.warn(f"could not read {bad.entity} {bad.id}: {bad.reason} ({bad.waits})")
    return view
