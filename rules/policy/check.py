"""Lint of a valid policy: what it allows, but what its author would hardly want.

`load_policy` refuses what has no meaning; here are the findings about what has one.
"""

from collections.abc import Callable, Iterator
from typing import Final

from rules.policy.check_credit import credit, deposits, people, write_offs
from rules.policy.check_fees import annual_rate, fees
from rules.policy.check_stages import (
    early_accounts,
    formal_stages,
    hand_offs,
    overlaps,
    stage_order,
    tone,
    unreachable,
)
from rules.policy.check_unused import (
    discount,
    empty_tests,
    segments_of_everybody,
    unused_keys,
)
from rules.policy.finding import Finding
from rules.policy.limits import mails_to_one
from rules.policy.schema import Policy

__all__ = ["Finding", "annual_rate", "check"]

# Countries whose holidays differ so much by region that the bare code is wrong.
REGIONAL_COUNTRIES: Final[dict[str, str]] = {
    "AU": "AU-NSW",
    "CA": "CA-ON",
    "GB": "GB-ENG",
    "NZ": "NZ-AUK",
    "US": "US-NY",
}


def check(policy: Policy) -> tuple[Finding, ...]:
    """All findings, errors first."""
    found = [finding for one in CHECKS for finding in one(policy)]
    order = ("error", "warning", "info")
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _empty(policy: Policy) -> Iterator[Finding]:
    if not policy.stage:
        yield Finding(
            severity="warning",
            code="no_stages",
            message="the policy has no stage, so no customer is ever reminded",
            hint="add a [[stage]]",
        )


def _region(policy: Policy) -> Iterator[Finding]:
    example = REGIONAL_COUNTRIES.get(policy.calendar.region)
    if example:
        yield Finding(
            severity="warning",
            code="bare_region",
            path=("calendar", "region"),
            message=f"holidays in {policy.calendar.region} differ by region; the country alone "
            "misses some",
            hint=f"write the part of the country too, such as {example}",
        )


def _contact(policy: Policy) -> Iterator[Finding]:
    contact = policy.contact
    if contact.per_customer_per_day > contact.per_customer_per_week:
        yield Finding(
            severity="warning",
            code="budget",
            path=("contact", "per_customer_per_day"),
            message=f"{contact.per_customer_per_day} messages a day never happen with "
            f"{contact.per_customer_per_week} a week",
        )


def _limits(policy: Policy) -> Iterator[Finding]:
    limits = policy.limits
    for name in ("mails", "fees", "fee_total"):
        run, day = getattr(limits, f"{name}_per_run"), getattr(limits, f"{name}_per_day")
        if run is not None and day is not None and run > day:
            yield Finding(
                severity="warning",
                code="limits",
                path=("limits", f"{name}_per_run"),
                message=f"{run} in a run never happen with {day} in a day",
                hint=f"raise {name}_per_day, or lower {name}_per_run",
            )
    if mails_to_one(policy) < policy.contact.per_customer_per_day:
        yield Finding(
            severity="warning",
            code="limits",
            path=("limits", "mails_per_customer_per_day"),
            message=f"{policy.contact.per_customer_per_day} messages to a customer in a day "
            f"([contact] per_customer_per_day) never happen with {mails_to_one(policy)}",
        )


CHECKS: Final[tuple[Callable[[Policy], Iterator[Finding]], ...]] = (
    _empty,
    stage_order,
    overlaps,
    early_accounts,
    unreachable,
    formal_stages,
    hand_offs,
    tone,
    _region,
    _contact,
    _limits,
    fees,
    credit,
    deposits,
    write_offs,
    people,
    unused_keys,
    segments_of_everybody,
    discount,
    empty_tests,
)
