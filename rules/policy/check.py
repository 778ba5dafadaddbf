"""Lint of a valid policy: what it allows, but what its author would hardly want.

`load_policy` refuses what has no meaning; here are the findings about what has one.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal, TypeAlias

import msgspec

from rules.policy.fee import Fee
from rules.policy.reading import PathPart
from rules.policy.schema import Policy
from rules.policy.stage import Stage
from rules.policy.values import Duration, Mode, strictest

Severity: TypeAlias = Literal["error", "warning", "info"]

# Countries whose holidays differ so much by region that the bare code is wrong.
REGIONAL_COUNTRIES: Final[dict[str, str]] = {
    "AU": "AU-NSW",
    "CA": "CA-ON",
    "GB": "GB-ENG",
    "NZ": "NZ-AUK",
    "US": "US-NY",
}

_DAYS_PER_UNIT: Final[dict[str, float]] = {"h": 1 / 24, "d": 1, "bd": 1.4, "m": 30.4}

# How firm the bundled templates sound.
_FIRMNESS: Final[dict[str, int]] = {
    "before_due": 0,
    "overdue_1": 1,
    "overdue_2": 2,
    "overdue_3": 3,
    "final_notice": 4,
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One remark. `error`: this part of the policy will not do what it says."""

    severity: Severity
    code: str
    path: tuple[PathPart, ...] = ()
    message: str
    hint: str = ""

    def __str__(self) -> str:
        told = f"{self.severity}: {self.message}"
        return f"{told} ({self.hint})" if self.hint else told


def check(policy: Policy) -> tuple[Finding, ...]:
    """All findings, errors first."""
    found = [finding for one in CHECKS for finding in one(policy)]
    order = ("error", "warning", "info")
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _days(stage: Stage) -> float | None:
    """About how many days after the due date the stage falls due; None where that depends."""
    if stage.at.anchor not in ("due", "month_end_due", "month_end_shifted"):
        return None
    return stage.at.sign * _length(stage.at.offset)


def _length(duration: Duration | None) -> float:
    return duration.count * _DAYS_PER_UNIT[duration.unit] if duration else 0.0


def _empty(policy: Policy) -> Iterator[Finding]:
    if not policy.stage:
        yield Finding(
            severity="warning",
            code="no_stages",
            message="the policy has no stage, so no customer is ever reminded",
            hint="add a [[stage]]",
        )


def _stage_order(policy: Policy) -> Iterator[Finding]:
    placed = [
        (number, stage, days)
        for number, stage in enumerate(policy.stage)
        if (days := _days(stage)) is not None and stage.scope == "invoice"
    ]
    for (_, earlier, before), (number, stage, days) in pairwise(placed):
        if days < before:
            yield Finding(
                severity="warning",
                code="stage_order",
                path=("stage", number, "at"),
                message=f'stage "{stage.id}" stands after "{earlier.id}" but falls due before it',
                hint="write the stages softest first",
            )


def _overlaps(policy: Policy) -> Iterator[Finding]:
    for number, stage in enumerate(policy.stage):
        for other in policy.stage[:number]:
            if "remind" not in stage.do or "remind" not in other.do:
                continue
            same_day = stage.at == other.at and stage.scope == other.scope
            if same_day and not _apart(stage, other):
                yield Finding(
                    severity="warning",
                    code="overlap",
                    path=("stage", number, "at"),
                    message=f'stages "{other.id}" and "{stage.id}" remind of the same invoices '
                    f"on the same day ({stage.at}); only the later one is sent",
                    hint="part them by only, skip, when or another day",
                )


def _apart(one: Stage, other: Stage) -> bool:
    """Whether something keeps two stages from meeting on one invoice."""
    if set(one.only) & set(other.skip) or set(other.only) & set(one.skip):
        return True
    if one.only and other.only and not set(one.only) & set(other.only):
        return True
    return (one.when, one.unless) != (other.when, other.unless)


def _unreachable(policy: Policy) -> Iterator[Finding]:
    by_id = {stage.id: stage for stage in policy.stage}
    waits = {
        stage.id: {*stage.requires, *([stage.at.arg] if stage.at.anchor == "deadline" else [])}
        for stage in policy.stage
    }
    for number, stage in enumerate(policy.stage):
        path: tuple[PathPart, ...] = ("stage", number)
        if stage.id in _reached_from(stage.id, waits):
            yield Finding(
                severity="error",
                code="unreachable",
                path=path,
                message=f'stage "{stage.id}" is never reached: it waits for itself, through '
                + ", ".join(f'"{name}"' for name in sorted(waits[stage.id])),
                hint="take one requires out of the circle",
            )
        for name in sorted(waits[stage.id] & set(by_id)):
            needed = by_id[name]
            if stage.only and set(stage.only) <= set(needed.skip):
                yield Finding(
                    severity="error",
                    code="unreachable",
                    path=path,
                    message=f'stage "{stage.id}" is never reached: "{name}", which it requires, '
                    "skips all its segments",
                )
            own, theirs = _days(stage), _days(needed)
            if own is not None and theirs is not None and own < theirs:
                yield Finding(
                    severity="warning",
                    code="late_requirement",
                    path=path,
                    message=f'stage "{stage.id}" ({stage.at}) requires "{name}", which comes '
                    f"later ({needed.at})",
                )
        if set(stage.only) & set(stage.skip) and set(stage.only) <= set(stage.skip):
            yield Finding(
                severity="error",
                code="unreachable",
                path=path,
                message=f'stage "{stage.id}" is for segments that it skips',
            )
    if policy.stage and policy.stage[0].at.anchor == "previous":
        yield Finding(
            severity="error",
            code="unreachable",
            path=("stage", 0, "at"),
            message=f'stage "{policy.stage[0].id}" counts from the previous one, but is the first',
        )


def _reached_from(start: str, waits: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = list(waits[start])
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead.extend(waits.get(name, ()))
    return seen


def _formal_stages(policy: Policy) -> Iterator[Finding]:
    for number, stage in enumerate(policy.stage):
        if not stage.formal:
            continue
        path = ("stage", number)
        if not stage.requires:
            yield Finding(
                severity="warning",
                code="formal_without_requires",
                path=path,
                message=f'the formal stage "{stage.id}" requires no earlier stage: a customer '
                "could get it as the first word from you",
                hint="write requires = [...]",
            )
        if strictest(policy.mode, stage.mode) is Mode.AUTO:
            yield Finding(
                severity="warning",
                code="formal_auto",
                path=(*path, "mode"),
                message=f'the formal stage "{stage.id}" goes out without a person, where the book '
                "allows auto",
                hint='write mode = "approve"',
            )
        if "remind" in stage.do and stage.deadline is None:
            yield Finding(
                severity="warning",
                code="formal_without_deadline",
                path=path,
                message=f'the formal stage "{stage.id}" gives the customer no deadline',
                hint='write deadline = "14d"',
            )


def _tone(policy: Policy) -> Iterator[Finding]:
    firmest, by = -1, ""
    for number, stage in enumerate(policy.stage):
        path = ("stage", number, "template")
        if "remind" not in stage.do:
            if stage.template:
                yield Finding(
                    severity="warning",
                    code="unused_template",
                    path=path,
                    message=f'stage "{stage.id}" has a template but does not remind',
                )
            continue
        firmness = _FIRMNESS.get(stage.template)
        if firmness is None:
            continue
        days = _days(stage)
        wrong = ""
        if days is not None and days < 0 and firmness > 0:
            wrong = "speaks of an overdue invoice, but goes out before the due date"
        elif days is not None and days > 0 and firmness == 0:
            wrong = "speaks of an invoice that is not due yet, but goes out after the due date"
        elif stage.formal and firmness < 3:
            wrong = "is friendly, but the stage is formal"
        elif firmness == 4 and not stage.formal:
            wrong = "is a final notice, but the stage is not formal"
        elif firmness < firmest:
            wrong = f'is softer than that of the earlier stage "{by}"'
        if wrong:
            yield Finding(
                severity="warning",
                code="tone",
                path=path,
                message=f'template "{stage.template}" of stage "{stage.id}" {wrong}',
            )
        if firmness > firmest:
            firmest, by = firmness, stage.id


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


def _fees(policy: Policy) -> Iterator[Finding]:
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
        rate = annual_rate(fee)
        if fee.cap is None:
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


def annual_rate(fee: Fee) -> Decimal | None:
    """Effective percent a year of a fee that grows with time; None for one that does not.

    Simple interest is its own annual rate (the highest of dated ones); a monthly percentage
    counts twelve times, on a base that does not compound.
    """
    if fee.type == "interest":
        return max([row.annual for row in fee.rates], default=fee.annual_rate)
    if fee.type == "percent" and fee.per == "month" and fee.percent is not None:
        return fee.percent * 12
    return None


CHECKS: Final[tuple[Callable[[Policy], Iterator[Finding]], ...]] = (
    _empty,
    _stage_order,
    _overlaps,
    _unreachable,
    _formal_stages,
    _tone,
    _region,
    _contact,
    _fees,
)
