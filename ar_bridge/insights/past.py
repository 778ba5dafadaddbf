"""The past of a connected book, as far as our copy of the ledger has it, and what it lacks."""

from datetime import date, timedelta
from typing import Final

import msgspec

from ar_bridge.book_loader import load_book
from ar_bridge.context import BookContext, localized
from ar_bridge.facts_file import CustomerFacts
from ar_bridge.store import books
from rules.model.past import PastBook

_EVER: Final = timedelta(days=100 * 365)
"""Everything that we saw closed, however long ago."""


class KnownPast(msgspec.Struct, frozen=True, kw_only=True):
    """What can be played over, and what a person has to know of it."""

    book: PastBook
    lacks: tuple[str, ...]
    """Sentences: what our copy of the ledger cannot know."""


def known_past(
    desk: BookContext, facts: CustomerFacts, timezone: str | None, first: date
) -> KnownPast:
    """The whole book as last read, unwound day by day from `first`."""
    with desk.store.read() as conn:
        row = localized(books.get(conn, desk.book_id), timezone)
        whole = load_book(
            conn,
            row,
            as_of=desk.today(),
            now=desk.clock.now(),
            holidays={},
            facts=facts,
            closed_within=_EVER,
        )
    lacks = [
        "Due dates, customers and whether an invoice was sent are taken as they stand today; a "
        "void invoice counts as void from its first day.",
        f"What was really sent and charged from {first} on is left out: the policy does its own "
        "work on these days. What was done before is history.",
    ]
    connected_on = row.company.connected_on
    if connected_on is not None and first < connected_on:
        lacks.insert(
            0,
            f"The book was connected on {connected_on}. Of the time before we know only what was "
            "still open then: invoices that had been paid are missing, so fewer messages are "
            "counted than there would have been.",
        )
    entered = [one.known_on for one in whole.payments]
    if None in (*entered, *(one.known_on for one in whole.credits)):
        lacks.append(
            "Payments and credits for which the ledger names no day of entry count as entered on "
            "their own date: reminders after the money had come may be missing."
        )
    return KnownPast(book=PastBook(whole, first), lacks=tuple(lacks))
