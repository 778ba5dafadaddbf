"""`ar-bridge demo`: see it work, with no account and no set-up."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import JsonOption, invocation
from ar_bridge.cli.word_options import day_of
from ar_bridge.errors import UsageError

LEDGERS: Final = {"quickbooks": ["quickbooks"], "xero": ["xero"], "both": ["quickbooks", "xero"]}


def command(
    ctx: typer.Context,
    ledger: Annotated[
        str, typer.Option(metavar="LEDGER", help="quickbooks, xero or both.")
    ] = "both",
    book_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A book of your own, as JSON Lines.")
    ] = None,
    policy: Annotated[str, typer.Option(metavar="POLICY", help="A file or a preset.")] = "standard",
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day to play.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last day to play.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Leave the sandbox running at the end.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Sandbox, consent, sync, plan, approve, apply, day by day; then what happened and where."""
    if ledger not in LEDGERS:
        raise UsageError(f'There is no ledger "{ledger}".', remedy="quickbooks, xero or both")
    from ar_bridge.demo.show import run_demo

    call = invocation(ctx)
    call.start_log()
    done = run_demo(
        LEDGERS[ledger],
        home=call.home,
        book_file=book_file,
        policy_name=policy,
        start=day_of(from_, "--from") if from_ else None,
        end=day_of(to, "--to") if to else None,
        serve=serve,
        is_quiet=json,
    )
    if json:
        view: dict[str, Any] = {"ledgers": done}
        console.print_json(view)
