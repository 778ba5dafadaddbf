"""`ar-bridge apply`: do what was approved."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption


def command(
    ctx: typer.Context,
    plan: Annotated[
        str | None, typer.Argument(metavar="PLAN", help="Only what this plan lists.")
    ] = None,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """Check every approved action against the ledger once more, then do it, exactly once."""
    from ar_bridge.cli.apply_text import exit_code, print_report, report_view
    from ar_bridge.cli.handoff import bundle_what_is_done
    from ar_bridge.dispatcher import apply
    from ar_bridge.errors import UsageError
    from ar_bridge.notices import mail_notices
    from ar_bridge.store import plans

    with opened(ctx, book) as desk:
        chosen = None
        if plan is not None:
            with desk.store.read() as conn:
                chosen = plans.plan_named(conn, desk.book_id, plan)
            if chosen is None:
                raise UsageError(
                    f"There is no plan {plan} of {desk.name}.", remedy="ar-bridge plan makes one"
                )
        with console.progress("applying") as bar:
            report = apply(desk, plan=chosen, progress=bar)
        if report.applied.get("hand_off"):
            bundle_what_is_done(ctx, desk)
        mailed = mail_notices(desk)
    reports = [report] if mailed is None else [report, mailed]
    if json:
        console.print_json(report_view(desk.name, reports))
    else:
        print_report(reports)
    raise typer.Exit(exit_code(reports))
