"""Cash: up to which day payments are known to be entered in the books, a person's word each
morning; and what unallocated money is probably for, which is only ever suggested."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.store import books, mirror
from rules.matching import Ground, Suggestion, matches
from rules.model import Book, format_minor
from rules.policy.schema import Policy

EVENT = "CashEnteredThrough"

GROUNDS: Final[Mapping[Ground, str]] = {
    "number": "its reference names the invoice",
    "po": "its reference names the purchase order",
    "exact": "the amount is exactly what is open",
    "all_open": "the amount is all that is open",
    "sum": "the amount is their sum",
    "discount": "the amount less the early payment discount",
    "charges": "the amount less what may be bank charges",
    "oldest": "nothing speaks for any, so the oldest",
}


def enter_through(
    conn: Connection, desk: BookContext, through: date, *, actor: str, reason: str
) -> str:
    """Keep that payments are entered up to and including that day; returns a warning, empty where
    there is nothing to warn of.

    Every invoice is looked at again, because demands may have waited for this. Raises UsageError
    for a day to come: nobody knows what will be entered.
    """
    today = desk.today()
    if through > today:
        raise UsageError(f"{through} is still to come.", remedy=f"say a day up to today, {today}")
    before = books.get(conn, desk.book_id).entered_through
    books.set_entered_through(conn, desk.book_id, through)
    mirror.decide_all_again(conn, desk.book_id)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=actor,
        event=EVENT,
        subject=desk.name,
        payload={
            "through": through.isoformat(),
            "before": before.isoformat() if before else None,
            "reason": reason,
        },
    )
    if before is not None and through < before:
        return f"it was {before} before: payments since {through} count as not entered again"
    return ""


def unallocated_cash(book: Book, policy: Policy) -> list[Suggestion]:
    """Money of customers that settles no invoice yet, each with what it is probably for; the
    oldest first. Credit notes are not money, and are left to whoever wrote them."""
    found = [
        one
        for account in book.accounts()
        for one in matches(account, policy.discount)
        if one.money.kind != "credit_note"
    ]
    return sorted(found, key=lambda one: (one.money.on, one.money.id))


def suggestion_text(one: Suggestion, book: Book) -> str:
    """A suggestion as a sentence; empty where nothing is open."""
    if not one.shares:
        return "Nothing is open in that currency."
    numbers = {invoice.id: invoice.number for invoice in book.invoices}
    currency = one.money.currency
    parts = ", ".join(
        f"{numbers.get(share.invoice, str(share.invoice))} ({format_minor(share.amount, currency)})"
        for share in one.shares
    )
    why = " and ".join(GROUNDS[ground] for ground in one.grounds)
    rest = f"; {format_minor(one.left, currency)} {currency} would be left" if one.left else ""
    short = f"; {format_minor(one.short, currency)} {currency} short" if one.short else ""
    return f"Probably {parts}: {why} ({one.score} of 100){short}{rest}."
