"""One fact against what it is asked to be: the smallest pieces of a condition, compiled."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from rules.model.money import currency_digits

Number: TypeAlias = int | Decimal


class FactTest(msgspec.Struct, frozen=True):
    """One fact against what it is asked to be. `plain` is the value as written."""

    fact: str
    plain: Any
    words: str

    def passes(self, facts: Mapping[str, Any]) -> bool:
        """Whether the fact is as asked. Raises KeyError when the caller did not supply it."""
        raise NotImplementedError


class Compares(FactTest, frozen=True):
    compare: Callable[[Any, Any], bool]
    limit: Number

    def passes(self, facts: Mapping[str, Any]) -> bool:
        value = facts[self.fact]
        return value is not None and self.compare(value, self.limit)


class ComparesAmount(FactTest, frozen=True):
    compare: Callable[[Any, Any], bool]
    limits: tuple[Number, ...]
    """The threshold in minor units, for currencies of 0, 1, 2, 3 and 4 decimals."""

    def passes(self, facts: Mapping[str, Any]) -> bool:
        value = facts[self.fact]
        return value is not None and self.compare(
            value, self.limits[currency_digits(facts["currency"])]
        )


class AllOf(FactTest, frozen=True):
    """Both ends of a range."""

    parts: tuple[FactTest, ...]

    def passes(self, facts: Mapping[str, Any]) -> bool:
        return all(part.passes(facts) for part in self.parts)


class AnyOf(FactTest, frozen=True):
    """One of several amounts or numbers."""

    parts: tuple[FactTest, ...]

    def passes(self, facts: Mapping[str, Any]) -> bool:
        return any(part.passes(facts) for part in self.parts)


class IsOneOf(FactTest, frozen=True):
    wanted: frozenset[str]

    def passes(self, facts: Mapping[str, Any]) -> bool:
        value = facts[self.fact]
        return value is not None and value.casefold() in self.wanted


class Contains(FactTest, frozen=True):
    wanted: frozenset[str]

    def passes(self, facts: Mapping[str, Any]) -> bool:
        tags = facts[self.fact]
        return bool(tags) and any(tag.casefold() in self.wanted for tag in tags)


class Is(FactTest, frozen=True):
    wanted: bool

    def passes(self, facts: Mapping[str, Any]) -> bool:
        return facts[self.fact] is self.wanted
