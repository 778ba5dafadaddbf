"""`ar-bridge apply`: do what was approved."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption


def command(
    ctx: typer.Context,
    plan: Annotated[
        str | None, typer.Argument(metavar="PLAN", help="Only what this plan lists.")
    ] = None,
    book: BookOption = None,
    beyond_limits: Annotated[
        bool,
        typer.Option(
            "--beyond-limits",
            help="This once, beyond the policy's limits of a day and of a customer; say why.",
        ),
    ] = False,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Check every approved action against the ledger once more, then do it, exactly once."""
    from ar_bridge.applying import apply_told
    from ar_bridge.cli.apply_text import exit_code, print_fates, print_report, report_view
    from ar_bridge.cli.handoff import bundle_what_is_done
    from ar_bridge.errors import UsageError
    from ar_bridge.notices import mail_notices
    from ar_bridge.plan_seal import stored_plan

    if beyond_limits and not reason.strip():
        raise UsageError(
            "A reason is needed to go beyond the limits: it is kept in the audit.",
            remedy='say why: --reason "the statements of the whole quarter, agreed with Ann"',
        )
    with opened(ctx, book) as desk:
        chosen = None
        if plan is not None:
            with desk.store.read() as conn:
                chosen = stored_plan(conn, desk.book_id, plan)
            if chosen is None:
                raise UsageError(
                    f"There is no plan {plan} of {desk.name}.", remedy="ar-bridge plan makes one"
                )
        with console.progress("applying") as bar:
            report, fates = apply_told(desk, plan=chosen, progress=bar)
        if report.applied.get("hand_off"):
            bundle_what_is_done(ctx, desk)
        mailed = mail_notices(desk)
    reports = [report] if mailed is None else [report, mailed]
    if json:
        console.print_json(report_view(desk.name, reports, chosen, fates))
    else:
        print_report(reports)
        if chosen is not None:
            print_fates(fates)
    raise typer.Exit(exit_code(reports))
