"""Up to which day payments are known to be entered in the books: a person's word each morning."""

from datetime import date

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.store import books, mirror

EVENT = "CashEnteredThrough"


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
