"""Which facts a policy asks for: what is costly to know is loaded only where it is asked."""

from collections.abc import Iterator

from rules.policy.conditions import Conditions
from rules.policy.facts import REMEMBERED
from rules.policy.schema import Policy
from rules.policy.section import Section


def facts_asked(policy: Policy) -> frozenset[str]:
    """Names of all facts in the conditions of a policy, wherever they stand."""
    return frozenset(name for found in _conditions(policy) for name in found.facts)


def asks_how_customers_pay(policy: Policy) -> bool:
    """Whether a condition needs invoices that were paid long ago."""
    return not REMEMBERED.isdisjoint(facts_asked(policy))


def _conditions(value: object) -> Iterator[Conditions]:
    if isinstance(value, Conditions):
        yield value
    elif isinstance(value, Section):
        for name in type(value).model_fields:
            yield from _conditions(getattr(value, name))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _conditions(part)
