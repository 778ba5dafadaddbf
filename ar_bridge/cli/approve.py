"""`ar-bridge approve`: release a plan, a part of it, or single actions."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ByOption, ReasonOption, by, opened
from ar_bridge.cli.invocation import BookOption, JsonOption

if TYPE_CHECKING:
    from ar_bridge.choosing import Chosen
    from ar_bridge.context import BookContext
    from ar_bridge.store.actions import ActionRow

SHOWN = 10
"""So many of what was left stand in the terminal; --json lists them all."""


def command(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PLAN|KEY...]",
            help="A plan, or keys of actions as `plan` shows; with --kind and the like, all that "
            "is planned where none is named.",
        ),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="Only actions of this kind.")
    ] = None,
    segment: Annotated[
        list[str] | None,
        typer.Option("--segment", metavar="NAME", help="Only customers of this segment."),
    ] = None,
    customer: Annotated[
        list[str] | None,
        typer.Option("--customer", metavar="NAME", help="Only this customer, by name or id."),
    ] = None,
    below: Annotated[
        str | None, typer.Option("--below", metavar="AMOUNT", help="Only amounts below this.")
    ] = None,
    above: Annotated[
        str | None, typer.Option("--above", metavar="AMOUNT", help="Only amounts above this.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be approved, and what not.")
    ] = False,
    book: BookOption = None,
    reason: ReasonOption = "",
    who: ByOption = "",
    json: JsonOption = False,
) -> None:
    """Release what was planned. A late fee and the message that announces it go together."""
    from ar_bridge import approvals
    from ar_bridge.choosing import Choice, choose
    from ar_bridge.errors import UsageError
    from ar_bridge.selection import selected
    from ar_bridge.store import actions as action_store
    from ar_bridge.store import mirror

    choice = Choice(
        kinds=tuple(kind or ()),
        segments=tuple(segment or ()),
        customers=tuple(customer or ()),
        below=_amount(below, "--below"),
        above=_amount(above, "--above"),
    )
    if not targets and choice.is_everything:
        raise UsageError(
            "What is to be approved?",
            remedy="name a plan or keys, or say which with --kind, --segment, --customer, --below "
            "or --above",
        )
    if choice.below is not None and choice.above is not None and choice.below <= choice.above:
        raise UsageError(
            f"No amount is above {above} and below {below}.", remedy="--above is the smaller one"
        )
    with opened(ctx, book) as desk, desk.store.write() as conn:
        rows = (
            selected(conn, desk, targets, ("planned",))
            if targets
            else action_store.actions_in(conn, desk.book_id, ("planned",))
        )
        chosen = choose(conn, desk, approvals.with_companions(conn, desk, rows), choice)
        _on_their_day(desk, chosen.rows)
        approved = list(chosen.rows)
        if not dry_run and chosen.rows:
            ids = {invoice for row in chosen.rows for invoice in row.action.about}
            approved = approvals.approve(
                conn,
                desk,
                chosen.rows,
                actor=by(desk, who),
                reason=reason,
                numbers={i.id: i.number for i in mirror.invoices_by_id(conn, desk.book_id, ids)},
            )
    if json:
        console.print_json(_view(approved, chosen, dry_run))
        return
    word = "would approve" if dry_run else "approved"
    for row in approved:
        console.say(f"{word} {row.key}{_told(row)}")
    if not approved:
        console.say("nothing fits: nothing was approved")
    for row, why in chosen.left[:SHOWN]:
        console.say(f"left {row.key}{_told(row)}: {why}")
    if len(chosen.left) > SHOWN:
        console.say(f"... and {len(chosen.left) - SHOWN} more left (--json lists them all)")
    if approved and not dry_run:
        console.say("ar-bridge apply does it when its time has come")


def _on_their_day(desk: "BookContext", rows: "tuple[ActionRow, ...]") -> None:
    from ar_bridge.errors import UsageError

    late = [row for row in rows if row.send_on < desk.today()]
    if late:
        # What was written for a day says so in its text: it would only be withdrawn.
        raise UsageError(
            "Nothing was approved.",
            problems=[f"{row.key} was written for {row.send_on}" for row in late],
            remedy="ar-bridge plan makes a plan for today",
        )


def _amount(text: str | None, option: str) -> Decimal | None:
    from ar_bridge.errors import UsageError
    from rules.policy.reading import Misread, exact_number

    if text is None:
        return None
    try:
        number = exact_number(text)
    except Misread as error:
        raise UsageError(
            f"{option}: {error.message}.", remedy="write it like 500 or 99.50"
        ) from None
    if number < 0:
        raise UsageError(f"{option} {text} is below zero.", remedy="write it like 500 or 99.50")
    return number


def _view(approved: "list[ActionRow]", chosen: "Chosen", dry_run: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "dry_run": dry_run,
        "approved": [] if dry_run else [row.key for row in approved],
        "selected": [_entry(row) for row in approved],
        "left": [{**_entry(row), "why": why} for row, why in chosen.left],
    }


def _entry(row: "ActionRow") -> dict[str, Any]:
    from rules.model import format_minor

    return {
        "key": row.key,
        "revision": row.revision,
        "kind": row.kind,
        "customer": row.customer,
        "amount": None if row.amount is None else format_minor(row.amount, row.currency),
        "currency": row.currency or None,
    }


def _told(row: "ActionRow") -> str:
    from rules.model import format_minor

    what = row.kind.replace("_", " ")
    if row.amount is None:
        return f" ({what})"
    return f" ({what}, {format_minor(row.amount, row.currency)} {row.currency})"
