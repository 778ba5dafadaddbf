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
    from rules.model import Promise

    with saying(ctx, book, subject, customer, invoice, json) as said:
        due_on = day_ahead(on, "--on", said.today, "a promise is for a day to come")
        is_long = _is_long(said, due_on, consent)
        promised = Promise(
            **said.common("promise", reason, owner, review_on),
            due_on=due_on,
            amount=None if amount is None else said.sum(amount),
            currency=said.currency,
            consented=is_long,
        )
        broken = _broken_before(said)
        said.record(promised, f"{said.customer.name} promised to pay on {due_on}", *broken)


def _is_long(said: Saying, due_on: object, consent: bool) -> bool:
    """Whether it takes a person's consent, which was given. Raises UsageError where it was not."""
    from ar_bridge.errors import UsageError
    from rules.frame import Frame
    from rules.model import Book

    policy = said.desk.policy
    frame = Frame(Book(company=said.desk.company, as_of=said.today), policy, said.today)
    longest = frame.calendar.shift(said.today, policy.commitments.max_promise)
    if str(due_on) <= longest.isoformat():
        return False
    if not consent:
        raise UsageError(
            f"{due_on} is more than {policy.commitments.max_promise} ahead, the longest promise "
            "that the policy takes.",
            remedy=f"agree on a day up to {longest}, or say --consent",
        )
    return True


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
