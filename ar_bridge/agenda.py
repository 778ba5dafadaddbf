"""Which accounts a plan looks at: those that something happened to and those whose day has come.

Deciding is a function of the account, the policy and the day. So an account of which nothing
changed is decided as it was until the day that its last decision named. Everything that all
accounts have in common (the policy, the settings, the company, the day up to which payments are
entered) is the basis: when it changes, every account is looked at, and once a week in any case.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import __version__
from ar_bridge.book_loader import age_hours
from ar_bridge.context import BookContext
from ar_bridge.drafts import Draft, Terms
from ar_bridge.store import actions as action_store
from ar_bridge.store import agenda, marks, quarantine
from ar_bridge.store.agenda import NextLook, Planning
from connectors.port import TellsMore
from rules.calendar import local_date
from rules.decision import Skip
from rules.episodes import CLOSED_FOR
from rules.frame import Frame
from rules.model import Book, CustomerId, Invoice, InvoiceId
from rules.replay import ASKED_DAILY

WHOLE_EVERY: Final = timedelta(days=7)
"""Every account is looked at so often, whatever happened."""

AT_ONCE: Final = frozenset({"rejected", "refused"})
"""Grounds that end at an hour, not on a day."""

WORDS_MATTER: Final = timedelta(days=60)
"""What somebody told us has days of its own, which other grounds may hide: their accounts are
looked at every day, and this long after it ended."""

_ONE_DAY = timedelta(days=1)


class Agenda(msgspec.Struct, frozen=True, kw_only=True):
    """What one plan looks at."""

    payers: frozenset[str] | None
    """None: every account."""
    members: frozenset[str] | None
    """They and all whose invoices they pay."""
    basis: str
    day: str
    through: int
    """The newest change that it knows of."""
    whole_on: date
    before: Planning | None
    """The planning that it goes on from."""


def agenda_of(conn: Connection, desk: BookContext, terms: Terms) -> Agenda:
    """What is to be looked at today, in the snapshot of the connection."""
    today = desk.today()
    basis, day = _basis(conn, desk, terms, today), _day(conn, desk, today)
    before = agenda.planning_of(conn, desk.book_id)
    through = agenda.newest_touch(conn, desk.book_id)
    whole = Agenda(
        payers=None,
        members=None,
        basis=basis,
        day=day,
        through=through,
        whole_on=today,
        before=before,
    )
    if (
        before is None
        or before.basis != basis
        or today < before.on
        or today - before.whole_on >= WHOLE_EVERY
    ):
        return whole
    named = agenda.touched(conn, desk.book_id) | agenda.due(conn, desk.book_id, today)
    if before.day != day:
        named |= agenda.with_plans(conn, desk.book_id)
    else:
        named |= _past_their_window(conn, desk, today)
    families = desk.families(conn)
    payers = frozenset(str(families.payer_of(CustomerId(customer))) for customer in named)
    return msgspec.structs.replace(
        whole,
        payers=payers,
        members=families.accounts_of(payers | named),
        whole_on=before.whole_on,
    )


def looks_of(
    desk: BookContext,
    book: Book,
    skipped: Iterable[Skip],
    made: Sequence[Draft],
    today: date,
    frame: Frame | None = None,
) -> dict[str, NextLook]:
    """When each account of a book that was just decided is to be looked at again. `frame` is the
    policy made ready for the day, where that was done before: what follows from dates alone is
    the same for every part of a book."""
    frame = frame or Frame(book, desk.policy, today)
    tomorrow = today + _ONE_DAY
    days: dict[str, date] = {}
    paying = book.children_paid_for()

    def again(customer: CustomerId, on: date, earliest: date = tomorrow) -> None:
        payer = paying.get(customer, customer)
        on = max(on, earliest)
        known = days.get(payer)
        if known is None or on < known:
            days[payer] = on

    for skip in skipped:
        code, next_on = skip.code, skip.next_on
        if code == "history_unread":
            again(skip.customer, today, today)
        if next_on is None or code in ASKED_DAILY:
            # It may end on any day, or hide what falls due meanwhile.
            again(skip.customer, tomorrow)
        if next_on is not None:
            again(skip.customer, next_on, today if code in AT_ONCE else tomorrow)
        if skip.review_on is not None and skip.review_on > today:
            again(skip.customer, skip.review_on)
    for told in book.commitments:
        if told.ended_on is None or told.ended_on + WORDS_MATTER >= today:
            again(told.customer, tomorrow)
    for customer, on in _may_fall_due(frame, book):
        again(customer, on)
    looks = {payer: NextLook(payer=payer, next_on=on) for payer, on in days.items()}
    for draft in made:
        payer = book.payer_of(draft.action.customer)
        known = looks.get(payer) or NextLook(payer=payer, next_on=None)
        zone, goes_on = known.zone, known.goes_on or draft.send_on
        if draft.action.is_customer_facing:
            receiver = book.customers.get(draft.action.customer)
            zone = (receiver.timezone if receiver else "") or book.company.timezone
            goes_on = local_date(draft.send_at, book.company.timezone)
        looks[payer] = NextLook(payer=payer, next_on=tomorrow, zone=zone, goes_on=goes_on)
    return looks


def sooner(later: dict[str, NextLook], known: dict[str, NextLook]) -> dict[str, NextLook]:
    """What was found out later, where it is to be looked at sooner than was known."""
    found: dict[str, NextLook] = {}
    for payer, look in later.items():
        before = known.get(payer)
        if before is None:
            found[payer] = look
        elif look.next_on is not None and (before.next_on is None or look.next_on < before.next_on):
            found[payer] = msgspec.structs.replace(before, next_on=look.next_on)
    return found


def settle(
    conn: Connection,
    desk: BookContext,
    asked: Agenda,
    looks: dict[str, NextLook],
    *,
    plan_id: str,
    after: int,
) -> None:
    """Remember what was looked at and when to look again. `after` is the newest change before
    this plan was written: later ones are its own."""
    agenda.record_looks(conn, desk.book_id, looks, looked_at=asked.members)
    agenda.clear_touched(conn, desk.book_id, through=asked.through, after=after)
    made = Planning(
        basis=asked.basis,
        on=desk.today(),
        day=asked.day,
        whole_on=asked.whole_on,
        plan_id=plan_id,
    )
    if made != asked.before:
        agenda.record_planning(conn, desk.book_id, made)


def basis_of(*settings: object) -> str:
    """Digest of settings, the same for the same values."""
    return hashlib.sha256(msgspec.json.encode(settings, order="deterministic")).hexdigest()


def _basis(conn: Connection, desk: BookContext, terms: Terms, today: date) -> str:
    row = desk.row(conn)
    told: object = None
    if isinstance(desk.connector, TellsMore):
        told = desk.connector.told(today)
    return basis_of(
        __version__,
        desk.policy_hash,
        desk.policy.on(today).terms_hash,
        desk.basis,
        desk.mode,
        row.company,
        row.entered_through,
        row.state,
        _is_stale(desk, row.synced_at),
        {
            name: value
            for name in terms.__struct_fields__
            if not callable(value := getattr(terms, name))
        },
        quarantine.listed(conn, desk.book_id),
        len(marks.listed(conn, desk.book_id)),
        told,
    )


def _day(conn: Connection, desk: BookContext, today: date) -> str:
    synced_at = desk.row(conn).synced_at
    read_on = local_date(synced_at, desk.company.timezone) if synced_at else None
    return basis_of(today, read_on)


def _is_stale(desk: BookContext, synced_at: datetime | None) -> bool:
    limit = desk.policy.do_not_chase.stale_after
    hours = limit.count if limit.unit == "h" else limit.count * 24
    return age_hours(synced_at, desk.clock.now()) > hours


def _past_their_window(conn: Connection, desk: BookContext, today: date) -> set[str]:
    """Accounts whose messages were written for a day on which they can no longer go."""
    found: set[str] = set()
    for window in agenda.windows(conn, desk.book_id):
        rows = action_store.actions_in(conn, desk.book_id, ("planned",), customers=[window.payer])
        facing = next((row.action for row in rows if row.action.is_customer_facing), None)
        if facing is None:
            found |= agenda.in_window(conn, desk.book_id, window)
            continue
        book = desk.load(conn, today, [window.payer], ())
        at = desk.send_at(book, facing, today)
        if local_date(at, desk.company.timezone) != window.goes_on:
            found |= agenda.in_window(conn, desk.book_id, window)
    return found


def _may_fall_due(frame: Frame, book: Book) -> Iterator[tuple[CustomerId, date]]:
    """The next day on which a stage or a fee of each invoice may fall due by its dates alone: a
    ground to wait for one of them says nothing of the others."""
    paid_on = _paid_on(book)
    known = frame.dates_of_due
    for one in book.invoices:
        due_on, on = one.due_on, None
        if due_on is None:
            continue
        if one.status == "open":
            dates = known.get(due_on)
            on = dates.next_on if dates is not None else _next_on(frame, one)
        else:
            paid = paid_on.get(one.id)
            if paid is not None and due_on < paid and paid + CLOSED_FOR >= frame.today:
                on = frame.dates_of(one).next_charge
        if on is not None:
            yield one.customer, on


def _next_on(frame: Frame, one: Invoice) -> date | None:
    """The next day of an open invoice; where its dates cannot be told, it is looked at daily."""
    try:
        return frame.dates_of(one).next_on
    except (ValueError, OverflowError):
        return frame.today + _ONE_DAY


def _paid_on(book: Book) -> dict[InvoiceId, date]:
    """The last day on which something came for each invoice."""
    found: dict[InvoiceId, date] = {}
    for payment in book.payments:
        for part in payment.allocations:
            found[part.invoice] = max(found.get(part.invoice, payment.on), payment.on)
    for credit in book.credits:
        if credit.kind != "credit_note":
            for used in credit.allocations:
                on = used.on or credit.on
                found[used.invoice] = max(found.get(used.invoice, on), on)
    return found
