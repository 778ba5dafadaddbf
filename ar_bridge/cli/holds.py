"""`ar-bridge holds`: everything that holds the procedure, with who looks after it and when."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.word_options import (
    CustomerOption,
    OwnerOption,
    ReviewOption,
    day_ahead,
)
from ar_bridge.errors import UsageError

if TYPE_CHECKING:
    from rules.commitment_words import HoldWords

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge holds
  ar-bridge holds dispute/C1/2026-11-01 --owner ann --review-on 2026-12-01 --reason "still open"
"""


def command(
    ctx: typer.Context,
    hold: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Change who looks after this one, or when."),
    ] = None,
    customer: CustomerOption = None,
    owner: OwnerOption = None,
    review_on: ReviewOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """List promises, disputes, plans, retentions, pauses, stops: since when, whose, looked at when.

    Those past their review date come first, in red; each is a task of its owner already.
    """
    from ar_bridge.holding import holds, look_after
    from ar_bridge.words import the_customer
    from rules.guards.reviews import THE_OWNER, name_of_actor

    with opened(ctx, book) as desk:
        if hold is not None:
            if owner is None and review_on is None:
                raise UsageError("What of it?", remedy="say --owner WHO or --review-on DATE")
            day = None
            if review_on is not None:
                day = day_ahead(review_on, "--review-on", desk.today(), "a review is ahead")
            with desk.store.write() as conn:
                changed = look_after(
                    conn,
                    desk,
                    hold,
                    owner=owner,
                    review_on=day,
                    reason=reason,
                    actor=desk.worker,
                )
            if not json:
                whose = (
                    changed.owner
                    or desk.policy.commitments.owner
                    or name_of_actor(changed)
                    or THE_OWNER
                )
                when = f" on {changed.review_on}" if changed.review_on else ""
                console.say(f"{changed.id} is looked after by {whose}{when}")
                return
        elif owner is not None or review_on is not None:
            raise UsageError("Of which hold?", remedy="name it by its id, as the list shows it")
        with desk.store.read() as conn:
            chosen = None
            if customer is not None:
                chosen = [the_customer(conn, desk.book_id, customer).id]
            found = holds(conn, desk, customers=chosen)
    if json:
        console.print_json({"schema": 1, "holds": [_plain(one) for one in found]})
        return
    if not found:
        console.say("nothing holds the procedure")
        return
    for one in found:
        about = ", ".join(one.invoices) or "the account"
        until = f" until {one.until}" if one.until else ""
        console.say(
            f"{one.customer_name}, {about}: {one.kind.replace('_', ' ')} since {one.since}{until}, "
            f"{one.owner}{f', review {one.review_on}' if one.review_on else ''}"
            f"{' PAST' if one.is_past_review else ''}",
            style="red" if one.is_past_review else None,
        )
        console.say(f"  {one.id}", *(f"  {line}" for line in one.text))


def _plain(one: "HoldWords") -> dict[str, Any]:
    import msgspec

    told: dict[str, Any] = msgspec.to_builtins(one)
    return told
