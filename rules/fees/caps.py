"""Lifetime caps of a fee and of a group of fees: what is above them is forfeited."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from rules.fees.base import NoAmountError
from rules.fees.timeline import Debt
from rules.model.money import Minor, currency_digits
from rules.policy.fee import Fee
from rules.policy.fee_tables import Cap, CapGroup
from rules.policy.values import MoneyTable


def nominal(amount: Decimal, currency: str) -> Minor:
    """A threshold in major units, nominally in a currency, as minor units (rounded down)."""
    return int(amount * 10 ** currency_digits(currency))


def cap_amount(limit: MoneyTable, currency: str, base_currency: str) -> Minor:
    """A limit in minor units; a bare one compares nominally in any currency.

    Raises NoAmountError where there are amounts per currency and none for this one: a fee whose
    limit is not known is not charged.
    """
    amount = limit.of(currency, base_currency)
    amount = limit.bare if amount is None else amount
    if amount is None:
        raise NoAmountError(f"there is a cap, and none in {currency}")
    return nominal(amount, currency)


def fee_caps(fee: Fee, debt: Debt, through: date, base_currency: str) -> list[tuple[str, Minor]]:
    """What a fee may come to in all on a debt by a day, by the name of the cap."""
    caps = [] if fee.cap is None else lifetime_caps(fee.cap, debt, through, base_currency)
    if fee.maximum is not None:
        caps.insert(0, ("maximum", cap_amount(fee.maximum, debt.currency, base_currency)))
    return caps


def lifetime_caps(
    cap: Cap | CapGroup, debt: Debt, through: date, base_currency: str
) -> list[tuple[str, Minor]]:
    """What one fee, or the fees of a group together, may come to in all on a debt by a day."""
    caps: list[tuple[str, Minor]] = []
    if cap.per_invoice is not None:
        caps.append(("per_invoice", cap_amount(cap.per_invoice, debt.currency, base_currency)))
    original = Fraction(max(debt.original, 0))
    if cap.percent_of_original is not None:
        share = original * Fraction(cap.percent_of_original) / 100
        caps.append(("percent_of_original", share.numerator // share.denominator))
    if cap.annual_percent is not None:
        days = max((through - debt.due_on).days, 0)
        share = original * Fraction(cap.annual_percent) / 100 * Fraction(days, 365)
        caps.append(("annual_percent", share.numerator // share.denominator))
    return caps
