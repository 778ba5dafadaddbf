"""`interest`: on what is owed, day by day, at one rate or at dated rates; simple or compounded."""

from datetime import date
from fractions import Fraction

from rules.actions.late_fee import DerivationRow
from rules.fees.base import NOTHING, Accrued, FeeDays, chargeable_days, major, rational, total_of
from rules.fees.compound import Rates, compounded
from rules.fees.day_count import fraction_of_year, plain, rate_cuts
from rules.fees.timeline import BaseKind, Debt, rate_on
from rules.policy.fee import Fee


def interest(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """One row for each run of days with one base and one rate.

    A day before the first dated rate bears nothing.
    """
    days = chargeable_days(fee, debt, through, from_day)
    if days is None:
        return NOTHING
    rates = _rates(fee)
    if fee.rate_fix == "at_start":
        rates = [(date.min, rate_on(rates, days.start) or Fraction(0))]
    return accrued_interest(
        debt,
        days,
        rates,
        base=fee.base,
        day_count=fee.day_count,
        compounding=fee.compounding,
    )


def accrued_interest(
    debt: Debt,
    days: FeeDays,
    rates: Rates,
    *,
    base: BaseKind,
    day_count: str,
    compounding: str,
) -> Accrued:
    """Interest on the debt for these days. `rates` are percent a year, in order of the day."""
    if compounding != "none":
        return compounded(debt, days, rates, base=base, day_count=day_count, rests=compounding)
    cuts = rate_cuts(day_count, rates, days.first, days.last)
    rows: list[DerivationRow] = []
    for span in debt.spans(days.first, days.last, base, cuts):
        annual = rate_on(rates, span.first)
        if annual is None:
            continue
        count, year = fraction_of_year(day_count, span.first, span.last)
        exact = major(span.base, debt.currency) * annual / 100 * Fraction(count, year)
        rows.append(
            DerivationRow(
                kind="segment",
                from_=span.first,
                to=span.last,
                days=count,
                base=round(span.base),
                annual_rate=plain(annual),
                exact=rational(exact),
            )
        )
    return total_of(rows, is_cut=days.is_cut)


def _rates(fee: Fee) -> Rates:
    if fee.rates:
        return sorted((dated.from_, Fraction(dated.annual)) for dated in fee.rates)
    return [(date.min, Fraction(fee.annual_rate or 0))]
