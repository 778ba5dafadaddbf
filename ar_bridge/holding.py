"""What stands between customers and the procedure: every hold with owner and review date."""

from collections.abc import Collection
from datetime import date

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.store import commitments
from rules.account_day import AccountDay
from rules.commitment_words import HoldWords, standing_holds
from rules.frame import Frame
from rules.model import Book, Commitment
from rules.policy.schema import Policy


def holds(
    conn: Connection, desk: BookContext, *, customers: Collection[str] | None = None
) -> list[HoldWords]:
    """Everything that stands today, what is past its review first, then what comes up next."""
    today = desk.today()
    told = {one.customer for one in commitments.listed(conn, desk.book_id, standing_on=today)}
    wanted = None if customers is None else sorted(set(customers))
    if wanted == []:
        return []
    book = desk.load(conn, today, wanted, ())
    if not told and not book.commitments:
        return []
    return holds_in(book, desk.policy, today)


def holds_in(book: Book, policy: Policy, today: date) -> list[HoldWords]:
    """Everything that stands in a book, in the same order."""
    frame = Frame(book, policy, today)
    found = [
        hold
        for account in book.accounts()
        if account.commitments
        for hold in standing_holds(AccountDay(frame, account))
    ]
    return sorted(
        found,
        key=lambda one: (not one.is_past_review, one.review_on or one.until or date.max, one.id),
    )


def look_after(
    conn: Connection,
    desk: BookContext,
    name: str,
    *,
    owner: str | None,
    review_on: date | None,
    reason: str,
    actor: str,
) -> Commitment:
    """Give a hold another owner or review date; its task for the old date is not set again.

    Raises UsageError where nothing of that name stands.
    """
    standing = commitments.listed(conn, desk.book_id, standing_on=desk.today())
    known = next((one for one in standing if one.id == name), None)
    if known is None:
        raise UsageError(
            f"No hold is called {name}.",
            remedy="ar-bridge holds lists what stands; an exemption has ar-bridge exempt",
        )
    changes: dict[str, object] = {}
    if owner is not None:
        changes["owner"] = owner
    if review_on is not None:
        changes["review_on"] = review_on
    changed = commitments.change(conn, desk.book_id, name, **changes)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=actor,
        event="HoldReviewed",
        subject=name,
        payload={
            "owner": changed.owner,
            "review_on": str(changed.review_on or ""),
            "before": msgspec.to_builtins([known.owner, known.review_on]),
            "reason": reason,
        },
    )
    return changed
