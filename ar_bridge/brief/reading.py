"""The part of a book that a brief tells of: customers with money, mail or something that holds.

Of everybody else only sums are told, and these are added up row by row: a book of a hundred
thousand open invoices is not put together for a page.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.store import briefs, commitments
from ar_bridge.store.came_back import came_back
from ar_bridge.unreadable import held_back
from rules.aging import BUCKETS, aged_totals, bucket
from rules.model import Book, Minor

ENTERED_LATE: Final = timedelta(days=100)
"""Money dated longer ago is no news, whenever somebody enters it."""

REMEMBERED: Final = timedelta(days=400)
"""How long what came back stays in a book."""


def book_of_interest(conn: Connection, desk: BookContext, today: date) -> Book:
    """The accounts of everybody with recent or unused money, a hold, or mail that came back."""
    payer_of = desk.families(conn).payer_of
    told = (
        *commitments.listed(conn, desk.book_id),
        *desk.facts.commitments(),
        *held_back(conn, desk.book_id, today, payer_of),
    )
    answers = came_back(conn, desk.book_id, since=today - REMEMBERED)
    customers = {str(one.customer) for one in (*told, *answers)}
    customers |= briefs.with_money(conn, desk.book_id, since=today - ENTERED_LATE)
    return desk.load(conn, today, sorted(customers), ())


def aged_sums(
    conn: Connection, desk: BookContext, book: Book, today: date
) -> dict[str, dict[str, Minor]]:
    """What is owed by currency and aging bucket, in minor units. Of the accounts in `book` unused
    money is taken off, the oldest debt first; nobody else has any."""
    sums: dict[str, dict[str, Minor]] = defaultdict(lambda: {name: 0 for name, _ in BUCKETS})
    for account in book.accounts():
        for one in aged_totals(account, today):
            for name, amount in one.buckets.items():
                sums[one.currency][name] += amount
    known: Collection[str] = {str(name) for name in book.customers}
    for owed in briefs.owed_by_day(conn, desk.book_id, without=known):
        days = None if owed.due_on is None else (today - owed.due_on).days
        sums[owed.currency][bucket(days)] += owed.amount
    return dict(sums)
