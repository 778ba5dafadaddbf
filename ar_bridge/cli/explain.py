"""`ar-bridge explain`: why something is done to an invoice, or not."""

from typing import Annotated

import msgspec
import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.plan import BookFileOption, OnOption, PolicyOption


def command(
    ctx: typer.Context,
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="An invoice or a customer, by number or name.")
    ],
    on: OnOption = None,
    book: BookOption = None,
    book_file: BookFileOption = None,
    policy: PolicyOption = None,
    json: JsonOption = False,
) -> None:
    """How it stands, what happens that day and why, what comes next, and every fee derived."""
    from ar_bridge.cli.looking import looked_at
    from ar_bridge.errors import UsageError
    from rules.explain import SubjectError, explain

    with looked_at(ctx, book, book_file, policy, on) as seen:
        try:
            said = explain(seen.book, seen.policy, subject, seen.on)
        except SubjectError as error:
            raise UsageError(
                f"{error}.",
                problems=error.candidates,
                remedy="name it by its id or its whole number",
            ) from None
        known = seen.told_of(said.customer)
        planned = seen.planned_of(said.customer)
    if json:
        view = {
            **msgspec.to_builtins(said),
            "customer_facts": list(known),
            "planned": list(planned),
        }
        console.print_json({"schema": 1, "on": seen.on.isoformat(), **view})
        return
    console.say(said.title, style="bold")
    for heading, lines in (
        ("", said.state),
        (f"On {seen.on}", said.today),
        ("Planned", planned),
        ("Next", said.coming),
        ("Late fees", said.fees),
        ("So far", said.history),
        ("What is known of the customer, and who says so", known),
    ):
        if not lines:
            continue
        if heading:
            console.say("", heading, style="bold")
        for line in lines:
            console.say(f"  {line}" if heading else line)
