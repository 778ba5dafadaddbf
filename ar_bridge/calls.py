"""What was said on a call: told in the ledger like any contact, and a promise recorded as such."""

from datetime import date

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.orders import is_observed, order
from ar_bridge.promising import not_above_open, takes_consent
from ar_bridge.store import commitments, mirror
from ar_bridge.store.actions import ActionRow
from ar_bridge.telling import tell
from rules.actions.action import Item
from rules.actions.noted import servings
from rules.actions.notes import NoteFacts
from rules.actions.words import RecordWord
from rules.model import AmountError, CustomerId, InvoiceId, ItemKey, Promise, parse_minor


def note_of_call(conn: Connection, desk: BookContext, row: ActionRow, *, note: str) -> None:
    """Order a note about a call in which somebody was spoken to: a contact that has to be found
    again after our own records were lost. A book that observes writes none."""
    if is_observed(desk, CustomerId(row.customer)):
        return
    invoices = _invoices(row)
    numbers = {one.id: one.number for one in mirror.invoices_by_id(conn, desk.book_id, invoices)}
    stages, _ = servings(row.action.items, numbers, invoices)
    today = desk.today()
    key = ItemKey(f"word/call/{row.key}")
    said = f": {note}" if note else ""
    order(
        conn,
        desk,
        [
            RecordWord(
                key=key,
                customer=CustomerId(row.customer),
                currency=row.currency,
                items=(Item(key=key, kind=RecordWord.kind),),
                is_ordered=True,
                text=f"{today.isoformat()} called, {desk.worker}{said}",
                facts=NoteFacts(kind="call", on=today, channel="call", stages=stages),
                invoices=invoices,
            )
        ],
        actor=desk.worker,
        reason=note,
    )


def promised_on_a_call(
    conn: Connection,
    desk: BookContext,
    row: ActionRow,
    due_on: date,
    *,
    amount: str | None,
    note: str,
    consent: bool = False,
) -> str:
    """Record the promise for the invoices of the call; returns what becomes of it, in words.

    Raises UsageError for a day that has passed, for one further ahead than the policy takes
    without consent, and for an amount that cannot be read or is more than is open.
    """
    today = desk.today()
    if due_on < today:
        raise UsageError(f"{due_on} has passed.", remedy="a promise is for a day to come")
    is_long = takes_consent(desk, due_on, consent=consent)
    currency = row.currency or desk.company.base_currency
    try:
        minor = None if amount is None else parse_minor(amount, currency)
    except AmountError as error:
        raise UsageError(f"--amount: {error}.", remedy="write it like 750.00") from None
    customer = CustomerId(row.customer)
    if minor is not None:
        not_above_open(
            conn,
            desk,
            minor,
            currency,
            customer=customer,
            name=row.customer,
            invoices=mirror.invoices_by_id(conn, desk.book_id, _invoices(row)),
        )
    promised = Promise(
        id=commitments.new_id(conn, desk.book_id, "promise", customer, today),
        customer=customer,
        invoices=_invoices(row),
        on=today,
        due_on=due_on,
        amount=minor,
        currency=currency,
        reason=note or "on the telephone",
        actor=desk.worker,
        review_on=due_on,
        consented=is_long,
    )
    told = tell(conn, desk, promised, actor=desk.worker, currency=currency)
    return f"payment is promised for {due_on} ({promised.id}); {told}"


def _invoices(row: ActionRow) -> tuple[InvoiceId, ...]:
    return tuple(dict.fromkeys(item.invoice for item in row.action.items if item.invoice))
