"""`statutory`: interest, and where asked for the fixed sum, as a law of late payment gives them.

The reference rates come with the product and are dated (`rules.fees.reference_rates`); `rates` of
the fee adds publications that came later, or puts right what is wrong. A day for which there is
no rate is never charged at an older one: the fee waits for somebody to name it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from rules.actions.late_fee import DerivationRow
from rules.calendar import add_months
from rules.fees.base import (
    NOTHING,
    Accrued,
    FeeDays,
    MissingRateError,
    NoAmountError,
    chargeable_days,
    first_day_of_fixed,
    rational,
    total_of,
)
from rules.fees.day_count import plain
from rules.fees.interest import accrued_interest
from rules.fees.schemes import SCHEMES, Scheme
from rules.fees.timeline import Debt, rate_on
from rules.policy.fee import Fee


def statutory(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """The rows of the interest, and one of kind `band` for the fixed sum.

    Raises MissingRateError where a needed reference rate is not known, NoAmountError where the
    law has no fixed sum in the debt's currency.
    """
    assert fee.scheme is not None
    days = chargeable_days(fee, debt, through, from_day)
    if days is None:
        return NOTHING
    scheme = SCHEMES[fee.scheme]
    rates = _rates(fee, scheme, debt, days)
    late = (days.last - debt.due_on).days
    found = accrued_interest(
        debt,
        days,
        rates,
        base=fee.base,
        day_count=scheme.day_count,
        compounding="none" if late <= scheme.simple_up_to else scheme.compounding,
    )
    rows = list(found.rows)
    if fee.compensation and rows:
        rows += _fixed_sum(fee, scheme, debt, days)
    return total_of(rows, is_cut=days.is_cut)


def _rates(fee: Fee, scheme: Scheme, debt: Debt, days: FeeDays) -> list[tuple[date, Fraction]]:
    named = {rate.from_: rate.exact for rate in scheme.series.rates}
    named |= {rate.from_: Fraction(rate.annual) for rate in fee.rates}
    ordered = sorted(named.items())
    last_owed = _last_owed(debt, days)
    needed = [days.start] if scheme.rate_fix == "at_start" else [days.first, last_owed]
    known_through = add_months(ordered[-1][0], 6) - timedelta(days=1) if ordered else date.min
    for day in needed:
        if rate_on(ordered, day) is None or day > known_through:
            raise MissingRateError(scheme.series.name, day)
    annual = [(day, scheme.annual(reference)) for day, reference in ordered]
    if scheme.rate_fix == "at_start":
        fixed = rate_on(annual, days.start)
        assert fixed is not None
        return [(date.min, fixed)]
    return annual


def _last_owed(debt: Debt, days: FeeDays) -> date:
    """The last day that bears interest: a settled debt needs no later rate."""
    last = days.first
    for span in debt.spans(days.first, days.last, "outstanding"):
        last = span.last
    return last


def fixed_sum(fee: Fee, debt: Debt, through: date, from_day: date | None) -> list[DerivationRow]:
    """The fixed sum alone, where anything is owed after the grace. Raises NoAmountError."""
    assert fee.scheme is not None
    days = chargeable_days(fee, debt, through, from_day)
    return [] if days is None else _fixed_sum(fee, SCHEMES[fee.scheme], debt, days)


def _fixed_sum(fee: Fee, scheme: Scheme, debt: Debt, days: FeeDays) -> list[DerivationRow]:
    on = first_day_of_fixed(fee, debt, days)
    if on is None or not scheme.bands:
        return []
    if debt.currency != scheme.currency:
        raise NoAmountError(f"the law of {fee.scheme} has no fixed sum in {debt.currency}")
    principal = debt.owed_on(debt.due_on + timedelta(days=1))
    reached = [sum_ for least, sum_ in scheme.bands if Decimal(least) * 100 <= principal]
    if not reached:
        return []
    return [
        DerivationRow(
            kind="band", from_=on, to=on, base=principal, exact=rational(Fraction(reached[-1]))
        )
    ]


def unchecked_rates(fee: Fee, rows: Sequence[DerivationRow]) -> list[str]:
    """A sentence for each reference rate that was used and not compared with its source."""
    if fee.scheme is None:
        return []
    scheme = SCHEMES[fee.scheme]
    own = {rate.from_ for rate in fee.rates}
    doubtful = [rate for rate in scheme.series.rates if not rate.is_checked]
    used = {row.annual_rate for row in rows if row.annual_rate}
    return [
        f"the {scheme.series.name} of {rate.percent}% from {rate.from_} was not compared with its "
        "source"
        for rate in doubtful
        if rate.from_ not in own and plain(scheme.annual(rate.exact)) in used
    ]
