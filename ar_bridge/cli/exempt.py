"""`ar-bridge exempt`: leave a customer alone until a day, kept in `customers.toml`."""

from typing import Annotated, Any, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption, invocation
from ar_bridge.cli.word_options import CustomerOption, day_ahead
from ar_bridge.errors import UsageError

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge exempt "North Ltd" --until 2027-01-31 --reason "same owners as ours"
  ar-bridge exempt "North Ltd" --end --reason "sold"
"""


def command(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(metavar="[CUSTOMER]", help="Id or whole name.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Last day of it (inclusive).")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="The exemption is over.")] = False,
    customer: CustomerOption = None,
    book: BookOption = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the file and the audit.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """No message, no fee, no hand-off for this customer until that day has passed."""
    from ar_bridge.customer_changes import change
    from ar_bridge.word_subject import subject_of

    if end == (until is not None):
        raise UsageError("Until when?", remedy="say --until DATE, or --end where it is over")
    if not reason.strip():
        raise UsageError("Why?", remedy="say --reason TEXT; it is kept with the exemption")
    call = invocation(ctx)
    file = call.book(book).customers
    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner, _ = subject_of(
            conn, desk.book_id, customer, (), [subject] if subject else (), of_customers=True
        )
        today = desk.today()
        value: dict[str, Any] | None = None
        if until is not None:
            last = day_ahead(until, "--until", today, "an exemption ends on a day to come")
            value = {"reason": reason, "from": today, "until": last}
        edited = change(conn, desk, file, owner, {"exempt": value}, reason=reason)
    if json:
        console.print_json(
            {
                "schema": 1,
                "customer": owner.id,
                "customer_name": owner.name,
                "exempt": value,
                "changed": bool(edited),
                "file": str(file),
            }
        )
    elif not edited:
        console.say(f"{file.name} says so already: nothing was changed")
    elif value is None:
        console.say(f"{owner.name} is not exempt any more")
    else:
        console.say(f"{owner.name} is left alone until {value['until']}, kept in {file.name}")
