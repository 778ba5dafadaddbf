"""`ar-bridge web`: take in webhooks."""

import ipaddress
from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import invocation

PORT = 8478


def command(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; only this machine by default.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")
    ] = PORT,
) -> None:
    """Take in webhooks of QuickBooks and Xero until it is stopped.

    They are noted down and answered; `ar-bridge sync --nudged` reads the books that they name.
    Vendors call over https only: let a web server with a certificate pass /webhooks on to here.
    """
    from ar_bridge.store.engine import open_store
    from ar_bridge.web.app import web_app
    from ar_bridge.web.serving import Ending, listening
    from ar_bridge.wiring import database_url

    call = invocation(ctx)
    keys = call.settings.webhooks.keys
    call.start_log()
    store = open_store(database_url(call.settings, call.home))
    try:
        on = listening(host, port)
        with Ending() as ending:
            place = f"{host}:{on.getsockname()[1]}"
            console.say(f"Listening on http://{place}")
            for ledger, key in keys.items():
                what = "taken in" if key else f"refused: no {ledger}_key in [webhooks]"
                console.say(f"  /webhooks/{ledger}: {what}")
            if not _is_this_machine(host):
                console.warn("Anybody who reaches this machine can reach it: keep https in front.")
            ending.serve(web_app(store, call.clock, webhook_keys=keys), on)
    finally:
        store.close()


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
