"""`tiered`: steps by the number of days late.

    percent, amount    `replace`   what the highest step reached comes to
                       `additive`  every step reached, added up
    daily_percent      `marginal`  each day at the percentage of its own step
                       `whole`     every day at the percentage of the highest step reached

A step is taken of what is owed on the day on which it is reached, so a payment in between never
makes an earlier step grow. Under `replace` a later step that comes to less (because most was
paid) changes nothing: what was charged stays charged.
"""

from datetime import date, timedelta
from fractions import Fraction

from rules.actions.late_fee import DerivationRow
from rules.fees.base import (
    NOTHING,
    Accrued,
    FeeDays,
    NoAmountError,
    chargeable_days,
    major,
    rational,
    share_of_base,
    total_of,
)
from rules.fees.timeline import Debt
from rules.policy.fee import Fee
from rules.policy.fee_tables import Tier


def tiered(
    fee: Fee, debt: Debt, through: date, *, from_day: date | None, base_currency: str
) -> Accrued:
    """One row for each step that counts, or for each run of days at one percentage.

    Raises NoAmountError where a step has no amount in the debt's currency.
    """
    days = chargeable_days(fee, debt, through, from_day)
    tiers = sorted(fee.tiers, key=lambda tier: tier.from_day)
    if fee.is_daily_tiers:
        return NOTHING if days is None else _by_day(fee, debt, days, tiers)
    reached = [] if days is None else _steps(fee, debt, days, tiers, base_currency)
    if days is None or not reached:
        return NOTHING
    if fee.tier_mode != "additive":  # the default is `replace`
        reached = [max(reached, key=lambda row: Fraction(row.exact))]
    return total_of(reached, is_cut=days.is_cut)


def _steps(
    fee: Fee, debt: Debt, days: FeeDays, tiers: list[Tier], base_currency: str
) -> list[DerivationRow]:
    rows: list[DerivationRow] = []
    for tier in tiers:
        day = debt.due_on + timedelta(days=tier.from_day)
        amount = None
        if tier.amount is not None:
            amount = tier.amount.of(debt.currency, base_currency)
            if amount is None:
                raise NoAmountError(f"{fee.id} has no amount in {debt.currency}")
        if not days.first <= day <= days.last or debt.base_on(day) <= 0:
            continue
        if amount is not None:
            sum_ = rational(Fraction(amount))
            rows.append(DerivationRow(kind="fixed", from_=day, to=day, exact=sum_))
        elif tier.percent is not None:
            row = share_of_base(fee, debt, day, Fraction(tier.percent))
            rows += [] if row is None else [row]
    return rows


def _by_day(fee: Fee, debt: Debt, days: FeeDays, tiers: list[Tier]) -> Accrued:
    begins = [(debt.due_on + timedelta(days=tier.from_day), tier) for tier in tiers]
    highest = [tier for day, tier in begins if day <= days.last]
    rows: list[DerivationRow] = []
    for span in debt.spans(days.first, days.last, fee.base, [day for day, _ in begins]):
        own = [tier for day, tier in begins if day <= span.first]
        tier = (highest or own)[-1:] if fee.tier_mode == "whole" else own[-1:]
        if not tier:
            continue  # before the first step
        assert tier[0].daily_percent is not None
        share = Fraction(tier[0].daily_percent) / 100
        rows.append(
            DerivationRow(
                kind="segment",
                from_=span.first,
                to=span.last,
                days=span.days,
                base=round(span.base),
                exact=rational(major(span.base, debt.currency) * share * span.days),
            )
        )
    return total_of(rows, is_cut=days.is_cut)
