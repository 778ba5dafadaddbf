"""`ar-bridge worklist`: what waits for a person."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.plan import BookFileOption, OnOption, PolicyOption

if TYPE_CHECKING:
    from ar_bridge.worklist import Entry


def command(
    ctx: typer.Context,
    book: BookOption = None,
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="NAME", help="Only one person's: id, name or role."),
    ] = None,
    book_file: BookFileOption = None,
    policy: PolicyOption = None,
    on: OnOption = None,
    json: JsonOption = False,
) -> None:
    """Tasks, calls and approvals that wait, what is due first at the top."""
    if book_file is not None:
        from ar_bridge.preview import preview_worklist

        name, today, entries = preview_worklist(book_file, policy, on, owner)
    else:
        from ar_bridge.cli.preview_options import require_stored
        from ar_bridge.worklist import worklist

        require_stored(policy, on)
        with opened(ctx, book) as desk, desk.store.read() as conn:
            name, today = desk.name, desk.today().isoformat()
            entries = worklist(conn, desk, owner=owner)
    if json:
        from ar_bridge.worklist import as_json

        console.print_json({"schema": 1, "book": name, "on": today, "items": as_json(entries)})
        return
    if not entries:
        console.say("Nothing waits for anybody.")
        return
    for one in entries:
        console.say(*_lines(one))


def _lines(one: "Entry") -> list[str]:
    when = f"by {one.due_on}" if one.due_on else f"since {one.opened_on}"
    head: list[Any] = [f"{'LATE ' if one.is_late else ''}{when}", one.kind.replace("_", " ")]
    if one.owner_name:
        head.append(one.owner_name)
    if one.state == "to_approve":
        head.append("waits for your approval")
    phone = f" (phone {one.phone})" if one.phone and one.kind == "call" else ""
    about = f"{one.customer_name}{phone}"
    if one.amount is not None:
        about += f", {one.currency} {one.amount}"
    if one.invoices:
        about += f", {', '.join(one.invoices)}"
    lines = [", ".join(head), f"    {about}"]
    if one.text:
        lines.append(f"    {one.text}")
    lines += [f"    no answer on {attempt}" for attempt in one.attempts]
    return [*lines, f"    {one.key}"]
