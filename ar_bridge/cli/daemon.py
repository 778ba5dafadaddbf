"""`ar-bridge daemon`: everything at its time, by itself."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import invocation


def command(
    ctx: typer.Context,
    book: Annotated[
        list[str] | None,
        typer.Option("--book", metavar="NAME", help="Only these books; all without it."),
    ] = None,
) -> None:
    """Read, plan, send and tell, each at its time, until SIGTERM or SIGINT.

    [daemon] in the settings says when; /healthz on this machine says how it goes. What is begun
    is finished before it ends; SIGHUP reads the settings anew.
    """
    from ar_bridge.daemon.lean import without_terminals

    without_terminals()
    from ar_bridge.daemon.service import Service
    from ar_bridge.logging import configure_logging

    call = invocation(ctx)
    configure_logging(call.home, is_debug=call.is_debug, console=call.settings.daemon.log)
    service = Service(
        call.home,
        call.config_file,
        call.clock,
        only=book or (),
        is_debug=call.is_debug,
        say=console.say,
    )
    raise typer.Exit(service.run())
