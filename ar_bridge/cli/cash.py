"""`ar-bridge cash`: up to which day payments are entered, and money that settles nothing yet."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.word_options import day_of

if TYPE_CHECKING:
    from ar_bridge.context import BookContext

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge cash --through 2026-11-20 --by ann
  ar-bridge cash show
  ar-bridge cash --unallocated
"""


def command(
    ctx: typer.Context,
    action: Annotated[
        str | None, typer.Argument(metavar="[show]", help="Only say how it stands.")
    ] = None,
    through: Annotated[
        str | None,
        typer.Option("--through", metavar="DATE", help="Payments are entered up to this day."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="WHO", help="Who entered them, for the audit.")
    ] = "",
    unallocated: Annotated[
        bool,
        typer.Option(
            "--unallocated",
            help="Money that settles no invoice yet, and what it is probably for.",
        ),
    ] = False,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Say each morning up to which day you have entered payments, the last bank day included.

    Messages print that day, and demands wait for it where the policy has `cash_older_than`.
    """
    from ar_bridge.cash import enter_through
    from ar_bridge.errors import UsageError
    from ar_bridge.store import books

    if action not in (None, "show"):
        raise UsageError(f'"{action}" is not known.', remedy="say show, or --through DATE")
    if unallocated:
        if action is not None or through is not None:
            raise UsageError("Look or enter?", remedy="say --unallocated alone")
        with opened(ctx, book) as desk:
            _suggest(desk, json)
        return
    with opened(ctx, book) as desk:
        if through is not None:
            if action == "show":
                raise UsageError("Show or enter?", remedy="leave out one of them")
            day = day_of(through, "--through")
            actor = f"{by}, told by {desk.worker}" if by.strip() else desk.worker
            with desk.store.write() as conn:
                warning = enter_through(conn, desk, day, actor=actor, reason=reason)
            if warning:
                console.warn(f"warning: {warning}")
        with desk.store.read() as conn:
            row = books.get(conn, desk.book_id)
        limit = desk.policy.do_not_chase.cash_older_than
        name = desk.name
    if json:
        console.print_json(
            {
                "schema": 1,
                "book": name,
                "entered_through": row.entered_through,
                "read_at": row.synced_at,
                "cash_older_than": None if limit is None else str(limit),
            }
        )
        return
    if row.entered_through is None:
        console.say(f"{name}: nobody said up to which day payments are entered")
    else:
        console.say(f"{name}: payments are entered through {row.entered_through}")
    if limit is not None:
        console.say(f"  demands wait where that is more than {limit} ago")


def _suggest(desk: "BookContext", json: bool) -> None:
    """Nothing is booked: a person does that in the ledger."""
    from ar_bridge.cash import suggestion_text, unallocated_cash
    from rules.model import format_minor

    with desk.store.read() as conn:
        book = desk.load(conn, desk.today(), None, ())
    numbers = {invoice.id: invoice.number for invoice in book.invoices}
    rows: list[dict[str, Any]] = []
    for one in unallocated_cash(book, desk.policy):
        money = one.money
        known = book.customers.get(money.customer)
        rows.append(
            {
                "id": money.id,
                "kind": money.kind,
                "customer": money.customer,
                "customer_name": known.name if known is not None else money.customer,
                "on": money.on,
                "currency": money.currency,
                "amount": format_minor(money.amount, money.currency),
                "reference": money.reference,
                "score": one.score,
                "grounds": list(one.grounds),
                "invoices": [
                    {
                        "invoice": share.invoice,
                        "invoice_number": numbers.get(share.invoice, share.invoice),
                        "amount": format_minor(share.amount, money.currency),
                    }
                    for share in one.shares
                ],
                "left": format_minor(one.left, money.currency),
                "short": format_minor(one.short, money.currency),
                "text": suggestion_text(one, book),
            }
        )
    if json:
        console.print_json({"schema": 1, "book": desk.name, "unallocated": rows})
        return
    if not rows:
        console.say(f"{desk.name}: all money settles invoices")
    for row in rows:
        said = f' "{row["reference"]}"' if row["reference"] else ""
        console.say(
            f"{row['on']}  {row['customer_name']}: {row['currency']} {row['amount']}{said}",
            f"    {row['text']}",
        )
