"""`ar-bridge quote`: what an invoice costs on a date, late fees derived."""

from fractions import Fraction
from typing import Annotated, Any

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.plan import BookFileOption, OnOption, PolicyOption


def command(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(metavar="INVOICE", help="Number or id.")],
    on: OnOption = None,
    book: BookOption = None,
    book_file: BookFileOption = None,
    policy: PolicyOption = None,
    json: JsonOption = False,
) -> None:
    """What the customer would owe on that day. Schedules, modes and the contact budget do not
    matter here, and nothing is charged."""
    from ar_bridge.cli.looking import looked_at
    from ar_bridge.subjects import invoice_of
    from rules.quote import quote

    with looked_at(ctx, book, book_file, policy, on) as seen:
        found = invoice_of(seen.book, invoice)
        quoted = quote(seen.book, seen.policy, found.id, seen.on).plain()
    if json:
        console.print_json(quoted)
    else:
        _print(quoted)


def _print(quoted: dict[str, Any]) -> None:
    currency = quoted["currency"]
    console.say(
        f"Invoice {quoted['invoice_number']} on {quoted['on']}: "
        f"{quoted['outstanding']} {currency} of {quoted['original']} open",
        style="bold",
    )
    for fee in quoted["fees"]:
        console.say(
            "",
            f"{fee['fee']} ({fee['type']}): {fee['accrued']} {currency} so far, "
            f"{fee['posted']} posted, {fee['to_post']} to post"
            + (f", capped by {fee['capped_by']}" if fee["capped_by"] else ""),
        )
        rows = [
            (
                row["kind"],
                f"{row['from'] or ''} - {row['to'] or ''}" if row["from"] else "",
                str(row["days"] or ""),
                row["base"] or "",
                f"{row['annual_rate']} %" if row["annual_rate"] else "",
                _about(row["exact"]),
            )
            for row in fee["derivation"]
        ] + [(step["step"], "", "", "", "", _about(step["amount"])) for step in fee["steps"]]
        if rows:
            console.print_table(
                ("what", "from - to", "days", "on", "a year", "amount"),
                rows,
                right=("days", "on", "a year", "amount"),
            )
    console.say("", f"Total due: {quoted['total_due']} {currency}", style="bold")


def _about(exact: str) -> str:
    """An exact rational, to four digits, so that the amounts stand below each other."""
    return f"{float(Fraction(exact)):.4f}"
