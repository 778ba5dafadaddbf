"""`ar-bridge run`: sync, plan, approve by rule and apply, in one go."""

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption


def command(ctx: typer.Context, book: BookOption = None, json: JsonOption = False) -> None:
    """Do everything that is due today. A second run on the same day does nothing twice."""
    from ar_bridge.cli.apply_text import exit_code, print_report, report_view
    from ar_bridge.cli.handoff import bundle_what_is_done
    from ar_bridge.cli.held_back import held_back, print_held_back
    from ar_bridge.cli.plan_text import print_plan
    from ar_bridge.run import run_book

    with opened(ctx, book) as desk, console.progress("running") as bar:
        result = run_book(desk, progress=lambda what, done, total: bar(done, total))
        if result.total("applied").get("hand_off"):
            bundle_what_is_done(ctx, desk)
        held = held_back(desk)
        view = result.plan.view
    if json:
        console.print_json(
            {**report_view(desk.name, result.applied), "plan": view, "held_back": held["waits"]}
        )
    else:
        acted = any(report.applied for report in result.applied)
        print_plan(result.plan.view, nothing="Nothing more to do." if acted else "Nothing to do.")
        print_report(result.applied)
        print_held_back({**held, "halted": None})
        for bad in result.synced.quarantined:
            console.warn(f"could not read {bad.entity} {bad.id}: {bad.reason} ({bad.waits})")
    raise typer.Exit(exit_code(result.applied))
