"""`ar-bridge books`: what is configured, and how far each book may go."""

from typing import TYPE_CHECKING, Any

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import JsonOption, invocation

if TYPE_CHECKING:
    from ar_bridge.settings import BookSettings


def command(ctx: typer.Context, json: JsonOption = False) -> None:
    """List the books that are configured."""
    call = invocation(ctx)
    rows = [row_of(book) for book in call.settings.book.values()]
    if json:
        console.print_json({"schema": 1, "books": rows})
        return
    if not rows:
        console.say(f"No book is configured in {call.config_file}: add a [[book]] section.")
        return
    console.print_table(
        ("book", "ledger", "company", "mode", "policy", "late fees"),
        [
            (
                row["name"],
                row["ledger"],
                row["company_id"] or "not connected yet",
                row["mode"],
                row["policy"],
                "possible" if row["can_charge"] else "no fee_account and fee_tax",
            )
            for row in rows
        ],
    )


def row_of(book: "BookSettings") -> dict[str, Any]:
    """One book as `books --json` prints it."""
    versions = [f"{version.file} from {version.from_}" for version in book.policies]
    is_file = book.ledger == "bookfile"
    return {
        "name": book.name,
        "ledger": book.ledger,
        "company_id": book.company_id or (str(book.file) if is_file else ""),
        "mode": book.mode,
        "policy": book.policy or "; ".join(versions),
        "can_charge": book.can_charge,
    }
