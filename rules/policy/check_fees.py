"""Lint of the late fees: agreed, capped, and what they come to in a year."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from rules.policy.check_fee_options import fee_options
from rules.policy.fee import Fee
from rules.policy.finding import Finding
from rules.policy.schema import Policy

_RESTS_A_YEAR: Final = {"none": 1, "yearly": 1, "monthly": 12, "daily": 365}

PLACEHOLDER_BASIS: Final = "contract:payment-terms"
"""What the presets say, for their reader to replace."""


def fees(policy: Policy) -> Iterator[Finding]:
    if policy.native_late_fees == "off-confirmed":
        yield Finding(
            severity="info" if policy.fee else "warning",
            code="native_late_fees",
            path=("native_late_fees",),
            message="late fees are charged even where the ledger charges its own, or where an "
            "invoice carries lines of such"
            if policy.fee
            else "native_late_fees says nothing in a policy without fees",
            hint="only right while the ledger's own late fees are switched off"
            if policy.fee
            else "leave it out",
        )
    for number, fee in enumerate(policy.fee):
        path = ("fee", number)
        if not (fee.legal_basis or policy.legal_basis):
            yield Finding(
                severity="error",
                code="no_legal_basis",
                path=path,
                message=f'fee "{fee.id}" has no legal_basis and will not be charged: late fees '
                "have to be agreed",
                hint='write legal_basis = "contract:terms-2026-01" once your terms say so',
            )
        elif (fee.legal_basis or policy.legal_basis) == PLACEHOLDER_BASIS:
            yield Finding(
                severity="warning",
                code="placeholder_legal_basis",
                path=path if fee.legal_basis else ("legal_basis",),
                message=f'the legal_basis of fee "{fee.id}" is still the one of the preset',
                hint="name the clause of your own terms",
            )
        if fee.scope == "customer" and (fee.post.kind == "claim_only" or fee.on != "lateness"):
            yield Finding(
                severity="error",
                code="account_fee_never_charged",
                path=path,
                message=f'fee "{fee.id}" is one of whole accounts and will not be charged: only '
                "fees for paying late, posted as documents, are itemised by invoice",
                hint='leave out scope = "customer"',
            )
        rate = annual_rate(fee)
        if fee.cap is None and not fee.cap_group and not fee.is_charged_once:
            yield Finding(
                severity="warning",
                code="no_cap",
                path=path,
                message=f'fee "{fee.id}" has no cap: it can outgrow the invoice',
                hint="write cap = { percent_of_original = 25 }",
            )
        if rate is not None:
            yield Finding(
                severity="warning" if rate > 30 else "info",
                code="annual_rate",
                path=path,
                message=f'fee "{fee.id}" comes to {rate.quantize(Decimal("0.01"))} % a year',
                hint="more than most courts uphold" if rate > 30 else "",
            )

    yield from fee_options(policy)


def annual_rate(fee: Fee) -> Decimal | None:
    """Effective percent a year of a fee that grows with time; None for one that does not.

    Simple interest is its own annual rate (the highest of dated ones), a monthly percentage
    counts twelve times, a daily one 365 times, a repeated one as often as a year allows. What
    compounds counts with the growth of its own year.
    """
    if fee.type == "interest":
        nominal = max([row.annual for row in fee.rates], default=fee.annual_rate)
        rests = _RESTS_A_YEAR[fee.compounding]
        return nominal if nominal is None else _effective(nominal / rests, rests)
    if fee.type == "percent" and fee.per == "month" and fee.percent is not None:
        return fee.percent * 12 if fee.compounding == "none" else _effective(fee.percent, 12)
    if fee.type in ("percent", "flat_then_percent") and fee.percent is not None and fee.repeat:
        return fee.percent * min(365 // fee.repeat.every.count, fee.repeat.times)
    daily = [tier.daily_percent for tier in fee.tiers if tier.daily_percent is not None]
    if daily:
        return max(daily) * 365
    return None


def _effective(percent: Decimal, rests: int) -> Decimal:
    """Percent a year that a percentage comes to when it is added `rests` times."""
    return ((1 + percent / 100) ** rests - 1) * 100 if rests > 1 else percent
