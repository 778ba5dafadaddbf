"""Lint of keys that say nothing where they stand, and of tests that cannot fail."""

from collections.abc import Iterator
from typing import Final

from rules.policy.finding import Finding
from rules.policy.schema import Policy
from rules.policy.values import Duration

_MESSAGES: Final = frozenset({"remind", "thank", "statement", "offer_plan", "acknowledge"})
_TASKS: Final = frozenset({"task", "call", "notify", "hand_off", "propose_write_off"})

_NEEDED: Final[dict[str, tuple[frozenset[str], str]]] = {
    "attach": (_MESSAGES, "sends no message"),
    "channels": (_MESSAGES, "sends no message"),
    "fallback": (_MESSAGES, "sends no message"),
    "to": (_MESSAGES, "sends no message"),
    "cc": (_MESSAGES, "sends no message"),
    "signed_by": (_MESSAGES, "sends no message"),
    "plan": (frozenset({"offer_plan"}), "offers no instalments"),
    "script": (_TASKS, "gives nobody a task or a call"),
    "due_in": (_TASKS, "gives nobody a task or a call"),
}
"""By key: what the stage has to do for it to say something, and what it does not do otherwise."""


def unused_keys(policy: Policy) -> Iterator[Finding]:
    """Keys of a stage that nothing acts on."""
    for number, stage in enumerate(policy.stage):
        for key in sorted(stage.model_fields_set & set(_NEEDED)):
            verbs, lacks = _NEEDED[key]
            if getattr(stage, key) and not verbs.intersection(stage.do):
                yield Finding(
                    severity="warning",
                    code="unused_key",
                    path=("stage", number, key),
                    message=f'{key} says nothing: stage "{stage.id}" {lacks}',
                    hint="leave it out, or add to do: " + " or ".join(sorted(verbs)),
                )


def segments_of_everybody(policy: Policy) -> Iterator[Finding]:
    """A group without a condition."""
    for number, segment in enumerate(policy.segment):
        if segment.when is None and segment.unless is None:
            yield Finding(
                severity="warning",
                code="segment_of_everybody",
                path=("segment", number),
                message=f'segment "{segment.name}" has no condition, so everybody belongs to it',
                hint='write when = { tags = "..." }',
            )


def discount(policy: Policy) -> Iterator[Finding]:
    """A discount that nobody hears of in time."""
    rule = policy.discount
    if rule is None:
        return
    late = rule.offer_after
    if late is not None and _is_longer(late, rule.within):
        yield Finding(
            severity="error",
            code="discount_offered_late",
            path=("discount", "offer_after"),
            message=f"the discount ends {rule.within.words} after the invoice and is offered "
            f"{late.words} after it: it is never offered",
            hint=f"write less than {rule.within}",
        )
    if late is None and not rule.offer_in:
        yield Finding(
            severity="warning",
            code="discount_not_offered",
            path=("discount",),
            message="no message offers the discount; it is only credited where it is taken",
            hint='write offer_after = "1d" or offer_in = [...], unless your invoices say it',
        )


def _is_longer(one: Duration, other: Duration) -> bool:
    return one.unit == other.unit and one.count > other.count


def empty_tests(policy: Policy) -> Iterator[Finding]:
    """A test that passes whatever is decided."""
    for number, test in enumerate(policy.test):
        if test.actions is None and not test.skips:
            yield Finding(
                severity="warning",
                code="test_expects_nothing",
                path=("test", number),
                message=f'the test "{test.name}" expects nothing, so it never fails',
                hint="write actions = [] where nothing may happen",
            )
