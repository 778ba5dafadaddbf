"""`ar-bridge disconnect`: give the tokens of a book back and forget them."""

from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import actor
from ar_bridge.cli.invocation import Invocation, invocation
from ar_bridge.errors import LedgerError

if TYPE_CHECKING:
    from ar_bridge.settings import BookSettings


def command(
    ctx: typer.Context,
    book: Annotated[str | None, typer.Argument(metavar="BOOK", help="Its name.")] = None,
    forget_only: Annotated[
        bool,
        typer.Option("--forget-only", help="Ask the vendor nothing; only forget the tokens here."),
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the tokens where the vendor did not take them back."),
    ] = False,
) -> None:
    """End the connection of a book. What was read and done stays on record here."""
    from ar_bridge.disconnecting import disconnect
    from ar_bridge.store.engine import open_store
    from ar_bridge.wiring import database_url

    call = invocation(ctx)
    settings = call.book(book)
    call.start_log()
    store = open_store(database_url(call.settings, call.home))
    try:
        done = disconnect(
            store,
            settings,
            call.home,
            call.clock,
            actor=actor(call),
            asks_vendor=not forget_only,
            is_shared=bool(_sharing(call, settings)),
            keep=keep,
        )
    finally:
        store.close()
    if not done.was_connected:
        console.say(f"{settings.name} is not connected: there is nothing to end")
        return
    if not done.is_forgotten:
        raise LedgerError(
            f"{settings.name} is still connected: the vendor did not end it ({done.trouble})",
            remedy="run it again, or without --keep, and take ar-bridge away in the ledger",
        )
    if done.is_revoked:
        console.say(f"{settings.name} is disconnected: its tokens are given back and forgotten")
    else:
        console.say(f"{settings.name} is disconnected here: its tokens are forgotten")
        told = f"did not end it ({done.trouble})" if done.trouble else "was not told"
        console.warn(f"the vendor {told} -> take ar-bridge away among its connected apps")
    if settings.grant == "client_credentials":
        console.warn(
            "its client_id and client_secret open the book again at any time -> take them out "
            "of the settings, or end the custom connection in Xero"
        )
    if done.trouble:
        raise typer.Exit(1)
    console.say(f"To let ar-bridge in again: ar-bridge connect {settings.name}")


def _sharing(call: Invocation, settings: "BookSettings") -> list[str]:
    """Other books that are let in through the same app: their consent is to stay.

    At Xero giving tokens back ends every organisation that the person opened to the app.
    """
    return [
        other.name
        for other in call.settings.book.values()
        if other.name != settings.name
        and other.ledger == settings.ledger
        and other.client_id == settings.client_id
    ]
