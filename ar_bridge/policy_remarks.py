"""What there is to remark on a policy: its rules, its message templates, its holidays.

The rules check themselves; whether a template or a holiday calendar exists only shows here.
"""

from collections.abc import Iterator
from typing import Final

from ar_bridge.holiday_sets import UnknownRegionError, region_advice
from ar_bridge.messages.lint import lint
from ar_bridge.messages.templates import Templates
from rules.policy.check import check
from rules.policy.finding import Finding
from rules.policy.reading import PathPart, did_you_mean
from rules.policy.schema import Policy
from rules.policy_test_lint import findings_of_tests

_ORDER: Final = ("error", "warning", "info")


def remarks(policy: Policy, templates: Templates) -> tuple[Finding, ...]:
    """Everything there is to remark, errors first."""
    found = [
        *check(policy),
        *findings_of_tests(policy),
        *missing(policy, templates),
        *_own_templates(policy, templates),
    ]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.severity)))


def missing(policy: Policy, templates: Templates) -> Iterator[Finding]:
    """Templates and holidays that the policy names and that are nowhere."""
    known = templates.names()
    for path, name in _named(policy):
        if name not in known:
            yield Finding(
                severity="error",
                code="unknown_template",
                path=path,
                message=f'there is no message template "{name}", so nothing would be sent',
                hint=did_you_mean(name, known),
            )
    try:
        region_advice(policy.calendar.region)
    except UnknownRegionError as unknown:
        yield Finding(
            severity="error",
            code="unknown_region",
            path=("calendar", "region"),
            message=unknown.message,
            hint=unknown.remedy,
        )


def _named(policy: Policy) -> Iterator[tuple[tuple[PathPart, ...], str]]:
    for number, stage in enumerate(policy.stage):
        if stage.template:
            yield ("stage", number, "template"), stage.template
    for number, statement in enumerate(policy.statement):
        yield ("statement", number, "template"), statement.template
    if policy.discount is not None and policy.discount.offer_after is not None:
        yield ("discount", "template"), policy.discount.template
    if policy.credit is not None and policy.credit.deposit is not None:
        yield ("credit", "deposit", "template"), policy.credit.deposit.template


def _own_templates(policy: Policy, templates: Templates) -> Iterator[Finding]:
    """What is wrong with the operator's own words."""
    formal = [stage.template for stage in policy.stage if stage.formal]
    for problem in lint(templates.directories, formal=formal):
        yield Finding(
            severity="warning",
            code="template",
            message=f"{problem.file}:{problem.line}: {problem.message}",
            hint=problem.hint,
        )
