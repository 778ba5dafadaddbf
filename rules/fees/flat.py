"""`flat`: a fixed sum once on the first chargeable day, or again on days 30, 60, 90 after due."""

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
    total_of,
)
from rules.fees.timeline import Debt
from rules.policy.fee import Fee


def flat(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """One row for each sum that fell due while something was owed.

    Raises NoAmountError where the fee has no amount in the debt's currency.
    """
    amount = fee.amount.of(debt.currency, base_currency) if fee.amount is not None else None
    if amount is None:
        raise NoAmountError(f"{fee.id} has no amount in {debt.currency}")
    days = chargeable_days(fee, debt, through, from_day)
    if days is None:
        return NOTHING
    if fee.repeat is None:
        once = first_day_of_fixed(fee, debt, days)
        charged = [] if once is None else [once]
    else:
        charged = [day for day in repetitions(fee, debt, days) if debt.base_on(day) > 0]
    return total_of(
        [
            DerivationRow(kind="fixed", from_=day, to=day, exact=rational(Fraction(amount)))
            for day in charged
        ],
        is_cut=days.is_cut and fee.repeat is not None,
    )
