"""What a command says and how it ends when it does a person's order at once."""

import typer

from ar_bridge.cli import console
from ar_bridge.context import BookContext
from ar_bridge.orders import Ordered, carry_out


def do_at_once(desk: BookContext, ordered: Ordered) -> None:
    """Do the order now; where the ledger cannot be reached, it stands and is done later."""
    from ar_bridge.cli.apply_text import exit_code, print_report
    from connectors.errors import ConnectorError

    try:
        report = carry_out(desk, ordered)
    except ConnectorError as problem:
        console.warn(f"The ledger could not be worked with: {problem}")
        console.say("it is ordered and recorded: the next ar-bridge apply does it")
        raise typer.Exit(1) from None
    print_report([report])
    raise typer.Exit(exit_code([report]))
