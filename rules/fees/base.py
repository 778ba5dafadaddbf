"""What every fee type takes and gives: the debt and the terms in, rows that add up out.

A fee type answers one question: what has this fee come to by a day, exactly, with a row for each
part of it? Rounding, minimum, caps and what was posted before are the same for all
(`rules.fees.assess`), and so are the days on which it is posted (`rules.fees.schedule`).
"""

from datetime import date, timedelta
from fractions import Fraction
from typing import Protocol

import msgspec

from rules.actions.late_fee import DerivationRow
from rules.fees.timeline import Debt
from rules.model.money import exact_major
from rules.policy.fee import Fee


class NoAmountError(Exception):
    """The fee has no amount in the currency of the invoice; amounts are never converted."""


class MissingRateError(Exception):
    """A reference rate that the fee needs is not known for a day: it is not charged at another."""

    def __init__(self, series: str, day: date) -> None:
        super().__init__(f"{series} is not known for {day}")
        self.facts = (("rate", series), ("day", day.isoformat()))


class Accrued(msgspec.Struct, frozen=True, kw_only=True):
    """What a fee came to by a day: `exact` is the sum of the rows, in major units."""

    exact: Fraction
    rows: tuple[DerivationRow, ...] = ()
    is_cut: bool = False
    """True where `cap.days` kept days out that would have counted."""


NOTHING = Accrued(exact=Fraction(0))


class FeeType(Protocol):
    """One way of finding the amount of a fee."""

    def __call__(
        self, fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
    ) -> Accrued:
        """What the fee comes to from its first day up to and including `through`.

        `from_day`: nothing accrues before it. Raises NoAmountError.
        """
        ...


def major(minor: Fraction | int, currency: str) -> Fraction:
    """Exact minor units as exact major units."""
    return Fraction(minor) * exact_major(1, currency)


def rational(exact: Fraction) -> str:
    """An exact amount as `num/den`, the form of every derivation."""
    return f"{exact.numerator}/{exact.denominator}"


def total_of(rows: list[DerivationRow], *, is_cut: bool = False) -> Accrued:
    """The rows and their exact sum."""
    exact = sum((Fraction(row.exact) for row in rows), Fraction(0))
    return Accrued(exact=exact, rows=tuple(rows), is_cut=is_cut)


class FeeDays(msgspec.Struct, frozen=True):
    """First and last day that can be charged."""

    first: date
    last: date
    is_cut: bool
    start: date
    """First day that could be charged under whatever terms: a rate that is fixed at the start is
    that of this day."""
    agreed: date = date.min
    """First day on which the fee was in force at all: what began before it was not agreed."""


def chargeable_days(fee: Fee, debt: Debt, through: date, from_day: date | None) -> FeeDays | None:
    """The days on which a fee can accrue; None where there are none.

    Grace n: days 1 to n are free. A debt that was settled within the grace costs nothing, unless
    the payment came back; one that was not is charged from day 1 (`retroactive`) or from day n+1
    (`from_grace_end`).
    """
    grace = fee.grace.count
    after_grace = debt.due_on + timedelta(days=grace + 1)
    if through < after_grace:
        return None
    if grace and debt.owed_on(after_grace) <= 0 and not debt.is_owed_again(after_grace, through):
        return None
    retroactive = fee.grace_mode == "retroactive"
    first = debt.due_on + timedelta(days=1) if retroactive else after_grace
    if from_day is not None:
        first = max(first, from_day)
    last = through
    if fee.cap is not None and fee.cap.days is not None:
        last = min(last, debt.due_on + timedelta(days=fee.cap.days))
    if first > last:
        return None
    is_cut = last < through and debt.owed_on(last + timedelta(days=1)) > 0
    start = first
    agreed = max(from_day or date.min, debt.agreed_on or date.min)
    if debt.window is not None:
        first, last = max(first, debt.window[0]), min(last, debt.window[1])
        if first > last:
            return None
    return FeeDays(first, last, is_cut, start, agreed)


def repetitions(fee: Fee, debt: Debt, days: FeeDays) -> list[date]:
    """The chargeable days of a `repeat`: so many days after due, again and again."""
    if fee.repeat is None:
        return []
    every = timedelta(days=fee.repeat.every.count)
    slots = (debt.due_on + every * k for k in range(1, fee.repeat.times + 1))
    return [day for day in slots if days.first <= day <= days.last]


def share_of_base(fee: Fee, debt: Debt, day: date, percent: Fraction) -> DerivationRow | None:
    """A percentage of what the fee is taken of on a day; None where that is nothing."""
    base = debt.base_on(day, fee.base)
    if base <= 0:
        return None
    exact = rational(major(base, debt.currency) * percent / 100)
    return DerivationRow(kind="fixed", from_=day, to=day, base=round(base), exact=exact)


def first_day_of_fixed(fee: Fee, debt: Debt, days: FeeDays) -> date | None:
    """The day on which a fixed sum falls due: the first day after the grace that is owed.

    A sum that fell due before the fee was in force is never charged later.
    """
    opens = debt.due_on + timedelta(days=fee.grace.count + 1)
    day = debt.first_chargeable(opens, days.last)
    return day if day is not None and day >= days.first else None
