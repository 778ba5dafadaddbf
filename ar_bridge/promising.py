"""A promise that was given on a call: recorded like any other."""

from datetime import date

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.store import commitments
from ar_bridge.store.actions import ActionRow
from ar_bridge.telling import tell
from rules.model import AmountError, CustomerId, Promise, parse_minor


def promised_on_a_call(
    conn: Connection,
    desk: BookContext,
    row: ActionRow,
    due_on: date,
    *,
    amount: str | None,
    note: str,
) -> str:
    """Record the promise for the invoices of the call; returns what becomes of it, in words.

    Raises UsageError for a day that has passed and for an amount that cannot be read.
    """
    today = desk.today()
    if due_on < today:
        raise UsageError(f"{due_on} has passed.", remedy="a promise is for a day to come")
    currency = row.currency or desk.company.base_currency
    try:
        minor = None if amount is None else parse_minor(amount, currency)
    except AmountError as error:
        raise UsageError(f"--amount: {error}.", remedy="write it like 750.00") from None
    customer = CustomerId(row.customer)
    promised = Promise(
        id=commitments.new_id(conn, desk.book_id, "promise", customer, today),
        customer=customer,
        invoices=tuple(dict.fromkeys(item.invoice for item in row.action.items if item.invoice)),
        on=today,
        due_on=due_on,
        amount=minor,
        currency=currency,
        reason=note or "on the telephone",
        actor=desk.worker,
        review_on=due_on,
    )
    told = tell(conn, desk, promised, actor=desk.worker, currency=currency)
    return f"payment is promised for {due_on} ({promised.id}); {told}"
