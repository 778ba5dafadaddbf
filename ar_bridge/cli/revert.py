"""`ar-bridge revert`: propose to undo what was done."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.errors import UsageError


def command(
    ctx: typer.Context,
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|PLAN|ACTION...",
            help="The number of a run, a plan, an action's key, or a fee's number.",
        ),
    ],
    reason: ReasonOption = "",
    trial: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be proposed.")
    ] = False,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """Propose the undoing of what was done, as a plan that waits for a person.

    Late fees are taken back in the ledger and not charged again (see: reinstate), notes get a
    correction, holds are released, tasks closed. What was sent cannot be called back: the
    customer gets an apology, which you see first.
    """
    from ar_bridge.reverting import revert, view_of

    if not reason.strip():
        raise UsageError("Why is it undone?", remedy='say --reason "charged under the wrong terms"')
    with opened(ctx, book) as desk:
        made = revert(desk, targets, actor=desk.worker, reason=reason, is_trial=trial)
        name = desk.name
    if json:
        console.print_json(view_of(made, book=name, is_trial=trial))
        return
    shown = {"undone": "undone", "apologised": "apology", "left": "left"}
    console.print_table(
        ("what was done", "becomes", "how"),
        [(line.key, shown[line.verdict], line.text) for line in made.lines],
    )
    if made.ordered is None:
        console.say("There is nothing to undo.")
    elif trial:
        count = len(made.ordered.rows)
        console.say(f"Nothing was stored; {console.counted(count, 'action')} would be proposed.")
    else:
        plan = made.ordered.plan_id
        console.say(
            f"{console.counted(len(made.ordered.rows), 'action')} proposed as {plan}.",
            f"ar-bridge worklist shows them; ar-bridge approve {plan} and ar-bridge apply {plan} "
            "do them.",
        )
