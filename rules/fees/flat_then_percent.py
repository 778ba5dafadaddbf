"""`flat_then_percent`: a fixed sum first, then a percentage on days 30, 60, 90 after due."""

from datetime import date
from fractions import Fraction

from rules.actions.late_fee import DerivationRow
from rules.fees.base import (
    NOTHING,
    Accrued,
    NoAmountError,
    chargeable_days,
    first_day_of_fixed,
    rational,
    repetitions,
    share_of_base,
    total_of,
)
from rules.fees.timeline import Debt
from rules.policy.fee import Fee


def flat_then_percent(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """A row for the sum and one for each percentage that fell due while something was owed.

    Raises NoAmountError where the fee has no amount in the debt's currency.
    """
    amount = fee.amount.of(debt.currency, base_currency) if fee.amount is not None else None
    if amount is None:
        raise NoAmountError(f"{fee.id} has no amount in {debt.currency}")
    days = chargeable_days(fee, debt, through, from_day)
    if days is None:
        return NOTHING
    once = first_day_of_fixed(fee, debt, days)
    rows: list[DerivationRow] = []
    if once is not None:
        sum_once = rational(Fraction(amount))
        rows.append(DerivationRow(kind="fixed", from_=once, to=once, exact=sum_once))
    assert fee.percent is not None
    rows += [
        row
        for day in repetitions(fee, debt, days)
        if (row := share_of_base(fee, debt, day, Fraction(fee.percent))) is not None
    ]
    return total_of(rows, is_cut=days.is_cut)
