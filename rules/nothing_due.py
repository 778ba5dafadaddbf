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
from itertools import groupby
from operator import attrgetter
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


class _Asked(msgspec.Struct, frozen=True):
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


def _by_stage() -> dict[StageId | None, _Done]:
    return defaultdict(dict)


class NothingDue:
    """What of a book needs no closer look, and what does. Raises whatever its rows make it raise:
    which of the accounts fails, and at what, only the long way tells."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._children = frame.book.children_paid_for()
        self.skips: dict[CustomerId, list[Decision]] = defaultdict(list)
        """What is said of invoices of which nothing is due, by payer. None of `closer`."""
        self.due: dict[CustomerId, _Due] = defaultdict(list)
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
        for due_on, invoices in sorted(self._by_due_date().items()):
            self._look(due_on, invoices)
        for payer in self.closer:
            self.skips.pop(payer, None)
            self.due.pop(payer, None)

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

    def _by_due_date(self) -> dict[date, list[Invoice]]:
        """Open invoices by due date, in order of their ids. Documents of other kinds mean a
        closer look."""
        odd: list[Invoice] = []
        found: dict[date, list[Invoice]] = defaultdict(list)
        last, is_sorted = "", True
        for invoice in self._frame.book.invoices:
            due_on, name = invoice.due_on, invoice.id
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
            found[due_on].append(invoice)
            if name < last:
                is_sorted = False
            last = name
        self._look_closer([invoice for invoice in odd if self._is_odd(invoice)])
        if not is_sorted:
            for invoices in found.values():
                invoices.sort(key=_by_id)
        return found

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

    def _look(self, due_on: date, invoices: Sequence[Invoice]) -> None:
        """Which invoices of one due date may have something due; of the others it is said when
        they are looked at again."""
        frame = self._frame
        if frame.dates_hang_on_more:
            runs = [(dates, list(run)) for dates, run in groupby(invoices, frame.dates_of)]
        else:
            runs = [(frame.dates_of(invoices[0]), list(invoices))]
        for dates, run in runs:
            if dates.lacking:
                self._look_closer(run)
            elif dates.is_ahead:
                for bearing in self._bearing.values():
                    # A fee that was charged before its time is too much.
                    self._look_closer([each for each in run if each.id in bearing])
                self._say(run, dates.not_due, dates.first_on)
            else:
                quiet = self._done_so_far(due_on, dates, run)
                self._say(quiet, dates.not_due_yet, dates.next_on)

    def _done_so_far(
        self, due_on: date, dates: Dates, invoices: Sequence[Invoice]
    ) -> list[Invoice]:
        """The invoices of which all that was due was done; the others are noted."""
        closer, children, due = self.closer, self._children, self.due
        further = self._further
        is_clear = dates.next_on is not None and dates.is_plain
        done = [self._done[kind][StageId(stage)] for stage, kind in dates.needed]
        after = [self._done[kind][stage] for stage, kind in self._frame.after_history]
        fees = [
            (one, one.bearing, *(one.key or ("", "")), *(one.share or (0, 1)))
            for one in self._asked(due_on, dates)
        ]
        found: list[Invoice] = []
        for invoice in invoices:
            name, customer = invoice.id, invoice.customer
            paying = children.get(customer, customer) if children else customer
            if paying in closer:
                continue
            is_quiet = is_clear and invoice.sent is True and not invoice.pays_by_itself
            for served in done:
                to = served.get(name)
                if to != customer and (to is None or children.get(to, to) != paying):
                    is_quiet = False
                    break
            for served in after:
                if name in served:
                    is_quiet = False
            for asked, bearing, before, after_it, part, of in fees:
                fee = bearing.get(name)
                if (
                    fee is not None
                    and fee.key == f"{before}{name}{after_it}"
                    and fee.amount * of <= (invoice.balance - invoice.fee_lines) * part
                    and fee.customer == customer
                    and not fee.corrected
                    and name not in further
                ):
                    continue
                if fee is None:
                    is_quiet = is_quiet and asked.key is None
                elif not self._is_charged(asked, invoice, fee, paying):
                    is_quiet = False
            if is_quiet:
                found.append(invoice)
            else:
                due[paying].append((invoice, dates))
        return found

    def _asked(self, due_on: date, dates: Dates) -> list[_Asked]:
        """About each fee that should have been charged, or was, to invoices of a due date."""
        slots = dict(dates.charged)
        found: list[_Asked] = []
        for rule in self._frame.fees:
            slot, bearing = slots.get(rule.id), self._bearing.get(rule.id, {})
            if slot is None and not bearing:
                continue
            key = None
            if slot is not None:
                before, _, behind = fee_item(_ANY, rule.id, slot).partition(_ANY)
                key = (before, behind)
            days = earning_days(rule, due_on, self._frame.today)
            found.append(_Asked(rule, bearing, key, days, surely_accrued(rule, days)))
        return found

    def _is_charged(
        self, asked: _Asked, invoice: Invoice, fee: FeePosted, paying: CustomerId
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

    def _say(
        self, invoices: Iterable[Invoice], reasons: tuple[Reason, ...], next_on: date | None
    ) -> None:
        """When the invoices are looked at again, for accounts that need no closer look so far."""
        closer, children, skips = self.closer, self._children, self.skips
        for invoice in invoices:
            paying = invoice.customer
            if children:
                paying = children.get(paying, paying)
            if paying not in closer:
                skips[paying].append(
                    Skip(
                        customer=paying,
                        invoice=invoice.id,
                        code="not_due",
                        reasons=reasons,
                        next_on=next_on,
                    )
                )
