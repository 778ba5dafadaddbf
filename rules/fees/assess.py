"""From the exact amount of a fee to what is posted: rounding, minimum, caps, posted before.

`to_post = min(cumulative, lifetime caps) - posted_gross + corrections`. It is rounded once, on the
cumulative amount, so the dates of posting never change the sum. What a person waived stays in
`posted_gross` and is never charged again; only our own corrections reduce it. The derivation's
rows and steps add up to `to_post`, exactly.
"""

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import TypeAlias

import msgspec

from rules.actions.late_fee import Derivation, DerivationStep
from rules.fees.allocation import interest_first
from rules.fees.base import Accrued, NoAmountError, major, rational
from rules.fees.caps import fee_caps, nominal
from rules.fees.minimum import raised_by_charge, raised_by_invoice
from rules.fees.statutory import unchecked_rates
from rules.fees.table import FEE_TYPES
from rules.fees.timeline import Debt
from rules.model.history import FeePosted
from rules.model.money import Minor, format_minor, round_minor
from rules.policy.fee import Fee
from rules.policy.values import MoneyTable

Accrue: TypeAlias = Callable[[date], Accrued]
"""What a fee accrued by a day, exactly."""

AccrueOn: TypeAlias = Callable[[Debt, date], Accrued]
"""The same for any debt."""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """One fee on one invoice by a day. Minor units."""

    accrued: Minor
    """Cumulative after the lifetime caps, rounded once."""
    posted: Minor
    """Posted before, less our own corrections."""
    to_post: Minor
    """What is missing; negative where more was posted than is owed."""
    capped_by: str | None = None
    accrual: Accrued
    steps: tuple[DerivationStep, ...] = ()

    def derivation(self, text: str) -> Derivation:
        return Derivation(rows=self.accrual.rows, steps=self.steps, text=text)


def posted_of(fee: Fee, invoice: str, fees: Sequence[FeePosted]) -> list[FeePosted]:
    """What was posted of this fee, under its present id or an earlier one, to this invoice."""
    names = {fee.id, *fee.was}
    return [charge for charge in fees if charge.invoice == invoice and charge.fee in names]


def by_type(fee: Fee, *, from_day: date | None, base_currency: str) -> AccrueOn:
    """What a fee of its type accrues on a debt by a day."""

    def on(bearing: Debt, through: date) -> Accrued:
        return FEE_TYPES[fee.type](
            fee, bearing, through, from_day=from_day, base_currency=base_currency
        )

    return on


def accruing(fee: Fee, debt: Debt, on: AccrueOn) -> Accrue:
    """What the fee accrued on the debt by any day, part payments allocated as it says."""
    if fee.allocation == "principal_first":
        return lambda through: on(debt, through)

    def exact(bearing: Debt, through: date) -> Fraction:
        return on(bearing, through).exact

    return lambda through: on(interest_first(debt, through, exact, fee.rounding), through)


def assess(
    fee: Fee,
    debt: Debt,
    through: date,
    posted: Sequence[FeePosted],
    *,
    from_day: date | None,
    base_currency: str,
    shared: Sequence[tuple[str, Minor]] = (),
    accrue: Accrue | None = None,
) -> Assessment:
    """What the fee comes to on the debt by `through`. Raises NoAmountError, MissingRateError.

    `shared` are lifetime caps, by name, that others left of what is shared with them; `accrue`
    says what accrued by a day where that is not for the fee's type to say.
    """
    currency = debt.currency
    if accrue is None:
        accrue = accruing(fee, debt, by_type(fee, from_day=from_day, base_currency=base_currency))
    accrual = accrue(through)
    rounded = round_minor(accrual.exact, currency, fee.rounding)
    before = sum(charge.amount - charge.corrected for charge in posted)
    steps: list[tuple[str, Fraction]] = [("rounding", major(rounded, currency) - accrual.exact)]
    raised = rounded + _raised(fee, currency, base_currency, rounded, posted, accrue)
    steps.append(("minimum", major(raised - rounded, currency)))
    capped, capped_by = raised, "days" if accrual.is_cut else None
    caps = fee_caps(fee, debt, through, base_currency)
    # A shared cap is no ground to take back what this fee was charged before the others.
    caps += [(name, max(most, before)) for name, most in shared]
    for name, cap in caps:
        if cap < capped:
            capped, capped_by = cap, name
    steps.append(("cap", major(capped - raised, currency)))
    steps.append(("already_posted", major(-before, currency)))
    return Assessment(
        accrued=capped,
        posted=before,
        to_post=capped - before,
        capped_by=capped_by,
        accrual=accrual,
        steps=tuple(
            DerivationStep(step=name, amount=rational(amount)) for name, amount in steps if amount
        ),
    )


def _raised(
    fee: Fee,
    currency: str,
    base_currency: str,
    rounded: Minor,
    posted: Sequence[FeePosted],
    accrue: Accrue,
) -> Minor:
    """What minimums add to the cumulative amount."""

    def least(floor: MoneyTable) -> Minor:
        amount = floor.of(currency, base_currency)
        if amount is None:
            raise NoAmountError(f"the minimum of {fee.id} has no amount in {currency}")
        return nominal(amount, currency)

    least_of_all = 0 if fee.minimum is None else least(fee.minimum)
    raised = raised_by_invoice(rounded, least_of_all)
    if fee.minimum_charge is None:
        return raised
    minimum = least(fee.minimum_charge)
    if fee.minimum_per == "invoice":
        return raised + raised_by_invoice(rounded + raised, minimum)

    def came_to_by(day: date) -> Minor:
        came_to = round_minor(accrue(day).exact, currency, fee.rounding)
        return came_to + raised_by_invoice(came_to, least_of_all)

    return raised + raised_by_charge(rounded + raised, minimum, posted, came_to_by)


def less(assessment: Assessment, step: str, amount: Minor, currency: str) -> Assessment:
    """The assessment with `amount` taken off what is posted now, and a step that says why."""
    if amount == 0:
        return assessment
    taken = DerivationStep(step=step, amount=rational(major(-amount, currency)))
    return msgspec.structs.replace(
        assessment, to_post=assessment.to_post - amount, steps=(*assessment.steps, taken)
    )


def in_words(fee: Fee, assessment: Assessment, debt: Debt) -> str:
    """The derivation in one paragraph, for people."""
    lines: list[str] = []
    for row in assessment.accrual.rows:
        exact = format_minor(round_minor(Fraction(row.exact), debt.currency), debt.currency)
        base = "" if row.base is None else f" on {format_minor(row.base, debt.currency)}"
        rate = f" at {row.annual_rate}% a year" if row.annual_rate else ""
        if row.days is not None:
            lines.append(f"{row.days} days ({row.from_} to {row.to}){base}{rate}: {exact}")
        else:
            percent = f" {fee.percent}%" if fee.type == "percent" else ""
            lines.append(f"{row.to}:{percent}{base} {exact}".replace(":  ", ": "))
    if fee.allocation == "interest_first" and len(assessment.accrual.rows) > 1:
        lines.append("payments settle the interest first")
    lines += unchecked_rates(fee, assessment.accrual.rows)
    for step in assessment.steps:
        exact = format_minor(round_minor(Fraction(step.amount), debt.currency), debt.currency)
        lines.append(f"{STEP_WORDS[step.step]}: {exact}" if step.step != "rounding" else "rounded")
    return "; ".join(lines)


STEP_WORDS = {
    "rounding": "rounded",
    "minimum": "raised to the minimum",
    "cap": "limited by the cap",
    "already_posted": "posted before",
    "carried": "too small to post, carried forward",
    "deferred": "above the customer's monthly limit, deferred",
}
