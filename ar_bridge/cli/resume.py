"""`ar-bridge resume`: end a pause or a stop."""

from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption


def command(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Id or whole name.")],
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """Go on with a customer where a pause or a stop stands."""
    from ar_bridge import words
    from ar_bridge.telling import tell_ended
    from rules.model import Pause, Stop

    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner = words.the_customer(conn, desk.book_id, customer)
        standing = words.standing(conn, desk.book_id, owner.id, [Pause, Stop], desk.today())
        told = (
            tell_ended(conn, desk, standing, kind="resume", actor=desk.worker, reason=reason)
            if standing
            else ""
        )
    if standing:
        console.say(f"{owner.name}: ended {', '.join(found.id for found in standing)}; {told}")
    else:
        console.say(f"{owner.name} is neither paused nor stopped")
