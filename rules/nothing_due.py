"""Accounts of which nothing is to be done today, told from the whole book in one pass.

On most days nothing falls due of most accounts: their invoices are not late yet, or all that was
due of them was done before. That follows from a few facts of each invoice, without putting the
account together. Where something falls due, it is known of which invoices. What takes a closer
look in any other way (a word of the customer, a payment that came back, a document without a due
date, ...) is left to the long way for that account. This short cut may only say what that would
have said.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter, itemgetter
from typing import Final, TypeAlias

import msgspec

from rules.actions.keys import fee_item
from rules.decision import Decision, Reason, Skip
from rules.episodes import last_payments, owes_fees_after
from rules.fee_rules import FeeRule
from rules.frame import Dates, Frame
from rules.lazily import lazily
from rules.model.history import FeePosted
from rules.model.ids import CustomerId, FeeId, InvoiceId, StageId
from rules.model.invoice import Invoice
from rules.surely_owed import comes_to, earning_days, surely_accrued

_by_id: Final = attrgetter("id")
_ANY: Final = InvoiceId("\0")
"""Stands for the invoice in a key."""

_Due: TypeAlias = list[tuple[Invoice, Dates]]
_Done: TypeAlias = dict[InvoiceId | None, CustomerId]
"""What something was done about, with the customer it was done to."""
_Bearing: TypeAlias = dict[InvoiceId, FeePosted]


class _FeeAsked(msgspec.Struct, frozen=True):
    """What is asked about one fee of each invoice of one due date."""

    rule: FeeRule
    bearing: _Bearing
    key: tuple[str, str] | None
    """Before and after the invoice: the key of the charge that has to have been made by today."""
    days: int
    """How long interest has run by today."""
    share: tuple[int, int] | None
    """(a, b): a/b of what is open has surely accrued by today; None where it takes more than
    that to tell."""


class _Asked(msgspec.Struct, kw_only=True):
    """What is asked about each invoice of the same dates."""

    dates: Dates
    order: int
    """Added to the invoice's place in the book: by due date, then by id."""
    is_quiet: bool
    """Nothing is due before another day."""
    is_late: bool
    """It hangs on what was done. Where neither is so, the account takes a closer look."""
    is_clear: bool
    """Whether `done`, `after` and `fees` say all."""
    reasons: tuple[Reason, ...]
    next_on: date | None
    done: list[_Done] = []
    """What has to have been done."""
    after: list[_Done] = []
    """What gives another stage its day, once it was done."""
    fees: list[tuple[_FeeAsked, _Bearing, str, str, int, int]] = []


def _by_stage() -> dict[StageId | None, _Done]:
    return defaultdict(dict)


class NothingDue:
    """What of a book needs no closer look, and what does. Raises whatever its rows make it raise:
    which of the accounts fails, and at what, only the long way tells."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._children = frame.book.children_paid_for()
        self.skips: dict[CustomerId, list[Decision]] = {}
        """What is said of invoices of which nothing is due, by payer. None of `closer`."""
        self.due: dict[CustomerId, _Due] = {}
        """Invoices of which something may be due, by payer; nothing but them is to be looked at."""
        self.doubtful: set[CustomerId] = set()
        """Payers of whom a fee may be more than is owed."""
        self._done: dict[str, dict[StageId | None, _Done]] = defaultdict(_by_stage)
        """By kind and stage."""
        self._bearing: dict[FeeId, _Bearing] = {}
        """By fee of plain interest."""
        self._further: dict[InvoiceId, list[FeePosted]] = defaultdict(list)
        """What was charged of such a fee after the first time."""
        self.closer = self._payers(
            {told.customer for told in frame.book.commitments}
            | frame.answered
            | self._of_fees()
            | self._of_money()
        )
        """Payers whose account is to be looked at as a whole."""
        self._note_what_was_done()
        self._asked_on: dict[date | Dates, _Asked] = {}
        self._rows: dict[CustomerId, list[tuple[int, Skip]]] = defaultdict(list)
        self._may_be_due: dict[CustomerId, list[tuple[int, Invoice, Dates]]] = defaultdict(list)
        self._bearing_seen = 0
        """How many of the noted fees are on an invoice that was compared with them."""
        if not self._look(frame.book.invoices):
            self._rows.clear()
            self._may_be_due.clear()
            # Whether an id stands there twice, the second time through does not ask.
            self._look(sorted(frame.book.invoices, key=_by_id), is_sorted=True)
        self._in_order()

    def _payers(self, customers: Iterable[CustomerId]) -> set[CustomerId]:
        children = self._children
        return {children.get(one, one) for one in customers} if children else set(customers)

    # what hangs on no single invoice ------------------------------------------------------

    def _of_fees(self) -> set[CustomerId]:
        """Customers with fees that have to be looked at; the others are noted."""
        frame, rules = self._frame, self._frame.fee_of
        if frame.proposes_waivers:
            return {fee.customer for fee in frame.book.fees}
        plain: dict[str, _Bearing] = {}
        for name, rule in rules.items():
            if rule is not None and rule.is_plain_interest:
                plain[name] = self._bearing.setdefault(rule.id, {})
        found: set[CustomerId] = set()
        for fee in frame.book.fees:
            bearing = plain.get(fee.fee)
            if bearing is None or fee.state != "done" or not fee.is_announced or fee.is_minimum:
                # What is no fee of the policy is not compared with what it says.
                if fee.fee in rules or not fee.is_announced:
                    found.add(fee.customer)
            elif fee.invoice in bearing:
                self._further[fee.invoice].append(fee)
            else:
                bearing[fee.invoice] = fee
        return found

    def _of_money(self) -> set[CustomerId]:
        """Customers whose money came back, and those with unused money while they bear fees."""
        frame, book = self._frame, self._frame.book
        if not (book.fees or frame.has_returned_stages or frame.has_returned_fees):
            return set()
        bearing = self._payers({fee.customer for fee in book.fees})
        children = self._children
        back = {one.customer for one in book.payments if one.reversed_on is not None}
        unused = {
            one.customer
            for one in book.payments
            if children.get(one.customer, one.customer) in bearing and one.unapplied > 0
        }
        credit = {one.customer for one in book.credits if one.remaining > 0}
        return back | unused | credit

    def _note_what_was_done(self) -> None:
        done = self._done
        for item in self._frame.book.served:
            if item.state != "bounced":
                done[item.kind][item.stage][item.invoice] = item.customer

    # invoices -----------------------------------------------------------------------------

    def _look(self, invoices: Sequence[Invoice], *, is_sorted: bool = False) -> bool:
        """Which invoices may have something due; of the others it is said when they are looked
        at again. Documents of other kinds mean a closer look. False where the invoices are not in
        order of their ids.

        One loop, because a book is larger than what a processor has at hand: what is asked of an
        invoice is asked while it is there.
        """
        closer, children, rows, said = self.closer, self._children, self._rows, self._asked_on
        more = self._frame.dates_of if self._frame.dates_hang_on_more else None
        odd: list[Invoice] = []
        last: str | None = None
        for place, invoice in enumerate(invoices):
            due_on, name, customer = invoice.due_on, invoice.id, invoice.customer
            if not is_sorted:
                if last is not None and name <= last:
                    return False
                last = name
            if (
                invoice.status != "open"
                or due_on is None
                or invoice.balance <= 0
                or invoice.is_fee
                or invoice.is_disputed
                or invoice.fee_of is not None
            ):
                odd.append(invoice)
                continue
            asked = said.get(due_on if more is None else more(invoice)) or self._ask(invoice)
            paying = children.get(customer, customer) if children else customer
            if asked.is_quiet or (asked.is_late and self._is_done(asked, invoice, paying)):
                rows[paying].append(
                    (
                        asked.order + place,
                        Skip(
                            customer=paying,
                            invoice=name,
                            code="not_due",
                            reasons=asked.reasons,
                            next_on=asked.next_on,
                        ),
                    )
                )
            elif asked.is_late:
                self._may_be_due[paying].append((asked.order + place, invoice, asked.dates))
            else:
                closer.add(paying)
        self._look_closer(invoice for invoice in odd if self._is_odd(invoice))
        if is_sorted or self._bearing_seen < sum(map(len, self._bearing.values())):
            self._look_closer(self._charged_early(invoices))
        return True

    def _charged_early(self, invoices: Iterable[Invoice]) -> list[Invoice]:
        """Those that bear a fee before their time: it is too much."""
        early = {name for bearing in self._bearing.values() for name in bearing}
        return [
            invoice
            for invoice in invoices
            if invoice.id in early
            and invoice.due_on is not None
            and self._frame.dates_of(invoice).is_ahead
        ]

    def _in_order(self) -> None:
        """Within each account by due date, then by id."""
        for payer, rows in self._rows.items():
            if payer not in self.closer:
                rows.sort()
                self.skips[payer] = [row[1] for row in rows]
        for payer, found in self._may_be_due.items():
            if payer not in self.closer:
                found.sort(key=itemgetter(0))
                self.due[payer] = [(invoice, dates) for _, invoice, dates in found]

    def _is_odd(self, invoice: Invoice) -> bool:
        """Whether something may be said of a document that is no plain open invoice."""
        frame, due_on = self._frame, invoice.due_on
        if invoice.is_disputed or (invoice.status == "open" and invoice.balance > 0):
            return True
        if invoice.status == "paid" and frame.paid_steps:
            return True
        if invoice.status == "paid" and frame.fees and due_on is not None and due_on < frame.today:
            # Paid late, and not long ago: it may still owe what accrued until then.
            last = self._last_payments.get(invoice.id)
            if last is not None and owes_fees_after(due_on, last, frame.today):
                return True
        return any(invoice.id in bearing for bearing in self._bearing.values())

    @lazily
    def _last_payments(self) -> Mapping[InvoiceId, tuple[date, date]]:
        return last_payments(self._frame.book, self._frame.today)

    def _look_closer(self, invoices: Iterable[Invoice]) -> None:
        self.closer |= self._payers(invoice.customer for invoice in invoices)

    def _ask(self, invoice: Invoice) -> _Asked:
        """What is asked of every invoice of the same dates."""
        frame, due_on = self._frame, invoice.due_on
        assert due_on is not None
        dates = frame.dates_of(invoice)
        is_late = not (dates.lacking or dates.is_ahead)
        asked = _Asked(
            dates=dates,
            order=(due_on - frame.today).days * len(frame.book.invoices),
            is_quiet=dates.is_ahead and not dates.lacking,
            is_late=is_late,
            is_clear=dates.next_on is not None and dates.is_plain,
            reasons=dates.not_due_yet if is_late else dates.not_due,
            next_on=dates.next_on if is_late else dates.first_on,
        )
        if is_late:
            asked.done = [self._done[kind][StageId(stage)] for stage, kind in dates.needed]
            asked.after = [self._done[kind][stage] for stage, kind in frame.after_history]
            asked.fees = [
                (one, one.bearing, *(one.key or ("", "")), *(one.share or (0, 1)))
                for one in self._fees_asked(due_on, dates)
            ]
        self._asked_on[dates if frame.dates_hang_on_more else due_on] = asked
        return asked

    def _is_done(self, asked: _Asked, invoice: Invoice, paying: CustomerId) -> bool:
        """Whether all that was due of a late invoice was done."""
        name, customer, children = invoice.id, invoice.customer, self._children
        is_quiet = asked.is_clear and invoice.sent is True and not invoice.pays_by_itself
        for served in asked.done:
            to = served.get(name)
            if to != customer and (to is None or children.get(to, to) != paying):
                is_quiet = False
                break
        for served in asked.after:
            if name in served:
                is_quiet = False
        for fee_asked, bearing, before, after_it, part, of in asked.fees:
            fee = bearing.get(name)
            if fee is None:
                is_quiet = is_quiet and fee_asked.key is None
                continue
            self._bearing_seen += 1
            if (
                fee.key == f"{before}{name}{after_it}"
                and fee.amount * of <= (invoice.balance - invoice.fee_lines) * part
                and fee.customer == customer
                and not fee.corrected
                and name not in self._further
            ):
                continue
            if not self._is_charged(fee_asked, invoice, fee, paying):
                is_quiet = False
        return is_quiet

    def _fees_asked(self, due_on: date, dates: Dates) -> list[_FeeAsked]:
        """About each fee that should have been charged, or was, to invoices of a due date."""
        slots = dict(dates.charged)
        found: list[_FeeAsked] = []
        for rule in self._frame.fees:
            slot, bearing = slots.get(rule.id), self._bearing.get(rule.id, {})
            if slot is None and not bearing:
                continue
            key = None
            if slot is not None:
                before, _, behind = fee_item(_ANY, rule.id, slot).partition(_ANY)
                key = (before, behind)
            days = earning_days(rule, due_on, self._frame.today)
            found.append(_FeeAsked(rule, bearing, key, days, surely_accrued(rule, days)))
        return found

    def _is_charged(
        self, asked: _FeeAsked, invoice: Invoice, fee: FeePosted, paying: CustomerId
    ) -> bool:
        """Whether the charge that has to have been made was. What may be too much is noted."""
        children, key, share = self._children, asked.key, asked.share
        amount = fee.amount
        if key is not None:
            key_of_it = f"{key[0]}{invoice.id}{key[1]}"
        is_charged = key is None or (fee.key == key_of_it and not fee.corrected)
        if fee.corrected or (self._further and invoice.id in self._further):
            each = [fee, *self._further.get(invoice.id, ())]
            each = [one for one in each if one.fee in asked.rule.ids]
            amount = sum(one.amount - one.corrected for one in each)
            is_charged = key is None or any(
                one.key == key_of_it and not one.corrected for one in each
            )
            if any(children.get(one.customer, one.customer) != paying for one in each):
                self.closer.add(paying)
        if fee.customer != paying and children.get(fee.customer, fee.customer) != paying:
            # It is kept with another account: the long way tells what that means.
            self.closer.add(paying)
        if share is not None:
            is_owed = amount * share[1] <= (invoice.balance - invoice.fee_lines) * share[0]
        else:
            is_owed = comes_to(asked.rule, invoice, amount, asked.days)
        if not is_owed:
            self.doubtful.add(paying)
        return is_charged
