"""A policy played over the history of a book, a day at a time, without looking ahead.

Every day is decided on what the books knew by then (`known` dates), and what is decided becomes
history for the days after it. What customers would have done differently nobody can know: they
pay when they paid.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from rules.actions.action import Action
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decide import decide, decided_in
from rules.decision import Act, Skip
from rules.episodes import CLOSED_FOR
from rules.frame import Frame, WorkedOut
from rules.model.book import Book, HolidaySet
from rules.model.event_accounts import AccountLog, account_logs
from rules.model.events import EventLog
from rules.model.history import COUNTED_KINDS, FeePosted, Served
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.past import PastBook
from rules.policy.asked import asks_how_customers_pay
from rules.policy.schema import Policy

_ONE_DAY: Final = timedelta(days=1)

CLOSED_KEPT: Final = timedelta(days=120)
"""How long a settled invoice is looked at: longer than anything may still follow from it."""


class ReplayedDay(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on one day."""

    day: date
    acts: tuple[Act, ...]
    skips: tuple[Skip, ...]
    book: Book
    """As it was known on that day, with what the replay did before it."""


def replay(
    log: EventLog,
    policy: Policy,
    first: date,
    last: date,
    *,
    holidays: HolidaySet | None = None,
    connected_on: date | None = None,
) -> Iterator[ReplayedDay]:
    """Decide every day from `first` to `last`, both included.

    `connected_on` is the day from which first-sync rules count; without it a book file's rules
    (no limit) hold. Actions and fees that the file itself records stay what they are: history.
    """
    served: list[Served] = []
    fees: list[FeePosted] = []
    region = policy.calendar.region
    day = first
    while day <= last:
        known = log.as_of(day).book
        book = msgspec.structs.replace(
            known,
            company=msgspec.structs.replace(known.company, connected_on=connected_on),
            holidays={region: holidays} if holidays is not None else {},
            served=[*known.served, *served],
            fees=[*known.fees, *fees],
        )
        decided = decide(book, policy, day)
        acts = tuple(one for one in decided if isinstance(one, Act))
        for act in acts:
            served += served_by(act.action, max(act.send_on, day))
            if isinstance(act.action, ChargeLateFee):
                fees += fees_of(act.action, day, known.company.id)
        skips = tuple(one for one in decided if isinstance(one, Skip))
        yield ReplayedDay(day=day, acts=acts, skips=skips, book=book)
        day += _ONE_DAY


def replay_accounts(
    log: EventLog | PastBook,
    policy: Policy,
    first: date,
    last: date,
    *,
    holidays: HolidaySet | None = None,
    connected_on: date | None = None,
) -> Iterator[ReplayedDay]:
    """The same acts as `replay`, found by asking each account only on the days on which something
    of it changed or is due; `book` and `skips` of a day are those of the accounts that were asked.
    On the last day all are.
    """
    logs = log.accounts() if isinstance(log, PastBook) else account_logs(log)
    parts = [_Part(one) for one in logs]
    is_dynamic = any(
        step.is_dynamic
        for step in Frame(Book(company=log.company, as_of=first), policy, first).steps
    )
    has_ladder = any(stage.scope == "customer" for stage in policy.stage) or any(
        fee.scope == "customer" for fee in policy.fee
    )
    is_short = not has_ladder and not asks_how_customers_pay(policy)
    region = policy.calendar.region
    company = msgspec.structs.replace(log.company, connected_on=connected_on)
    days = {region: holidays} if holidays is not None else {}
    worked_out = WorkedOut()
    day = first
    while day <= last:
        asked = [one for one in parts if day == last or one.is_due(day)]
        book = Book(company=company, as_of=day, holidays=days)
        if asked:
            oldest = day - CLOSED_KEPT if is_short else date.min
            book = _together(book, [one.book(day, oldest) for one in asked])
        frame = Frame(book, policy, day, worked_out)
        decided = decided_in(frame) if asked else ()
        acts = tuple(one for one in decided if isinstance(one, Act))
        skips = tuple(one for one in decided if isinstance(one, Skip))
        owner = {customer: one for one in asked for customer in one.customers}
        for one in asked:
            one.next_on = None
        for skip in skips:
            part = owner[skip.customer]
            if skip.code in ASKED_DAILY or (
                is_dynamic and skip.stage is not None and skip.next_on is None
            ):
                part.next_on = day + _ONE_DAY
            part.look_again(skip.next_on, day)
        for act in acts:
            part = owner[act.action.customer]
            part.served += served_by(act.action, max(act.send_on, day))
            if isinstance(act.action, ChargeLateFee):
                part.fees += fees_of(act.action, day, company.id)
            part.next_on = day + _ONE_DAY
        for one in asked:
            one.look_again(_may_fall_due_on(frame, one), day)
        yield ReplayedDay(day=day, acts=acts, skips=skips, book=book)
        day += _ONE_DAY


ASKED_DAILY: Final = frozenset(
    {"rule_error", "condition", "requires", "contact_budget", "not_send_day"}
)
"""Reasons that may end on any day, though nothing of the account changes, or that hide another."""


class _Part:
    """One account with what the replay did for it so far."""

    __slots__ = ("_known", "_whole", "customers", "fees", "log", "next_on", "paid_on", "served")

    def __init__(self, log: AccountLog | PastBook) -> None:
        self.log = log
        self.served: list[Served] = []
        self.fees: list[FeePosted] = []
        self.next_on: date | None = None
        self.customers: set[CustomerId] = set()
        self._whole: Book | None = None
        self._known: Book | None = None
        self.paid_on: dict[InvoiceId, date] = {}
        """The last day on which something came for each invoice."""

    def is_due(self, day: date) -> bool:
        return self.log.changes_on(day) or (self.next_on is not None and self.next_on <= day)

    def look_again(self, on: date | None, today: date) -> None:
        """On that day too; never earlier than tomorrow."""
        if on is not None:
            on = max(on, today + _ONE_DAY)
            self.next_on = on if self.next_on is None else min(self.next_on, on)

    def book(self, day: date, oldest: date) -> Book:
        """As known on the day, without what was closed before `oldest`."""
        whole = self.log.book(day)
        if whole is not self._whole or self._known is None:
            self.paid_on = _paid_on(whole)
            self._whole, self._known = whole, _since(whole, oldest, self.paid_on)
            self.customers = {*whole.customers, *(one.customer for one in whole.invoices)}
        found = self._known
        return msgspec.structs.replace(
            found, served=[*found.served, *self.served], fees=[*found.fees, *self.fees]
        )

    @property
    def invoices(self) -> Sequence[Invoice]:
        """As last known."""
        return self._known.invoices if self._known else ()


def _paid_on(book: Book) -> dict[InvoiceId, date]:
    found: dict[InvoiceId, date] = {}
    for payment in book.payments:
        for part in payment.allocations:
            found[part.invoice] = max(found.get(part.invoice, payment.on), payment.on)
    for credit in book.credits:
        if credit.kind != "credit_note":
            for part in credit.allocations:
                on = part.on or credit.on
                found[part.invoice] = max(found.get(part.invoice, on), on)
    return found


def _since(book: Book, oldest: date, paid_on: Mapping[InvoiceId, date]) -> Book:
    """The book without invoices that were settled before a day, and the money that settled them:
    the working set that a connected book would have."""
    if oldest == date.min:
        return book
    invoices = [
        one
        for one in book.invoices
        if one.status == "open" or paid_on.get(one.id, one.issued_on) >= oldest
    ]
    kept = {one.id for one in invoices}
    return msgspec.structs.replace(
        book,
        invoices=invoices,
        payments=[
            one
            for one in book.payments
            if one.on >= oldest
            or one.reversed_on is not None
            or one.unapplied > 0
            or any(part.invoice in kept for part in one.allocations)
        ],
        credits=[
            one
            for one in book.credits
            if one.on >= oldest
            or one.remaining > 0
            or any(part.invoice in kept for part in one.allocations)
        ],
    )


def _may_fall_due_on(frame: Frame, part: _Part) -> date | None:
    """The next day on which a stage or a fee may fall due by the dates of the invoices alone: a
    ground to wait for one of them says nothing of the others."""
    paid_on, today = part.paid_on, frame.today
    found: date | None = None
    for one in part.invoices:
        if one.due_on is None:
            continue
        if one.status == "open":
            on = frame.dates_of(one).next_on
        else:
            paid = paid_on.get(one.id)
            if paid is None or not one.due_on < paid or paid + CLOSED_FOR < today:
                continue
            on = frame.dates_of(one).next_charge
        if on is not None and (found is None or on < found):
            found = on
    return found


def _together(empty: Book, books: Sequence[Book]) -> Book:
    """One book of those of several accounts."""

    def all_of(name: str) -> list[Any]:
        return [row for book in books for row in getattr(book, name)]

    return msgspec.structs.replace(
        empty,
        customers={name: one for book in books for name, one in book.customers.items()},
        entered_through=books[0].entered_through,
        rates=books[0].rates,
        **{name: all_of(name) for name in _LISTS},
    )


_LISTS: Final = (
    "invoices",
    "payments",
    "credits",
    "estimates",
    "commitments",
    "served",
    "fees",
    "waivers",
)


def served_by(action: Action, on: date) -> list[Served]:
    """The items of an action as history, once it was done."""
    channel = "email" if isinstance(action, SendReminder) else ""
    return [
        Served(
            on=on,
            kind=item.kind,
            customer=action.customer,
            invoice=item.invoice,
            stage=item.stage,
            channel=channel,
            key=item.key,
            message=action.key if item.kind in COUNTED_KINDS else "",
            covers=() if item.invoice is not None else action.covers,
        )
        for item in action.items
    ]


def fees_of(charge: ChargeLateFee, on: date, company_id: str) -> list[FeePosted]:
    """A charge as history, once it was posted: of a whole account the part of each invoice."""
    whole = FeePosted(
        on=on,
        invoice=charge.invoice,
        customer=charge.customer,
        fee=charge.fee_id,
        amount=charge.charge,
        currency=charge.currency,
        through=charge.through,
        key=charge.key,
        document=charge.number(company_id),
    )
    return [
        msgspec.structs.replace(
            whole,
            invoice=part.invoice,
            amount=part.amount,
            key=part.key,
            account_key=charge.key,
            is_minimum=part.is_minimum,
        )
        for part in charge.parts
    ] or [whole]
