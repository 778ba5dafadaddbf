"""Whom a stage, a fee or a statement is for: segments, and conditions that hold on the day."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from rules.policy.conditions import Conditions
from rules.steps import Members


class Selective(Protocol):
    """What is for some customers and invoices only: a stage, a fee, a statement."""

    @property
    def only(self) -> tuple[str, ...]: ...
    @property
    def skip(self) -> tuple[str, ...]: ...
    @property
    def when(self) -> Conditions | None: ...
    @property
    def unless(self) -> Conditions | None: ...


def is_selected(rule: Selective, segments: Mapping[str, Members], facts: Mapping[str, Any]) -> bool:
    """Whether `only` and `skip` let the rule be for these facts."""
    only, skip = rule.only, rule.skip
    if only and not in_any(only, segments, facts):
        return False
    return not skip or not in_any(skip, segments, facts)


def in_any(names: Iterable[str], segments: Mapping[str, Members], facts: Mapping[str, Any]) -> bool:
    """Whether one of the segments holds."""
    for name in names:
        segment = segments.get(name)
        if segment is not None and _holds(segment, facts):
            return True
    return False


def unmet(rule: Selective, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Why `when` or `unless` keeps the rule back; empty when they let it go."""
    when, unless = rule.when, rule.unless
    if when is not None and not when.holds(facts):
        return when.failing(facts)
    if unless is not None and unless.holds(facts):
        return unless.holding(facts)
    return ()


def _holds(segment: Members, facts: Mapping[str, Any]) -> bool:
    if segment.when is not None and not segment.when.holds(facts):
        return False
    return segment.unless is None or not segment.unless.holds(facts)
