"""From the exact amount of a fee to what is posted: rounding, minimum, caps, posted before.

`to_post = min(cumulative, lifetime caps) - posted_gross + corrections`. It is rounded once, on the
cumulative amount, so the dates of posting never change the sum. What a person waived stays in
`posted_gross` and is never charged again; only our own corrections reduce it. The derivation's
rows and steps add up to `to_post`, exactly.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from rules.actions.late_fee import Derivation, DerivationStep
from rules.fees.base import Accrued, NoAmountError, major, rational
from rules.fees.statutory import unchecked_rates
from rules.fees.table import FEE_TYPES
from rules.fees.timeline import Debt
from rules.model.history import FeePosted
from rules.model.money import Minor, currency_digits, format_minor, round_minor
from rules.policy.fee import Fee


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


def assess(
    fee: Fee,
    debt: Debt,
    through: date,
    posted: Sequence[FeePosted],
    *,
    from_day: date | None,
    base_currency: str,
) -> Assessment:
    """What the fee comes to on the debt by `through`. Raises NoAmountError."""
    currency = debt.currency
    accrual = FEE_TYPES[fee.type](
        fee, debt, through, from_day=from_day, base_currency=base_currency
    )
    rounded = round_minor(accrual.exact, currency, fee.rounding)
    steps: list[tuple[str, Fraction]] = [("rounding", major(rounded, currency) - accrual.exact)]
    raised = rounded
    for floor in (fee.minimum_charge, fee.minimum):
        if floor is None or rounded <= 0:
            continue
        minimum = floor.of(currency, base_currency)
        if minimum is None:
            raise NoAmountError(f"the minimum of {fee.id} has no amount in {currency}")
        steps.append(("minimum", major(max(nominal(minimum, currency) - raised, 0), currency)))
        raised = max(raised, nominal(minimum, currency))
    capped, capped_by = raised, "days" if accrual.is_cut else None
    for name, cap in _lifetime_caps(fee, debt, through, base_currency):
        if cap < capped:
            capped, capped_by = cap, name
    steps.append(("cap", major(capped - raised, currency)))
    before = sum(charge.amount - charge.corrected for charge in posted)
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


def less(assessment: Assessment, step: str, amount: Minor, currency: str) -> Assessment:
    """The assessment with `amount` taken off what is posted now, and a step that says why."""
    if amount == 0:
        return assessment
    taken = DerivationStep(step=step, amount=rational(major(-amount, currency)))
    return msgspec.structs.replace(
        assessment, to_post=assessment.to_post - amount, steps=(*assessment.steps, taken)
    )


def nominal(amount: Decimal, currency: str) -> Minor:
    """A threshold in major units, nominally in a currency, as minor units (rounded down)."""
    return int(amount * 10 ** currency_digits(currency))


def _lifetime_caps(
    fee: Fee, debt: Debt, through: date, base_currency: str
) -> list[tuple[str, Minor]]:
    cap = fee.cap
    caps: list[tuple[str, Minor]] = []
    for name, most in (
        ("maximum", fee.maximum),
        ("per_invoice", cap.per_invoice if cap is not None else None),
    ):
        if most is None:
            continue
        amount = most.of(debt.currency, base_currency)
        # A cap is a limit: a bare one compares nominally in any currency.
        amount = most.bare if amount is None else amount
        if amount is not None:
            caps.append((name, nominal(amount, debt.currency)))
    if cap is None:
        return caps
    original = Fraction(max(debt.original, 0))
    if cap.percent_of_original is not None:
        share = original * Fraction(cap.percent_of_original) / 100
        caps.append(("percent_of_original", share.numerator // share.denominator))
    if cap.annual_percent is not None:
        days = max((through - debt.due_on).days, 0)
        share = original * Fraction(cap.annual_percent) / 100 * Fraction(days, 365)
        caps.append(("annual_percent", share.numerator // share.denominator))
    return caps


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
