"""How far ahead and how high a promise may be, whoever takes it down: by command or on a call."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from rules.frame import Frame
from rules.model import Book, CustomerId, Invoice, Minor, format_minor


def takes_consent(desk: BookContext, due_on: date, *, consent: bool) -> bool:
    """Whether a promise is longer than the policy takes by itself, which a person agreed to.

    Raises UsageError where it is and nobody did.
    """
    today, policy = desk.today(), desk.policy
    frame = Frame(Book(company=desk.company, as_of=today), policy, today)
    longest = frame.calendar.shift(today, policy.commitments.max_promise)
    if due_on <= longest:
        return False
    if not consent:
        raise UsageError(
            f"{due_on} is more than {policy.commitments.max_promise} ahead, the longest promise "
            "that the policy takes.",
            remedy=f"agree on a day up to {longest}, or say --consent",
        )
    return True


def not_above_open(
    conn: Connection,
    desk: BookContext,
    minor: Minor,
    currency: str,
    *,
    customer: CustomerId,
    name: str,
    invoices: Sequence[Invoice],
) -> None:
    """Raises UsageError where a promise is of more than is open on its invoices, or, without
    any, on the account, whoever of the family owes it: it could never be kept."""
    about = list(invoices) or [
        one
        for one in desk.load(conn, desk.today(), [customer], ()).invoices
        if one.status == "open" and one.currency == currency
    ]
    where = f"on {', '.join(one.number for one in invoices)}" if invoices else f"for {name}"
    not_above(
        minor,
        sum(one.balance for one in about),
        currency,
        where,
        "leave --amount out for all that is open",
    )


def not_above(minor: Minor, owed: Minor, currency: str, where: str, remedy: str) -> None:
    """Raises UsageError where an amount that somebody typed is above what is open."""
    if minor > owed:
        raise UsageError(
            f"--amount {format_minor(minor, currency)} is more than the "
            f"{format_minor(owed, currency)} {currency} that is open {where}.",
            remedy=remedy,
        )
