"""`ar-bridge stop-customer`: stop everything that a customer could see."""

from typing import Annotated, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption

GROUNDS: Final = ("insolvency", "deceased", "lawyer", "vulnerable", "other")


def command(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Id or whole name.")],
    because: Annotated[
        str, typer.Option("--because", metavar="GROUND", help=", ".join(GROUNDS) + ".")
    ] = "other",
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """No message, no fee, no hand-off for this customer until a person says `resume`."""
    from datetime import timedelta
    from difflib import get_close_matches

    from ar_bridge import words
    from ar_bridge.errors import UsageError
    from ar_bridge.store import commitments
    from ar_bridge.telling import tell
    from rules.model import Stop

    if because not in GROUNDS:
        near = get_close_matches(because, GROUNDS, n=1)
        raise UsageError(
            f'--because "{because}" is no ground.' + (f" Did you mean {near[0]}?" if near else ""),
            remedy=f"one of: {', '.join(GROUNDS)}",
        )
    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner = words.the_customer(conn, desk.book_id, customer)
        today = desk.today()
        stopped = Stop(
            id=commitments.new_id(conn, desk.book_id, "stop", owner.id, today),
            customer=owner.id,
            on=today,
            because=because,  # type: ignore[arg-type]  # checked against GROUNDS above
            reason=reason,
            actor=desk.worker,
            review_on=today + timedelta(days=30),
        )
        told = tell(conn, desk, stopped, actor=desk.worker)
    console.say(f"nothing more goes to {owner.name} ({stopped.id}); {told}")
