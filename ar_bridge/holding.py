"""What stands between customers and the procedure: every hold with owner and review date."""

from collections.abc import Collection, Iterator
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
from rules.guards.answers import (
    bounce_ends,
    is_bounce,
    is_dealt_with,
    reply_ends,
    reply_holds_until,
)
from rules.guards.reviews import THE_OWNER
from rules.model import Book, Commitment, Served
from rules.model.history import REPLIED
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
    if not told and not book.commitments and not any(map(_is_answer, book.served)):
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
    if frame.answered:
        found += [
            hold
            for account in book.accounts()
            if not frame.answered.isdisjoint(account.members)
            for hold in _answers(AccountDay(frame, account))
        ]
    return sorted(
        found,
        key=lambda one: (not one.is_past_review, one.review_on or one.until or date.max, one.id),
    )


def _is_answer(item: Served) -> bool:
    return item.kind == REPLIED or is_bounce(item)


def _answers(day: AccountDay) -> Iterator[HoldWords]:
    """Replies that nobody dealt with, and messages that did not arrive, while they hold."""
    numbers = {invoice.id: invoice.number for invoice in day.account.invoices}
    seen: set[tuple[str, str]] = set()
    for item in day.account.served:
        if item.kind == REPLIED and not is_dealt_with(day, item):
            kind, ends, name = "reply", reply_holds_until(day, item), str(item.key)
            review_on = reply_ends(day, item)
            said = (
                f"Replied on {item.on}; a task from {review_on} on, and held until somebody deals "
                f"with it, {ends} at the latest."
            )
        elif is_bounce(item):
            kind, ends, name = "bounce", bounce_ends(day, item), item.message or str(item.key)
            review_on = ends
            said = f"A message came back, known on {item.on}; held until {ends}, then a task."
        else:
            continue
        if ends <= day.today or (kind, name) in seen:
            continue
        seen.add((kind, name))
        of_message = [
            one for one in day.account.served if one.message == item.message and is_bounce(one)
        ]
        about = [one.invoice for one in of_message if one.invoice] if kind == "bounce" else []
        yield HoldWords(
            id=name,
            kind=kind,
            customer=item.customer,
            customer_name=day.account.members.get(item.customer, day.account.payer).name,
            invoices=tuple(dict.fromkeys(numbers.get(one, str(one)) for one in about)),
            since=item.on,
            until=ends,
            owner=day.frame.policy.commitments.owner or THE_OWNER,
            review_on=review_on,
            is_past_review=review_on < day.today,
            reason="",
            actor="",
            text=(said,),
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
