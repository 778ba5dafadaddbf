"""`ar-bridge books`: what is configured, and how far each book may go."""

from pathlib import Path
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
                row["company_id"] or "-",
                row["mode"],
                row["policy"],
                "yes" if row["can_charge"] else "no account set",
            )
            for row in rows
        ],
    )


def row_of(book: "BookSettings") -> dict[str, Any]:
    """One book as `books --json` prints it."""
    named = Path(book.policy or "").name
    versions = [f"{Path(version.file).name} from {version.from_}" for version in book.policies]
    return {
        "name": book.name,
        "ledger": book.ledger,
        "company_id": book.company_id or (book.file.name if book.file else ""),
        "mode": book.mode,
        "policy": named or "; ".join(versions),
        "can_charge": book.can_charge,
    }
