"""`ar-bridge promise`: a customer promised to pay."""

from typing import Annotated, Final

import typer

from ar_bridge.cli.desk import ReasonOption
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.saying import Saying, saying
from ar_bridge.cli.word_options import (
    CustomerOption,
    InvoiceOption,
    OwnerOption,
    ReviewOption,
    SubjectArgument,
    day_ahead,
)

EXAMPLE: Final = """\
\b
Example:
  ar-bridge promise INV-7 --on 2026-11-15 --amount 750.00 --reason "by telephone"
"""


def command(
    ctx: typer.Context,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="The day they will pay.")],
    subject: SubjectArgument = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="SUM", help="How much; else all of it.")
    ] = None,
    consent: Annotated[
        bool,
        typer.Option("--consent", help="You agree to wait longer than the policy's max_promise."),
    ] = False,
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    owner: OwnerOption = None,
    review_on: ReviewOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Reminders wait until the day after the promise; a broken one goes on from there."""
    from ar_bridge.promising import takes_consent
    from rules.model import Promise

    with saying(ctx, book, subject, customer, invoice, json) as said:
        due_on = day_ahead(on, "--on", said.today, "a promise is for a day to come")
        is_long = takes_consent(said.desk, due_on, consent=consent)
        promised = Promise(
            **said.common("promise", reason, owner, review_on),
            due_on=due_on,
            amount=None if amount is None else said.part_of_all(amount),
            currency=said.currency,
            consented=is_long,
        )
        broken = _broken_before(said)
        said.record(promised, f"{said.customer.name} promised to pay on {due_on}", *broken)


def _broken_before(said: Saying) -> list[str]:
    """That the customer broke a promise before is worth knowing when they give another."""
    from rules.account_day import AccountDay
    from rules.frame import Frame

    book = said.desk.load(said.conn, said.today, [said.customer.id], ())
    frame = Frame(book, said.desk.policy, said.today)
    days = [
        found.promise.due_on
        for account in book.accounts()
        if said.customer.id in account.members
        for found in AccountDay(frame, account).breaches
    ]
    return [f"not kept before: {', '.join(day.isoformat() for day in days)}"] if days else []
