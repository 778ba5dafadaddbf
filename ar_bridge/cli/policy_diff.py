"""`ar-bridge policy diff`: what another policy would change, in words and on a book."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import BookOption, JsonOption

if TYPE_CHECKING:
    from ar_bridge.insights.policy_diff import Differing, Doing, PolicyDiff

SHOWN = 20
"""Differences in what is done that are listed one by one."""


def command(
    ctx: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A policy file, or a preset.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The one that takes its place.")],
    book: BookOption = None,
    book_file: Annotated[
        Path | None,
        typer.Option("--book-file", metavar="FILE", help="Compare on a book file."),
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The day; else the book's own.")
    ] = None,
    first: Annotated[int, typer.Option("--first", min=0, help="How many actions to list.")] = SHOWN,
    check: Annotated[bool, typer.Option("--check", help="Exit 2 where anything differs.")] = False,
    json: JsonOption = False,
) -> None:
    """Say what the new policy says differently, and what that changes on a book on a day.

    A stage or fee that has history on the book may not vanish: name it with `was`.
    """
    from ar_bridge.cli.looking import looked_at
    from ar_bridge.errors import UsageError
    from ar_bridge.insights.policy_diff import policy_diff
    from ar_bridge.policies import read_policy

    before, after = read_policy(old), read_policy(new)
    if book_file is None and book is None:
        if on is not None:
            raise UsageError("--on needs a book.", remedy="add --book NAME or --book-file FILE")
        found = policy_diff(before, after, None, None)
    else:
        # The holidays are those of the new policy's region: it is the one to come.
        named = new if book_file is not None else None
        with looked_at(ctx, book, book_file, named, on) as seen:
            found = policy_diff(before, after, seen.book, seen.on)
    if json:
        console.print_json(found.plain())
    else:
        _print(found, first)
    if check and (found.changes or found.differing):
        raise typer.Exit(2)


def _print(found: "PolicyDiff", first: int) -> None:
    if found.changes:
        console.say(f"{found.old} -> {found.new}", style="bold")
        console.say(*(f"  {change}" for change in found.changes))
    else:
        console.say("Both policies say the same.")
    if found.on is None:
        return
    console.say("")
    if not found.differing:
        console.say(f"On {found.on} both do the same.")
        return
    console.print_table(
        ("", "old", "new"),
        [
            *((kind, str(old), str(now)) for kind, (old, now) in found.totals.items()),
            *(
                (f"late fees in {currency}", _money(old, currency), _money(now, currency))
                for currency, (old, now) in found.fee_totals.items()
            ),
        ],
        right=("old", "new"),
    )
    rows = [_row(one) for one in found.differing[:first]]
    if rows:
        console.say("")
        console.print_table(("", "customer", "invoice", "what", "old", "new"), rows)
    left = len(found.differing) - len(rows)
    more = f", {left} more not shown (--first)" if left else ""
    console.say(
        f"On {found.on}: {console.counted(len(found.differing), 'action')} differ for "
        f"{console.counted(len(found.customers), 'customer')}{more}"
    )


def _row(one: "Differing") -> tuple[str, ...]:
    either = one.new or one.old
    assert either is not None
    return (
        one.what,
        either.customer_name,
        either.invoice,
        either.kind,
        _in_words(one.old, one.fields),
        _in_words(one.new, one.fields),
    )


def _in_words(doing: "Doing | None", fields: tuple[str, ...]) -> str:
    if doing is None:
        return "-"
    if fields:
        return ", ".join(_value(doing, name) for name in fields)
    parts = [doing.stage or doing.fee, _value(doing, "amount") if doing.amount else ""]
    return " ".join(part for part in parts if part)


def _value(doing: "Doing", name: str) -> str:
    if name == "amount":
        return _money(doing.amount or 0, doing.currency)
    return str(getattr(doing, name))


def _money(amount: int, currency: str) -> str:
    from rules.model import format_minor

    return f"{currency} {format_minor(amount, currency)}"
