"""Conditions: tables of facts, compiled once and asked for every invoice.

A table is all-of, a list of tables any-of. Values: exact, a list (one of), a comparison such as
`">= 20"`, a range `"10..20"` with both ends included, true or false. Text compares without
regard to case; a list fact (tags) holds when it contains one of the words. A fact that is not
known (None) makes its test fail.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from rules.model.money import format_minor
from rules.policy.fact_tests import (
    AllOf,
    AnyOf,
    Compares,
    ComparesAmount,
    Contains,
    FactTest,
    Is,
    IsOneOf,
    Number,
)
from rules.policy.facts import FACTS, Fact
from rules.policy.reading import (
    Misread,
    Misreads,
    PathPart,
    Value,
    did_you_mean,
    exact_number,
    nearest,
    plain_decimal,
    shown,
)

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_COMPARISON = re.compile(r"(>=|<=|=>|=<|==|!=|>|<|=)\s*(.*)")
_RANGE = re.compile(r"(.+?)\s*\.\.\s*(.+)")
_DIGITS = range(5)

CONDITIONS_MARK: Final = "x-conditions"
"""Stands in the JSON Schema of a policy where a condition may stand."""


class Conditions(Value, frozen=True):
    """Compiled conditions: any of the groups, and within a group every test."""

    groups: tuple[tuple[FactTest, ...], ...]

    @classmethod
    def parse(cls, value: object) -> "Conditions":
        if isinstance(value, dict):
            tables: list[tuple[tuple[PathPart, ...], Any]] = [((), value)]
        elif isinstance(value, list) and value:
            tables = [((position,), table) for position, table in enumerate(value)]
        else:
            raise Misread(
                f"{shown(value)} is not a condition", 'write { invoice_balance = ">= 20" }'
            )
        problems: list[Misread] = []
        groups = [_group(path, table, problems) for path, table in tables]
        if problems:
            raise Misreads(problems)
        return cls(tuple(groups))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """A mark: what a table of facts may hold is said once for all of them."""
        del schema, handler
        return {CONDITIONS_MARK: True}

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether one of the groups holds altogether."""
        for group in self.groups:
            for test in group:
                if not test.passes(facts):
                    break
            else:
                return True
        return False

    def failing(self, facts: Mapping[str, Any]) -> tuple[str, ...]:
        """Sentences on why it does not hold, of the group that comes nearest; none if it holds."""
        if self.holds(facts):
            return ()
        failed = [[test for test in group if not test.passes(facts)] for group in self.groups]
        return tuple(
            f"{test.fact} is {_told(test.fact, facts)}, not {test.words}"
            for test in min(failed, key=len)
        )

    def holding(self, facts: Mapping[str, Any]) -> tuple[str, ...]:
        """Sentences on why it holds (for `unless`), of the first group that does; else none."""
        for group in self.groups:
            if all(test.passes(facts) for test in group):
                return tuple(f"{test.fact} is {_told(test.fact, facts)}" for test in group)
        return ()

    @property
    def facts(self) -> frozenset[str]:
        """Names of the facts that are needed; `currency` is among them where amounts are."""
        names = {test.fact for group in self.groups for test in group}
        if any(FACTS[name].type == "amount" for name in names):
            names.add("currency")
        return frozenset(names)

    def plain(self) -> Any:
        tables = [
            {
                test.fact: list(test.plain) if isinstance(test.plain, tuple) else test.plain
                for test in group
            }
            for group in self.groups
        ]
        return tables[0] if len(tables) == 1 else tables

    def __str__(self) -> str:
        return " or ".join(
            " and ".join(f"{test.fact} is {test.words}" for test in group) for group in self.groups
        )


def _told(name: str, facts: Mapping[str, Any]) -> str:
    value = facts[name]
    if value is None:
        return "not known"
    if FACTS[name].type == "amount":
        return f"{format_minor(value, facts['currency'])} {facts['currency']}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value) or "empty"
    return ", ".join(value) or "empty"


def _group(
    path: tuple[PathPart, ...], table: object, problems: list[Misread]
) -> tuple[FactTest, ...]:
    if not isinstance(table, dict) or not table:
        problems.append(
            Misread(f"{shown(table)} is not a condition", 'write { tags = "vip" }', path)
        )
        return ()
    tests = []
    for name, value in table.items():
        fact = FACTS.get(name)
        if fact is None:
            problems.append(Misread(f'unknown fact "{name}"', _fact_hint(name), (*path, name)))
            continue
        try:
            tests.append(_test(fact, value))
        except Misread as trouble:
            problems.append(Misread(trouble.message, trouble.hint, (*path, name)))
    return tuple(tests)


def _fact_hint(name: str) -> str:
    if name == "unless":
        return '"unless" stands beside "when", not inside it'
    close = nearest(name, FACTS)
    if close:
        return f'did you mean "{close}"?'
    some = ", ".join(("invoice_balance", "days_past_due", "tags", "country"))
    return f"known facts are {some} and {len(FACTS) - 4} more: ar-bridge policy schema lists them"


def _test(fact: Fact, value: object) -> FactTest:
    if fact.type == "flag":
        if not isinstance(value, bool):
            raise Misread(
                f"{fact.name} is yes or no, not {shown(value)}",
                f"write {fact.name} = true or {fact.name} = false",
            )
        return Is(fact.name, value, "true" if value else "false", value)
    values = value if isinstance(value, list) else [value]
    if not values:
        raise Misread(f"{fact.name} is asked to be one of nothing", f"write it like {fact.example}")
    if fact.type in ("amount", "number"):
        tests = [_numeric(fact, one) for one in values]
        if len(tests) == 1:
            return tests[0]
        plain = tuple(one.plain for one in tests)
        return AnyOf(
            fact.name, plain, "one of " + _listed(test.words for test in tests), tuple(tests)
        )
    words = [_word(fact, one) for one in values]
    wanted = frozenset(word.casefold() for word in words)
    told = (words[0] or "empty") if len(words) == 1 else "one of " + _listed(words)
    plain_words = words[0] if len(words) == 1 else tuple(words)
    kind = Contains if fact.type == "tags" else IsOneOf
    return kind(fact.name, plain_words, told, wanted)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _word(fact: Fact, value: object) -> str:
    if not isinstance(value, str):
        raise Misread(
            f"{fact.name} is {'a list of words' if fact.type == 'tags' else 'text'}, "
            f"not {shown(value)}",
            f'write {fact.name} = "{value}", in quotes'
            if isinstance(value, int | float)
            else f"write it like {fact.example}",
        )
    if _COMPARISON.fullmatch(value):
        raise Misread(
            f"{fact.name} is text and cannot be compared by {shown(value)}",
            f"name the values, such as {fact.example}, or use unless",
        )
    if fact.choices and value not in fact.choices:
        raise Misread(f'{fact.name} is never "{value}"', did_you_mean(value, fact.choices))
    return value


def _numeric(fact: Fact, value: object) -> FactTest:
    if isinstance(value, str):
        if found := _COMPARISON.fullmatch(value.strip()):
            return _comparison(fact, value, found[1], found[2])
        if found := _RANGE.fullmatch(value.strip()):
            return _between(fact, value, found[1], found[2])
    number = _number(fact, value)
    text = plain_decimal(number)
    return _compares(fact, text, text, operator.eq, number)


def _comparison(fact: Fact, value: str, sign: str, text: str) -> FactTest:
    if sign not in _COMPARE:
        swapped = sign[::-1]
        hint = (
            f'did you mean "{swapped} {text}"?'
            if swapped in _COMPARE
            else "use unless"
            if sign == "!="
            else f'did you mean "{text}"?'
        )
        raise Misread(f'"{sign}" is not a comparison', hint)
    number = _number(fact, text)
    plain = f"{sign} {plain_decimal(number)}"
    return _compares(fact, plain, plain, _COMPARE[sign], number)


def _between(fact: Fact, value: str, first: str, last: str) -> FactTest:
    low, high = _number(fact, first), _number(fact, last)
    if high < low:
        raise Misread(f'"{value}" is an empty range', f'did you mean "{high}..{low}"?')
    plain = f"{plain_decimal(low)}..{plain_decimal(high)}"
    ends = (
        _compares(fact, plain, plain, operator.ge, low),
        _compares(fact, plain, plain, operator.le, high),
    )
    return AllOf(fact.name, plain, plain, ends)


def _number(fact: Fact, value: object) -> Decimal:
    try:
        return exact_number(value)
    except (Misread, InvalidOperation):
        raise Misread(
            f"{fact.name} is {'an amount' if fact.type == 'amount' else 'a number'}, "
            f"not {shown(value)}",
            f'write it like {fact.example}, or 20, or "10..20"'
            + (f" ({fact.unit} as plain numbers)" if fact.type == "number" and fact.unit else ""),
        ) from None


def _compares(
    fact: Fact, plain: str, words: str, compare: Callable[[Any, Any], bool], number: Decimal
) -> FactTest:
    if fact.type == "number":
        return Compares(fact.name, plain, words, compare, _slim(number))
    limits = tuple(_slim(number.scaleb(digits)) for digits in _DIGITS)
    return ComparesAmount(fact.name, plain, words, compare, limits)


def _slim(number: Decimal) -> Number:
    """A whole number as int, because ints compare several times faster."""
    return int(number) if number == number.to_integral_value() else number
