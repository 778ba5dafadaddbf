"""Lint of what fees add to their arithmetic: minimums, shared limits, claims, days that count."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from rules.policy.fee import Fee
from rules.policy.finding import Finding
from rules.policy.schema import Policy
from rules.policy.values import MoneyTable

_SHORTEST_MONTH: Final = 28
_LIMITS = ("per_invoice", "percent_of_original", "annual_percent", "posts", "per_customer_month")


def fee_options(policy: Policy) -> Iterator[Finding]:
    """Options that contradict one another, or that say nothing."""
    for number, fee in enumerate(policy.fee):
        path = ("fee", number)
        for code, message, hint in _of_fee(policy, fee):
            yield Finding(severity="warning", code=code, path=path, message=message, hint=hint)
        if _posts_pennies(fee):
            yield Finding(
                severity="info",
                code="no_minimum_to_post",
                path=path,
                message=f'fee "{fee.id}" grows by the day, is posted more often than monthly and '
                "has no minimum_to_post: documents and notices of a few pennies come of it",
                hint='write minimum_to_post = "5.00", or post = { every = "month" }',
            )
    yield from _groups(policy)


def _posts_pennies(fee: Fee) -> bool:
    """Whether it makes documents of what a few days add."""
    by_day = (
        fee.type in ("interest", "statutory")
        or fee.is_daily_tiers
        or (fee.type == "percent" and fee.per == "month" and fee.month_count == "days/30")
    )
    if not by_day or fee.minimum_to_post or fee.on != "lateness" or fee.repeat is not None:
        return False
    if fee.minimum_per == "charge" and fee.minimum_charge is not None:
        return False  # each document is raised to that
    post = fee.post
    if post.kind == "every" and post.every is not None:
        return post.every.count < _SHORTEST_MONTH
    return post.kind == "when_due"


def _of_fee(policy: Policy, fee: Fee) -> Iterator[tuple[str, str, str]]:
    named = f'fee "{fee.id}"'
    for least, most, where in _minimums_and_caps(policy, fee):
        yield (
            "minimum_above_cap",
            f"the minimum_charge of {named}, {least}, is above {where}, {most}: it never comes to "
            "its minimum",
            "lower the minimum or raise the cap",
        )
    if fee.minimum_per == "charge" and fee.minimum_charge is None:
        yield (
            "minimum_per_without_minimum",
            f'{named} has minimum_per = "charge" and no minimum_charge',
            'write minimum_charge = "10.00", or leave minimum_per out',
        )
    by_day = fee.type in ("interest", "statutory") or fee.is_daily_tiers
    if fee.minimum_per == "charge" and by_day and fee.post.kind == "when_due":
        yield (
            "minimum_every_day",
            f"{named} is posted every day, each time with its minimum_charge",
            'write post = { every = "month" }',
        )
    if fee.post.kind == "claim_only" and not any(stage.formal for stage in policy.stage):
        yield (
            "claimed_nowhere",
            f"{named} is only claimed, in formal letters, and no stage is formal",
            "write formal = true in the stage that claims it",
        )
    if fee.on_dispute_won == "lift_pause" and policy.do_not_chase.dispute == "ignore":
        yield (
            "disputes_pause_nothing",
            f"on_dispute_won of {named} says nothing: disputes pause no fee here",
            "leave it out",
        )
    if fee.due_roll == "following" and not policy.calendar.region:
        yield (
            "due_roll_without_holidays",
            f"due_roll of {named} moves due dates on weekends only: no public holidays are kept",
            'write region = "DE-BY" in [calendar]',
        )
    if fee.allocation == "interest_first" and fee.compounding != "none":
        yield (
            "interest_first_compounded",
            f"{named} lets interest bear interest and a part payment settle the interest first",
            "have the terms looked at: few laws allow both",
        )


def _minimums_and_caps(policy: Policy, fee: Fee) -> Iterator[tuple[Decimal, Decimal, str]]:
    """(minimum, cap, name of the cap) where the cap is lower."""
    if fee.minimum_charge is None:
        return
    caps = [("its maximum", fee.maximum)]
    if fee.cap is not None:
        caps.append(("its cap per_invoice", fee.cap.per_invoice))
    for group in policy.cap_group:
        if group.name == fee.cap_group:
            caps.append((f'the cap of group "{group.name}"', group.per_invoice))
    for where, cap in caps:
        for least, most in _in_one_currency(fee.minimum_charge, cap):
            if least > most:
                yield least, most, where


def _in_one_currency(
    minimum: MoneyTable, cap: MoneyTable | None
) -> Iterator[tuple[Decimal, Decimal]]:
    if cap is None:
        return
    if minimum.bare is not None and cap.bare is not None:
        yield minimum.bare, cap.bare
    most = dict(cap.by_currency)
    for code, least in minimum.by_currency:
        if code in most:
            yield least, most[code]


def _groups(policy: Policy) -> Iterator[Finding]:
    for number, group in enumerate(policy.cap_group):
        members = [fee.id for fee in policy.fee if fee.cap_group == group.name]
        if len(members) < 2:
            said = f'only fee "{members[0]}" names' if members else "no fee names"
            yield Finding(
                severity="warning",
                code="cap_group_not_shared",
                path=("cap_group", number),
                message=f'{said} the cap_group "{group.name}"',
                hint=f'write cap_group = "{group.name}" in the fees that share its limits',
            )
        if all(getattr(group, limit) is None for limit in _LIMITS):
            yield Finding(
                severity="warning",
                code="cap_group_without_limit",
                path=("cap_group", number),
                message=f'the cap_group "{group.name}" limits nothing',
                hint='write per_invoice = "100" in it',
            )
