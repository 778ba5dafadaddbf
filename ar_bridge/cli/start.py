"""`ar-bridge start`: end a stop, and close what an unusual plan has opened."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, actor
from ar_bridge.cli.invocation import JsonOption, invocation


def command(
    ctx: typer.Context,
    book: Annotated[
        str | None, typer.Option("--book", metavar="NAME", help="Only this book; else all.")
    ] = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Say that you have looked, and that everything may go on where it was.

    It ends `ar-bridge stop`, and closes the circuit breaker of a book whose plan was out of the
    ordinary. Where several books are configured, a breaker is closed by the name of its book.
    """
    from ar_bridge import kill_switch
    from ar_bridge.cli.stop import book_ids, store_of
    from ar_bridge.errors import UsageError

    if not reason.strip():
        raise UsageError(
            "A reason is needed: it is kept in the audit.",
            remedy='say who looked, and at what: --reason "the import was done again"',
        )
    call = invocation(ctx)
    is_one = book is not None or len(call.settings.book) == 1
    store = store_of(call)
    try:
        ids = book_ids(call, store, book)
        with store.write() as conn:
            ended = kill_switch.record_start(
                conn,
                ids,
                reason=reason,
                actor=actor(call),
                now=call.clock.now(),
                with_breakers=is_one,
            )
        files = kill_switch.start(call.home, book=book)
    finally:
        store.close()
    left = kill_switch.stopped_because(call.home, book or "")
    if json:
        console.print_json(
            {
                "schema": 1,
                "started": book or "everything",
                "ended": [
                    *({"kind": "file", "reason": str(file)} for file in files),
                    *({"kind": one.kind, "reason": one.reason} for one in ended),
                ],
                "still": left or None,
            }
        )
        return
    for one in ended:
        console.say(f"ended: {one.kind}, {one.reason} (since {one.opened_at:%Y-%m-%d %H:%M} UTC)")
    if not ended and not files:
        console.say("nothing was stopped")
    elif not left:
        console.say(f"{book or 'everything'} goes on: the next run or apply does what waits")
    if left:
        console.warn(left, 'ar-bridge start --reason "..." without --book ends that')
