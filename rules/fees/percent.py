"""`percent`: a percentage of what is owed, once, repeated, or for each month late.

Months keep the anchor day of the due date and clamp to the month's end: due 31 January, the
first month is over on 28 February, the second on 31 March. Each month is charged on what is
owed when it is charged: at its end (`elapsed`), on its first day (`started`), or day by day at a
thirtieth of the percentage (`days/30`).
"""

from datetime import date, timedelta
from fractions import Fraction

from rules.actions.late_fee import DerivationRow
from rules.calendar import add_months
from rules.fees.base import (
    NOTHING,
    Accrued,
    FeeDays,
    chargeable_days,
    first_day_of_fixed,
    major,
    rational,
    repetitions,
    total_of,
)
from rules.fees.timeline import Debt
from rules.policy.fee import Fee


def percent(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """One row for each time that the percentage was charged."""
    assert fee.percent is not None
    days = chargeable_days(fee, debt, through, from_day)
    if days is None:
        return NOTHING
    share = Fraction(fee.percent) / 100
    if fee.per == "month" and fee.month_count == "days/30":
        rows = [
            DerivationRow(
                kind="segment",
                from_=span.first,
                to=span.last,
                days=span.days,
                base=round(span.base),
                exact=rational(major(span.base, debt.currency) * share * Fraction(span.days, 30)),
            )
            for span in debt.spans(days.first, days.last, fee.base)
        ]
        return total_of(rows, is_cut=days.is_cut)
    charged = Fraction(0)
    rows = []
    for first, day in _charges(fee, debt, days):
        base = debt.base_on(day, fee.base)
        if base > 0:
            bearing = major(base, debt.currency) + charged
            exact = bearing * share
            if fee.compounding == "monthly":
                charged += exact
            rows.append(
                DerivationRow(
                    kind="fixed" if fee.compounding == "none" else "compounded",
                    from_=first,
                    to=day,
                    base=round(bearing / major(1, debt.currency)),
                    exact=rational(exact),
                )
            )
    return total_of(rows, is_cut=days.is_cut and (fee.per == "month" or fee.repeat is not None))


def _charges(fee: Fee, debt: Debt, days: FeeDays) -> list[tuple[date, date]]:
    """(first day that a charge is for, day whose base it is taken of)."""
    if fee.repeat is not None:
        return [(day, day) for day in repetitions(fee, debt, days)]
    if fee.per == "once":
        once = first_day_of_fixed(fee, debt, days)
        return [] if once is None else [(once, once)]
    charges: list[tuple[date, date]] = []
    month = 0
    while True:
        begins = add_months(debt.due_on, month) + timedelta(days=1)
        month += 1
        ends = add_months(debt.due_on, month)
        charged_on = ends if fee.month_count == "elapsed" else begins
        if charged_on > days.last:
            return charges
        # A month that began before the fee was in force is not charged, one that began in the
        # grace is, at its end.
        is_under_way = fee.month_count == "elapsed" and begins >= days.agreed
        if begins >= days.first or (is_under_way and ends >= days.first):
            charges.append((max(begins, days.first), charged_on))
