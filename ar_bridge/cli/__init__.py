"""The command line: one file per command, found through one table.

A module of the table holds `command`, a function that takes `ctx: typer.Context` first and asks
`ar_bridge.cli.invocation.invocation(ctx)` for everything that the global options decide.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from ar_bridge import __version__
from ar_bridge.cli.invocation import invocation
from ar_bridge.cli.lazy import LazyGroup

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("ar_bridge.cli.demo", "See it work: a sample book, a sandbox, no account needed."),
    "sandbox": ("ar_bridge.cli.sandbox", "Run a local accounting service to try things on."),
    "init": ("ar_bridge.cli.init", "Make the home directory with its first settings."),
    "connect": ("ar_bridge.cli.connect", "Let ar-bridge into a book in QuickBooks or Xero."),
    "disconnect": ("ar_bridge.cli.disconnect", "End that: give the tokens back, forget them."),
    "vault": ("ar_bridge.cli.vault", "The keys that stored connections are encrypted with."),
    "books": ("ar_bridge.cli.books", "List the books that are configured."),
    "doctor": ("ar_bridge.cli.doctor", "Check settings, policies, connections and mail."),
    "status": ("ar_bridge.cli.status", "Say how each book stands and what waits for you."),
    "sync": ("ar_bridge.cli.sync", "Read what changed in the ledger."),
    "plan": ("ar_bridge.cli.plan", "Decide what should happen, and show it."),
    "approve": ("ar_bridge.cli.approve", "Release a plan, a part of it or single actions."),
    "reject": ("ar_bridge.cli.reject", "Turn down single actions of a plan."),
    "edit": ("ar_bridge.cli.edit", "Give a planned message other words."),
    "apply": ("ar_bridge.cli.apply", "Do what was approved."),
    "run": ("ar_bridge.cli.run", "Sync, plan, approve by rule and apply, in one go."),
    "daemon": ("ar_bridge.cli.daemon", "Do all of that by itself, each thing at its time."),
    "stop": ("ar_bridge.cli.stop", "Stop everything before its next effect: the kill switch."),
    "start": ("ar_bridge.cli.start", "End that, or let an unusual plan go on."),
    "runs": ("ar_bridge.cli.runs", "List what was run when, and what each run did."),
    "revert": ("ar_bridge.cli.revert", "Propose to undo a run, a plan or single actions."),
    "settle": ("ar_bridge.cli.settle", "Say what became of an action with a lost answer."),
    "trust": ("ar_bridge.cli.trust", "Let rules act again after our records were rebuilt."),
    "brief": ("ar_bridge.cli.brief", "What the owner is told each morning: done, waiting, stuck."),
    "inbound": ("ar_bridge.cli.inbound", "Take in replies and messages that came back."),
    "worklist": ("ar_bridge.cli.worklist", "Tasks, calls and approvals that wait for a person."),
    "done": ("ar_bridge.cli.done", "Take a task off the worklist."),
    "call": ("ar_bridge.cli.call", "Say what came of a call."),
    "explain": ("ar_bridge.cli.explain", "Why something is done to an invoice, or not."),
    "quote": ("ar_bridge.cli.quote", "What an invoice costs on a date, late fees derived."),
    "backtest": ("ar_bridge.cli.backtest", "What a policy would have done in the past."),
    "policy": ("ar_bridge.cli.policy", "Check policies and list the ready ones."),
    "promise": ("ar_bridge.cli.promise", "Note that a customer promised to pay."),
    "dispute": ("ar_bridge.cli.dispute", "Note that a customer contests an invoice, or no more."),
    "instalments": ("ar_bridge.cli.instalments", "Note that a customer pays in parts."),
    "withheld": ("ar_bridge.cli.withheld", "Note a retention: a part that is due later."),
    "expect-credit": ("ar_bridge.cli.expect_credit", "Note that a credit note is on its way."),
    "pause": ("ar_bridge.cli.pause", "Say nothing to a customer until a date."),
    "resume": ("ar_bridge.cli.resume", "End a pause or a stop."),
    "stop-customer": ("ar_bridge.cli.stop_customer", "Stop everything that a customer could see."),
    "exempt": ("ar_bridge.cli.exempt", "Leave a customer alone until a day."),
    "holds": ("ar_bridge.cli.holds", "List what holds the procedure, whose it is, since when."),
    "cash": ("ar_bridge.cli.cash", "Say up to which day payments are entered."),
    "customer": ("ar_bridge.cli.customer", "Edit what no ledger holds about customers."),
    "waive": ("ar_bridge.cli.waive", "Let a customer off a late fee, in the ledger too."),
    "reinstate": ("ar_bridge.cli.reinstate", "Undo that: the fee may be charged again."),
    "charge": ("ar_bridge.cli.charge", "Pass on what a court, an agency or a bank cost."),
    "handoff": ("ar_bridge.cli.handoff", "Give invoices to an agency or a lawyer, with a bundle."),
    "send-invoice": ("ar_bridge.cli.send_invoice", "Have the ledger mail an invoice again."),
    "attach": ("ar_bridge.cli.attach", "Put a file on an invoice in the ledger."),
    "web": ("ar_bridge.cli.web", "Take in webhooks, so that books are read sooner."),
    "db": ("ar_bridge.cli.db", "Back up our own records, put them back, bring them up to date."),
    "audit": ("ar_bridge.cli.audit", "Show, verify or export the record of what was done."),
}
"""Name of the command -> module and one line of help, in the order in which they are needed."""


class Commands(LazyGroup):
    """The commands of ar-bridge."""

    table = COMMANDS


app = typer.Typer(
    name="ar-bridge",
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ar-bridge {__version__}")
        raise typer.Exit


@app.callback(epilog="Exit: 0 done, 1 failed, 2 usage, 3 set-up is wrong, 4 the ledger refused.")
def options(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            readable=False,
            help="Where everything lies that a run leaves; else AR_BRIDGE_HOME, else the "
            "platform's data directory.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The settings; else config.toml in the home directory."),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an unexpected error came from.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Credit control as code, on top of the books you already keep in QuickBooks or Xero."""
    call = invocation(ctx)
    call.home_option = home
    call.config_option = config
    call.is_debug = debug
