"""Accounts of which nothing is to be done today, told from the whole book in one pass.

On most days nothing falls due of most accounts: their invoices are not late yet, or all that was
due of them was done before. That follows from a few facts of each invoice, without putting the
account together. Where something falls due, it is known of which invoices. What takes a closer
look in any other way (a word of the customer, a payment that came back, a document without a due
date, ...) is left to the long way for that account. This short cut may only say what that would
have said.
"""

import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

import msgspec

from rules.by_payer import PayerNumbers, Said
from rules.decision import Decision, Reason, Skip
from rules.episodes import last_payments, owes_fees_after
from rules.fees_so_far import Bearing, FeeAsked, FeesSoFar
from rules.frame import Dates, Frame
from rules.lazily import lazily
from rules.model.history import FeePosted
from rules.model.ids import CustomerId, InvoiceId, StageId
from rules.model.invoice import Invoice

_by_id: Final = operator.attrgetter("id")

_Due: TypeAlias = list[tuple[Invoice, Dates]]
_Done: TypeAlias = dict[InvoiceId | None, CustomerId]
"""What something was done about, with the customer it was done to."""


class _Asked(msgspec.Struct, kw_only=True):
    """What is asked about each invoice of the same dates."""

    dates: Dates
    is_quiet: bool
    """Nothing is due before another day."""
    is_late: bool
    """It hangs on what was done. Where neither is so, the account takes a closer look."""
    is_clear: bool
    """Whether `done`, `after` and `fees` say all."""
    reasons: tuple[Reason, ...]
    next_on: date | None
    said: list[Decision]
    """What is said of invoices of the same due date so far, in order of their ids."""
    of: list[int]
    """The payer's number of each."""
    done: list[_Done] = []
    """What has to have been done."""
    after: list[_Done] = []
    """What gives another stage its day, once it was done."""
    fees: list[tuple[FeeAsked, Bearing, str, str, int, int]] = []


def _by_stage() -> dict[StageId | None, _Done]:
    return defaultdict(dict)


class NothingDue:
    """What of a book needs no closer look, and what does. Raises whatever its rows make it raise:
    which of the accounts fails, and at what, only the long way tells."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._children = frame.book.children_paid_for()
        self.numbers = PayerNumbers(frame.book.customers)
        self._fees = FeesSoFar(frame)
        self.due: dict[CustomerId, _Due] = {}
        """Invoices of which something may be due, by payer; nothing but them is to be looked at."""
        self.doubtful: set[CustomerId] = set()
        """Payers of whom a fee may be more than is owed."""
        self.closer = self._payers(
            {told.customer for told in frame.book.commitments}
            | frame.answered
            | self._fees.unclear
            | self._of_money()
        )
        """Payers whose account is to be looked at as a whole."""
        self._done: dict[str, dict[StageId | None, _Done]] = defaultdict(_by_stage)
        """By kind and stage."""
        self._note_what_was_done()
        self._asked_on: dict[date | Dates, _Asked] = {}
        self._said_on: dict[date, Said] = {}
        self._bearing_seen = 0
        """How many of the noted fees are on an invoice that was compared with them."""
        self._look(frame.book.invoices)

    def said(self) -> list[Said]:
        """What is said of invoices of which nothing is due, the oldest due date first, and of each
        date in order of ids. Of `closer` there is some that is not to be used."""
        return [said for _, said in sorted(self._said_on.items())]

    def _payers(self, customers: Iterable[CustomerId]) -> set[CustomerId]:
        children = self._children
        return {children.get(one, one) for one in customers} if children else set(customers)

    # what hangs on no single invoice ------------------------------------------------------

    def _of_money(self) -> set[CustomerId]:
        """Customers whose money came back, and those with unused money while they bear fees."""
        frame, book = self._frame, self._frame.book
        if not (book.fees or frame.has_returned_stages or frame.has_returned_fees):
            return set()
        back = {one.customer for one in book.payments if one.reversed_on is not None}
        credit = {one.customer for one in book.credits if one.remaining > 0}
        unused = {one.customer for one in book.payments if one.unapplied > 0}
        if unused:
            bearing = self._payers({fee.customer for fee in book.fees})
            children = self._children
            unused = {one for one in unused if children.get(one, one) in bearing}
        return back | unused | credit

    def _note_what_was_done(self) -> None:
        done = self._done
        for item in self._frame.book.served:
            if item.state != "bounced":
                done[item.kind][item.stage][item.invoice] = item.customer

    # invoices -----------------------------------------------------------------------------

    def _look(self, invoices: Sequence[Invoice]) -> None:
        """Which invoices may have something due; of the others it is said when they are looked
        at again. Documents of other kinds mean a closer look.

        One loop in the order in which the invoices lie in memory, because a book is larger than
        what a processor has at hand: what is asked of an invoice is asked while it is there.
        """
        is_each_once = _are_rising(invoices)
        if not is_each_once:
            invoices = sorted(invoices, key=_by_id)
            is_each_once = _are_rising(invoices)
        closer, children, known = self.closer, self._children, self._asked_on
        numbers = self.numbers
        more = self._frame.dates_of if self._frame.dates_hang_on_more else None
        late: dict[CustomerId, _Due] = defaultdict(list)
        odd: list[Invoice] = []
        for invoice in invoices:
            due_on = invoice.due_on
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
            asked = known.get(due_on if more is None else more(invoice)) or self._ask(invoice)
            customer = invoice.customer
            paying = children.get(customer, customer) if children else customer
            if asked.is_quiet or (asked.is_late and self._is_done(asked, invoice, paying)):
                asked.said.append(
                    Skip(
                        customer=paying,
                        invoice=invoice.id,
                        code="not_due",
                        reasons=asked.reasons,
                        next_on=asked.next_on,
                    )
                )
                asked.of.append(numbers[paying])
            elif asked.is_late:
                late[paying].append((invoice, asked.dates))
            else:
                closer.add(paying)
        for invoice in odd:
            customer = invoice.customer
            paying = children.get(customer, customer) if children else customer
            if paying not in closer and self._is_odd(invoice):
                closer.add(paying)
        if self._bearing_seen < self._fees.count or not is_each_once:
            self._look_closer(self._fees.charged_early(invoices))
        for payer, found in late.items():
            if payer not in closer:
                found.sort(key=_by_due_date)
                self.due[payer] = found

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
        return self._fees.is_on(invoice.id)

    @lazily
    def _last_payments(self) -> Mapping[InvoiceId, tuple[date, date]]:
        return last_payments(self._frame.book, self._frame.today)

    def _look_closer(self, invoices: Iterable[Invoice]) -> None:
        self.closer |= self._payers(invoice.customer for invoice in invoices)

    def _ask(self, invoice: Invoice) -> _Asked:
        """What is asked of every invoice of the same dates."""
        frame, due_on = self._frame, invoice.due_on
        assert due_on is not None
        said, of = self._said_on.setdefault(due_on, ([], []))
        dates = frame.dates_of(invoice)
        is_late = not (dates.lacking or dates.is_ahead)
        asked = _Asked(
            dates=dates,
            is_quiet=dates.is_ahead and not dates.lacking,
            is_late=is_late,
            is_clear=dates.next_on is not None and dates.is_plain,
            reasons=dates.not_due_yet if is_late else dates.not_due,
            next_on=dates.next_on if is_late else dates.first_on,
            said=said,
            of=of,
        )
        if is_late:
            asked.done = [self._done[kind][StageId(stage)] for stage, kind in dates.needed]
            asked.after = [self._done[kind][stage] for stage, kind in frame.after_history]
            asked.fees = [
                (one, one.bearing, *(one.key or ("", "")), *(one.share or (0, 1)))
                for one in self._fees.asked(due_on, dates)
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
                and name not in self._fees.further
            ):
                continue
            if not self._is_charged(fee_asked, invoice, fee, paying):
                is_quiet = False
        return is_quiet

    def _is_charged(
        self, asked: FeeAsked, invoice: Invoice, fee: FeePosted, paying: CustomerId
    ) -> bool:
        """Whether the charge that has to have been made was. What may be too much is noted."""
        children, amount = self._children, fee.amount
        is_charged = asked.key is None or (
            fee.key == asked.key_of(invoice.id) and not fee.corrected
        )
        if fee.corrected or (self._fees.further and invoice.id in self._fees.further):
            each = self._fees.of(invoice.id, fee, asked.rule)
            amount = sum(one.amount - one.corrected for one in each)
            is_charged = asked.key is None or any(
                one.key == asked.key_of(invoice.id) and not one.corrected for one in each
            )
            if any(children.get(one.customer, one.customer) != paying for one in each):
                self.closer.add(paying)
        if fee.customer != paying and children.get(fee.customer, fee.customer) != paying:
            # It is kept with another account: the long way tells what that means.
            self.closer.add(paying)
        if not asked.is_owed(invoice, amount):
            self.doubtful.add(paying)
        return is_charged


def _are_rising(invoices: Collection[Invoice]) -> bool:
    """Whether they are in order of their ids, and each id stands there once."""
    names = list(map(_by_id, invoices))
    return all(map(operator.lt, names, names[1:]))


def _by_due_date(found: tuple[Invoice, Dates]) -> date:
    due_on = found[0].due_on
    assert due_on is not None
    return due_on
