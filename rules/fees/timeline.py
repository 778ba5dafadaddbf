"""What was owed on an invoice on each day: the settlement timeline that every fee stands on.

Conventions: a payment dated D still leaves day D on the old balance; a reversal dated R brings
the debt back from the day after R and leaves the gap free, unless `reversal = "void"` counts it as
never paid; credit notes work retroactively (that part was never owed); pauses include both their
ends; days in a dispute that we won stay free, unless `on_dispute_won = "lift_pause"` charges them
after all; a balance below zero counts as zero.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal

import msgspec

from rules.model.commitment import Commitment, CreditExpected, Dispute, Pause, Withheld
from rules.model.credit import CreditNote
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.model.payment import Payment

ONE_DAY = timedelta(days=1)
_ALL: Final = Fraction(1)
BaseKind = Literal["outstanding", "original", "outstanding_ex_tax"]
ReversalKind = Literal["gap", "void"]


class Quiet(msgspec.Struct, frozen=True):
    """Days, both ends included, on which nothing accrues on a part (None: on anything)."""

    first: date
    last: date
    part: Minor | None = None


class Span(msgspec.Struct, frozen=True):
    """Days, both ends included, with one base in minor units."""

    first: date
    last: date
    base: Fraction

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice as a debt over time. Amounts are minor units of `currency`."""

    currency: str
    due_on: date
    original: Minor
    """Total without fee lines, less what credit notes took away."""
    changes: tuple[tuple[date, Minor], ...] = ()
    """(first day on which it counts, change of what is owed), in order of the day."""
    quiet: tuple[Quiet, ...] = ()
    net_share: Fraction = Fraction(1)
    """Part of the total that is not tax."""
    interest_settled: tuple[tuple[date, Minor], ...] = ()
    """(first day on which it counts, part of the fee's own documents paid or let off), for
    payments that settle the interest first."""
    window: tuple[date, date] | None = None
    """First and last day that are looked at, where terms were in force for a part of the time."""
    agreed_on: date | None = None
    """First day of the terms that lead up to that time without a gap."""

    def owed_on(self, day: date) -> Minor:
        """What was owed at the start of that day, pauses aside."""
        owed = self.original
        for counts_from, change in self.changes:
            if counts_from > day:
                break
            owed += change
        return max(owed, 0)

    def is_owed_again(self, settled_by: date, through: date) -> bool:
        """Whether something came back after a day on which nothing was owed."""
        return any(
            settled_by < counts_from <= through and change > 0 and self.owed_on(counts_from) > 0
            for counts_from, change in self.changes
        )

    @property
    def settled_from(self) -> date | None:
        """The first of the days from which on nothing is owed any more; None while it is."""
        owed, since = self.original, None
        for counts_from, change in self.changes:
            owed += change
            if owed > 0:
                since = None
            elif since is None:
                since = counts_from
        return since

    def base_on(self, day: date, kind: BaseKind = "outstanding") -> Fraction:
        """What a fee is taken of on that day; zero in a pause."""
        owed = self.owed_on(day)
        quiet = 0
        for pause in self.quiet:
            if pause.first <= day <= pause.last:
                if pause.part is None:
                    return Fraction(0)
                quiet += pause.part
        if owed <= quiet:
            return Fraction(0)
        if kind == "original":
            return Fraction(max(self.original - quiet, 0))
        if kind == "outstanding_ex_tax":
            return (owed - quiet) * self.net_share
        return Fraction(owed - quiet)

    def spans(
        self, first: date, last: date, kind: BaseKind, cuts: Iterable[date] = ()
    ) -> Iterator[Span]:
        """Days from `first` to `last` in runs of one base above zero, cut before each of `cuts`."""
        if first > last:
            return
        starts = {first, *cuts}
        starts.update(day for day, _ in self.changes)
        for pause in self.quiet:
            starts.add(pause.first)
            if pause.last < last:
                starts.add(pause.last + ONE_DAY)
        ordered = sorted(day for day in starts if first <= day <= last)
        keep = set(cuts)
        open_: Span | None = None
        for position, start in enumerate(ordered):
            end = ordered[position + 1] - ONE_DAY if position + 1 < len(ordered) else last
            base = self.base_on(start, kind)
            if open_ is not None and open_.base == base and start not in keep:
                open_ = Span(open_.first, end, base)
                continue
            if open_ is not None and open_.base > 0:
                yield open_
            open_ = Span(start, end, base)
        if open_ is not None and open_.base > 0:
            yield open_

    def first_chargeable(self, from_day: date, through: date) -> date | None:
        """First day from `from_day` on which something is owed and nothing pauses it."""
        for span in self.spans(from_day, through, "outstanding"):
            return span.first
        return None


def debt_of(
    invoice: Invoice,
    payments: Sequence[Payment],
    credits: Sequence[CreditNote],
    commitments: Sequence[Commitment],
    *,
    disputes_pause: bool = True,
    reversal: ReversalKind = "gap",
    lifts_pause: bool = False,
) -> Debt | None:
    """The debt of an invoice; None without a due date.

    Where the ledger says that less is owed than the documents we know add up to, the difference
    counts as never owed: in doubt for the customer. `reversal`: whether the days between a payment
    and its return stay free. `lifts_pause`: days in a dispute that we won count after all.
    """
    if invoice.due_on is None:
        return None
    original = invoice.total - invoice.fee_lines
    changes: list[tuple[date, Minor]] = []
    settled = 0
    for credit in credits:
        for part in credit.allocations:
            if part.invoice != invoice.id:
                continue
            if credit.kind == "credit_note":
                original -= part.amount
            else:
                # Money that came in before it was applied: it counts from the day it came.
                changes.append((credit.on + ONE_DAY, -part.amount))
                settled += part.amount
    for payment in payments:
        for part in payment.allocations:
            if part.invoice != invoice.id:
                continue
            if reversal == "void" and payment.reversed_on is not None:
                continue
            changes.append((payment.on + ONE_DAY, -part.amount))
            if payment.reversed_on is None:
                settled += part.amount
            else:
                changes.append((payment.reversed_on + ONE_DAY, part.amount))
    balance = max(invoice.balance - invoice.fee_lines, 0)
    if invoice.status in ("open", "paid"):
        original -= max(original - settled - balance, 0)
    share = _ALL
    if invoice.tax and invoice.total:
        share = Fraction(invoice.total - invoice.tax, invoice.total)
    return Debt(
        currency=invoice.currency,
        due_on=invoice.due_on,
        original=original,
        changes=tuple(sorted(changes)),
        quiet=tuple(_quiet(invoice, commitments, disputes_pause, lifts_pause)),
        net_share=share,
    )


def _quiet(
    invoice: Invoice, commitments: Sequence[Commitment], disputes_pause: bool, lifts_pause: bool
) -> Iterator[Quiet]:
    lost_on = {
        told.ended_on
        for told in commitments
        if isinstance(told, Dispute) and told.won_by == "customer"
    }
    for told in commitments:
        if not told.binds(invoice.id):
            continue
        if isinstance(told, Pause):
            yield Quiet(told.on, min(told.until, told.ended_on or told.until))
        elif isinstance(told, Dispute) and disputes_pause:
            if lifts_pause and told.ended_on is not None and told.won_by == "us":
                continue
            yield Quiet(told.on, told.ended_on or date.max, told.amount)
        elif isinstance(told, Withheld):
            yield Quiet(date.min, min(told.until, told.ended_on or told.until), told.amount)
        elif isinstance(told, CreditExpected):
            # The last day of the dispute that it follows is free already.
            first = told.on + ONE_DAY if disputes_pause and told.on in lost_on else told.on
            yield Quiet(first, min(told.until, told.ended_on or told.until), told.amount)


def rate_on(rates: Sequence[tuple[date, Fraction]], day: date) -> Fraction | None:
    """The rate in force on a day; a rate dated R applies on R. `rates` in order of the day."""
    position = bisect_right(rates, day, key=lambda dated: dated[0])
    return rates[position - 1][1] if position else None
