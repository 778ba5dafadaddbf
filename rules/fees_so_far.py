"""Which late fees a book says were charged, and what that leaves to ask of each invoice.

Of plain interest it is told in three whole numbers whether what was charged is owed; fees of any
other shape leave the account to a closer look.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final, TypeAlias

import msgspec

from rules.actions.keys import fee_item
from rules.fee_rules import FeeRule
from rules.frame import Dates, Frame
from rules.model.history import FeePosted
from rules.model.ids import CustomerId, FeeId, InvoiceId
from rules.model.invoice import Invoice
from rules.surely_owed import comes_to, earning_days, surely_accrued

_ANY: Final = InvoiceId("\0")
"""Stands for the invoice in a key."""

Bearing: TypeAlias = dict[InvoiceId, FeePosted]
"""What was charged of one fee, the first time, by invoice."""


class FeeAsked(msgspec.Struct, frozen=True):
    """What is asked about one fee of each invoice of one due date."""

    rule: FeeRule
    bearing: Bearing
    key: tuple[str, str] | None
    """Before and after the invoice: the key of the charge that has to have been made by today."""
    days: int
    """How long interest has run by today."""
    share: tuple[int, int] | None
    """(a, b): a/b of what is open has surely accrued by today; None where it takes more than
    that to tell."""

    def key_of(self, invoice: InvoiceId) -> str:
        """The key of the charge that the invoice has to bear."""
        return "" if self.key is None else f"{self.key[0]}{invoice}{self.key[1]}"

    def is_owed(self, invoice: Invoice, amount: int) -> bool:
        """Whether the fee has surely come to what was charged."""
        if self.share is None:
            return comes_to(self.rule, invoice, amount, self.days)
        part, of = self.share
        return amount * of <= (invoice.balance - invoice.fee_lines) * part


class FeesSoFar:
    """The fees of a book, sorted by whether a glance tells enough of them."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.bearing: dict[FeeId, Bearing] = {}
        """By fee of plain interest."""
        self.further: dict[InvoiceId, list[FeePosted]] = defaultdict(list)
        """What was charged of such a fee after the first time."""
        self.unclear: set[CustomerId] = set()
        """Customers with fees that have to be looked at."""
        if frame.proposes_waivers:
            self.unclear = {fee.customer for fee in frame.book.fees}
        else:
            self._note(frame.book.fees)

    def _note(self, fees: Iterable[FeePosted]) -> None:
        rules = self._frame.fee_of
        plain: dict[str, Bearing] = {}
        for name, rule in rules.items():
            if rule is not None and rule.is_plain_interest:
                plain[name] = self.bearing.setdefault(rule.id, {})
        for fee in fees:
            bearing = plain.get(fee.fee)
            if bearing is None or fee.state != "done" or not fee.is_announced or fee.is_minimum:
                # What is no fee of the policy is not compared with what it says.
                if fee.fee in rules or not fee.is_announced:
                    self.unclear.add(fee.customer)
            elif fee.invoice in bearing:
                self.further[fee.invoice].append(fee)
            else:
                bearing[fee.invoice] = fee

    @property
    def count(self) -> int:
        """How many invoices bear a fee of plain interest, each counted for each fee."""
        return sum(map(len, self.bearing.values()))

    def is_on(self, invoice: InvoiceId) -> bool:
        """Whether the invoice bears a fee of plain interest."""
        return any(invoice in bearing for bearing in self.bearing.values())

    def of(self, invoice: InvoiceId, first: FeePosted, rule: FeeRule) -> list[FeePosted]:
        """All that an invoice was charged of a fee."""
        each = [first, *self.further.get(invoice, ())]
        return [one for one in each if one.fee in rule.ids]

    def asked(self, due_on: date, dates: Dates) -> list[FeeAsked]:
        """About each fee that should have been charged, or was, to invoices of a due date."""
        slots = dict(dates.charged)
        found: list[FeeAsked] = []
        for rule in self._frame.fees:
            slot, bearing = slots.get(rule.id), self.bearing.get(rule.id, {})
            if slot is None and not bearing:
                continue
            key = None
            if slot is not None:
                before, _, behind = fee_item(_ANY, rule.id, slot).partition(_ANY)
                key = (before, behind)
            days = earning_days(rule, due_on, self._frame.today)
            found.append(FeeAsked(rule, bearing, key, days, surely_accrued(rule, days)))
        return found

    def charged_early(self, invoices: Iterable[Invoice]) -> list[Invoice]:
        """Those that bear a fee before their time: it is too much."""
        early = {name for bearing in self.bearing.values() for name in bearing}
        return [
            invoice
            for invoice in invoices
            if invoice.id in early
            and invoice.due_on is not None
            and self._frame.dates_of(invoice).is_ahead
        ]
