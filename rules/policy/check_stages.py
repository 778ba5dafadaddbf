"""Lint of the dunning procedure: order, overlaps, stages never reached, formality, tone."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from rules.policy.finding import Finding
from rules.policy.reading import PathPart
from rules.policy.schema import Policy
from rules.policy.stage import Stage
from rules.policy.values import Duration, Mode, strictest

_DAYS_PER_UNIT: Final[dict[str, float]] = {"h": 1 / 24, "d": 1, "bd": 1.4, "m": 30.4}

# How firm the bundled templates sound.
_FIRMNESS: Final[dict[str, int]] = {
    "before_due": 0,
    "overdue_1": 1,
    "overdue_2": 2,
    "overdue_3": 3,
    "final_notice": 4,
}


def _days(stage: Stage) -> float | None:
    """About how many days after the due date the stage falls due; None where that depends."""
    if stage.at.anchor not in ("due", "month_end_due", "month_end_shifted"):
        return None
    return stage.at.sign * _length(stage.at.offset)


def _length(duration: Duration | None) -> float:
    return duration.count * _DAYS_PER_UNIT[duration.unit] if duration else 0.0


def stage_order(policy: Policy) -> Iterator[Finding]:
    placed = [
        (number, stage, days)
        for scope in ("invoice", "customer")
        for number, stage in enumerate(policy.stage)
        if (days := _days(stage)) is not None and stage.scope == scope
    ]
    for (_, earlier, before), (number, stage, days) in pairwise(placed):
        if stage.scope != earlier.scope:
            continue
        if days < before:
            yield Finding(
                severity="warning",
                code="stage_order",
                path=("stage", number, "at"),
                message=f'stage "{stage.id}" stands after "{earlier.id}" but falls due before it',
                hint="write the stages softest first",
            )


def early_accounts(policy: Policy) -> Iterator[Finding]:
    """A stage of the account before anything is overdue: its run has not begun then."""
    for number, stage in enumerate(policy.stage):
        days = _days(stage)
        if stage.scope == "customer" and days is not None and days <= 0:
            yield Finding(
                severity="warning",
                code="early_account_stage",
                path=("stage", number, "at"),
                message=f'stage "{stage.id}" is about the whole account and falls due before '
                "anything is overdue; it waits for the day after the due date",
                hint='write at = "due + 1d" or later',
            )


def overlaps(policy: Policy) -> Iterator[Finding]:
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


def unreachable(policy: Policy) -> Iterator[Finding]:
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


def formal_stages(policy: Policy) -> Iterator[Finding]:
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


def hand_offs(policy: Policy) -> Iterator[Finding]:
    """Stages that hand over what the customer had no notice of."""
    formal = {name for stage in policy.stage if stage.formal for name in (stage.id, *stage.was)}
    for number, stage in enumerate(policy.stage):
        is_told = bool(policy.hand_off.notice) or not formal.isdisjoint(stage.requires)
        if "hand_off" in stage.do and not is_told:
            yield Finding(
                severity="warning",
                code="hand_off_without_notice",
                path=("stage", number, "do"),
                message=f'stage "{stage.id}" hands over to an agency or a lawyer, and no stage '
                "gives the customer notice of it",
                hint='name the stage that does: [hand_off] notice = "final-notice"',
            )


_SENDING: Final = frozenset({"thank", "statement", "offer_plan", "acknowledge"})
"""What sends a message besides reminders."""


def tone(policy: Policy) -> Iterator[Finding]:
    firmest, by = -1, ""
    for number, stage in enumerate(policy.stage):
        path = ("stage", number, "template")
        if "remind" not in stage.do:
            if stage.template and not _SENDING.intersection(stage.do):
                yield Finding(
                    severity="warning",
                    code="unused_template",
                    path=path,
                    message=f'stage "{stage.id}" has a template but does not remind',
                )
            continue
        if stage.template == "payment_returned" and stage.at.anchor != "returned":
            yield Finding(
                severity="warning",
                code="tone",
                path=path,
                message=f'template "{stage.template}" of stage "{stage.id}" speaks of a payment '
                "that came back, but the stage is for something else",
                hint='write at = "returned", or name another template',
            )
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
