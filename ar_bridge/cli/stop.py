"""`ar-bridge stop`: the kill switch. Nothing more goes out, in whatever process."""

from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import actor
from ar_bridge.cli.invocation import Invocation, JsonOption, invocation

if TYPE_CHECKING:
    from ar_bridge.errors import ArBridgeError
    from ar_bridge.store.engine import Store


def command(
    ctx: typer.Context,
    book: Annotated[
        str | None, typer.Option("--book", metavar="NAME", help="Only this book; else all.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is shown and kept.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Stop before the next effect: every running process, in the middle of whatever it does.

    It makes a file STOP in the home directory, which you may make by hand as well: it works
    without settings and while the database is busy. `ar-bridge start` ends it, and everything
    goes on where it was.
    """
    from ar_bridge import kill_switch

    call = invocation(ctx)
    if book is not None:
        call.book(book)  # an unknown name stops nothing
    file = kill_switch.stop(call.home, book=book, reason=reason)
    what = book or "everything"
    if not json:
        name = f" --book {book}" if book else ""
        console.say(
            f"{what} is stopped: nothing more goes out.",
            f'ar-bridge start{name} --reason "..." ends it ({file})',
        )
    trouble = _recorded(call, book, reason)
    if json:
        console.print_json(
            {
                "schema": 1,
                "stopped": what,
                "file": str(file),
                "recorded": trouble is None,
                "problem": trouble.message if trouble is not None else None,
            }
        )
    elif trouble is not None:
        console.warn(
            f"the stop could not be kept in the database: {trouble.message}",
            "it holds on this machine all the same",
        )


def _recorded(call: Invocation, book: str | None, reason: str) -> "ArBridgeError | None":
    """Keep it in the database too, for the audit and for other machines. Trouble is told."""
    from ar_bridge import kill_switch
    from ar_bridge.errors import ArBridgeError

    try:
        store = store_of(call)
        try:
            ids = book_ids(call, store, book)
            with store.write() as conn:
                kill_switch.record_stop(
                    conn, ids, reason=reason, actor=actor(call), now=call.clock.now()
                )
        finally:
            store.close()
    except ArBridgeError as error:
        return error
    return None


def store_of(call: Invocation) -> "Store":
    """The database of these settings. Raises SetupError."""
    from ar_bridge.store.engine import open_store
    from ar_bridge.wiring import database_url

    return open_store(database_url(call.settings, call.home))


def book_ids(call: Invocation, store: "Store", book: str | None) -> list[int]:
    """The rows of one book, or of all that were ever connected. Raises SetupError."""
    from ar_bridge.store import books
    from ar_bridge.wiring import connected_row

    if book is not None:
        return [connected_row(store, call.book(book)).id]
    with store.read() as conn:
        return [row.id for row in books.all_books(conn)]
