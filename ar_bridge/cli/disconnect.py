"""`ar-bridge disconnect`: give the tokens of a book back and forget them."""

from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import actor
from ar_bridge.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from ar_bridge.settings import BookSettings


def command(
    ctx: typer.Context,
    book: Annotated[str | None, typer.Argument(metavar="BOOK", help="Its name.")] = None,
    forget_only: Annotated[
        bool,
        typer.Option("--forget-only", help="Ask the vendor nothing; only forget the tokens here."),
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
        )
    finally:
        store.close()
    if not done.was_connected:
        console.say(f"{settings.name} is not connected: there is nothing to end")
        return
    if done.is_revoked:
        console.say(f"{settings.name} is disconnected: its tokens are given back and forgotten")
        for other in _sharing(call, settings):
            console.warn(f"{other} used the same Xero app: if it was let in by the same person, "
                         f"its consent has ended too -> ar-bridge connect {other}")  # fmt: skip
    else:
        console.say(f"{settings.name} is disconnected here: its tokens are forgotten")
        console.warn("the vendor was not told -> take ar-bridge away among its connected apps")
    if settings.grant == "client_credentials":
        console.warn(
            "its client_id and client_secret open the book again at any time -> take them out "
            "of the settings, or end the custom connection in Xero"
        )
    console.say(f"To let ar-bridge in again: ar-bridge connect {settings.name}")


def _sharing(call: Invocation, settings: "BookSettings") -> list[str]:
    """Other books whose consent may have been the same one.

    Xero ends every organisation that a person opened to the app, not only this one.
    """
    if settings.ledger != "xero" or settings.grant == "client_credentials":
        return []
    return [
        other.name
        for other in call.settings.book.values()
        if other.name != settings.name
        and other.ledger == "xero"
        and other.client_id == settings.client_id
    ]
