"""`compensation` and `scale`: what the size of the debt comes to, once for each invoice.

Both are taken of the principal when it became late: what was owed at the start of the first
day late. A part payment later changes nothing (UK: Late Payment of Commercial Debts (Interest)
Act 1998, s. 5A; Netherlands: Besluit vergoeding voor buitengerechtelijke incassokosten).
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from rules.actions.late_fee import DerivationRow
from rules.fees.base import (
    NOTHING,
    Accrued,
    NoAmountError,
    chargeable_days,
    first_day_of_fixed,
    major,
    rational,
    total_of,
)
from rules.fees.timeline import Debt
from rules.model.money import Minor, currency_digits
from rules.policy.fee import Fee


def compensation(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """The amount of the highest band whose lower bound the principal reaches.

    Raises NoAmountError where that band has no amount in the debt's currency.
    """
    on = _falls_due(fee, debt, through, from_day)
    if on is None:
        return NOTHING
    principal = _principal(debt)
    reached = [
        band
        for band in sorted(fee.bands, key=lambda band: band.from_)
        if _minor(band.from_, debt.currency) <= principal
    ]
    if not reached:
        return NOTHING
    amount = reached[-1].amount.of(debt.currency, base_currency)
    if amount is None:
        raise NoAmountError(f"{fee.id} has no amount in {debt.currency}")
    row = DerivationRow(
        kind="band", from_=on, to=on, base=principal, exact=rational(Fraction(amount))
    )
    return total_of([row])


def scale(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """A percentage of each slice of the principal; `minimum` and `maximum` are applied later."""
    on = _falls_due(fee, debt, through, from_day)
    if on is None:
        return NOTHING
    left: Fraction = Fraction(_principal(debt))
    rows: list[DerivationRow] = []
    for slice_ in fee.scale:
        width = left if slice_.width is None else Fraction(_minor(slice_.width, debt.currency))
        part = min(left, width)
        if part <= 0:
            break
        rows.append(
            DerivationRow(
                kind="band",
                from_=on,
                to=on,
                base=round(part),
                exact=rational(major(part, debt.currency) * Fraction(slice_.percent) / 100),
            )
        )
        left -= part
    return total_of(rows)


def _falls_due(fee: Fee, debt: Debt, through: date, from_day: date | None) -> date | None:
    days = chargeable_days(fee, debt, through, from_day)
    return None if days is None else first_day_of_fixed(fee, debt, days)


def _principal(debt: Debt) -> Minor:
    return debt.owed_on(debt.due_on + timedelta(days=1))


def _minor(amount: Decimal, currency: str) -> Fraction:
    """A threshold, nominally in the currency of the debt."""
    return Fraction(amount) * Fraction(10 ** currency_digits(currency))
