"""Deciding for many accounts without holding all of them: some hundred at a time.

What is kept of each is what a plan shows: the drafts with their invoices, the customers, and the
grounds to wait as the text that the plan will have. The rest is read, decided on and let go.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import rebuilding
from ar_bridge.agenda import Agenda, agenda_of, looks_of
from ar_bridge.context import BookContext
from ar_bridge.drafts import Draft, Terms, drafts, strictest
from ar_bridge.plan_view import packed_skips
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, mirror
from ar_bridge.store.agenda import NextLook
from ar_bridge.store.books import BookRow
from connectors.port import FindsMarks
from rules.decision import Skip
from rules.frame import Frame
from rules.model import Book, Customer, CustomerId, Invoice, InvoiceId

AT_ONCE: Final = 1_000
"""Payers whose accounts are held at one time. The dozen queries of a part take a while to make,
however few they are about."""

NOT_DUE: Final = "not_due"
""""Nothing to do yet": of what is not late, a plan only counts it."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided for some accounts, or for all."""

    book: Book
    """Their customers, and the invoices that something is said of."""
    made: list[Draft]
    skipped: list[Skip]
    looks: dict[str, NextLook]
    """When each account is to be looked at again."""
    shown: tuple[bytes, ...] = ()
    """What a plan shows of grounds to wait, packed; of the invoices of these nothing is kept."""
    shown_of: int = 0
    """How many of `skipped`, from the first on, are among them."""
    counted: Mapping[str, int] = {}
    """Grounds to wait by code that are not in `skipped`: nothing more is asked of them."""
    html: Mapping[str, bytes] = {}
    """By keys of actions the HTML that the messages in `made` lack. Nobody asks for it before it
    is stored, and as text of Python, read once, it would take up to four times the room."""

    def whole(self, draft: Draft) -> Draft:
        """One of `made` with all of its message; whose words a person gave has it."""
        html = self.html.get(draft.action.key)
        if html is None or draft.message is None or draft.message.html or draft.edited_by:
            return draft
        message = msgspec.structs.replace(draft.message, html=html.decode())
        return msgspec.structs.replace(draft, message=message)


def is_in_parts(desk: BookContext) -> bool:
    """Whether accounts may be decided a part at a time: not while notes have to be looked for on
    invoices, of which a plan has time for a few."""
    connector = desk.connector
    return not isinstance(connector, FindsMarks) or connector.capabilities.can_find_notes_in_bulk


def payers_of(conn: Connection, desk: BookContext) -> list[str]:
    """Everybody who pays in the book, in the order in which a plan lists them."""
    families = desk.families(conn)
    named = mirror.everybody(conn, desk.book_id)
    return sorted({str(families.payer_of(CustomerId(name))) for name in named})


def decided(
    desk: BookContext, book: Book, today: date, terms: Terms, frame: Frame | None = None
) -> Decided:
    """Decide for every account of a book."""
    made, skipped = drafts(book, desk.policy, today, terms)
    looks = looks_of(desk, book, skipped, made, today, frame)
    return Decided(book=book, made=made, skipped=skipped, looks=looks)


def decided_in_parts(
    conn: Connection, desk: BookContext, payers: Sequence[str], today: date, terms: Terms
) -> Decided:
    """The same for these payers, some hundred at a time, all of one snapshot."""
    customers: dict[CustomerId, Customer] = {}
    invoices: list[Invoice] = []
    made: list[Draft] = []
    skipped: list[Skip] = []
    shown: list[bytes] = []
    looks: dict[str, NextLook] = {}
    counted: Counter[str] = Counter()
    html: dict[str, bytes] = {}
    planned = action_store.planned_items(conn, desk.book_id)
    thin = _without_accounts(desk.load(conn, today, (), ()))
    frame = Frame(thin, desk.policy, today)
    for some in _parts(payers):
        book = desk.load(conn, today, some, ())
        part = decided(desk, book, today, terms, frame)
        customers.update(book.customers)
        invoices += _acted_on(book, part.made)
        made += [_without_html(draft, html) for draft in part.made]
        shown.append(packed_skips(part.skipped, book, today))
        for skip in part.skipped:
            if skip.code != NOT_DUE or (skip.key is not None and skip.key in planned):
                skipped.append(skip)
            else:
                counted[skip.code] += 1
        looks.update(part.looks)
    return Decided(
        book=msgspec.structs.replace(thin, customers=customers, invoices=invoices),
        made=made,
        skipped=skipped,
        shown=tuple(shown),
        shown_of=len(skipped),
        looks=looks,
        counted=counted,
        html=html,
    )


def _without_html(draft: Draft, html: dict[str, bytes]) -> Draft:
    if draft.message is None or not draft.message.html:
        return draft
    html[draft.action.key] = draft.message.html.encode()
    return msgspec.structs.replace(draft, message=msgspec.structs.replace(draft.message, html=""))


def _without_accounts(book: Book) -> Book:
    """What all parts of a book have in common."""
    return Book(
        company=book.company,
        as_of=book.as_of,
        holidays=book.holidays,
        entered_through=book.entered_through,
        read_on=book.read_on,
        age_hours=book.age_hours,
    )


def _parts(payers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(payers), AT_ONCE):
        yield payers[start : start + AT_ONCE]


def _acted_on(book: Book, made: Sequence[Draft]) -> Iterator[Invoice]:
    """Invoices that a draft is about or tells of."""
    named: set[InvoiceId | None] = set()
    for draft in made:
        named.update(item.invoice for item in draft.action.items)
        named.update(draft.action.about)
        named.update(draft.facts.get("invoices", ()))
    return (one for one in book.invoices if one.id in named)


def _terms(desk: BookContext, row: BookRow) -> Terms:
    terms = desk.terms()
    if row.state == "rebuilt":
        # Our own records were lost: a person looks at everything until they are trusted again.
        return msgspec.structs.replace(terms, mode=strictest(terms.mode, "approve"))
    return terms


def decisions_of(desk: BookContext, asked: Agenda, today: date) -> tuple[Agenda, BookRow, Decided]:
    """Decide for the accounts of an agenda, and of what became of it meanwhile. Returns the agenda
    and the book's row as they were when it was read."""
    return _in_parts(desk, today) if is_in_parts(desk) else _at_once(desk, asked, today)


def _in_parts(desk: BookContext, today: date) -> tuple[Agenda, BookRow, Decided]:
    """Decide for the accounts of the agenda, some hundred at a time, in one snapshot."""
    terms = desk.terms()
    with desk.store.read() as conn:
        asked = agenda_of(conn, desk, terms)
        row = books.get(conn, desk.book_id)
        payers = payers_of(conn, desk) if asked.payers is None else sorted(asked.payers)
        return asked, row, decided_in_parts(conn, desk, payers, today, _terms(desk, row))


def _at_once(desk: BookContext, asked: Agenda, today: date) -> tuple[Agenda, BookRow, Decided]:
    """The same for a ledger whose notes are looked for on the invoices that something is due
    about: what is found changes what is due."""
    with desk.store.read() as conn:
        book = desk.load(conn, today, asked.payers, ())
        row = books.get(conn, desk.book_id)
    looked = rebuilding.look(desk, book)
    if looked.has_found:
        with desk.store.read() as conn:
            asked = agenda_of(conn, desk, desk.terms())
            book = desk.load(conn, today, asked.payers, ())
            row = books.get(conn, desk.book_id)
    terms = msgspec.structs.replace(
        _terms(desk, row), unread=looked.unread, unread_why=looked.problem
    )
    return asked, row, decided(desk, book, today, terms)
