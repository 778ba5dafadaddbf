"""QuickBooks' query language: the documented subset, and nothing that merely seems to work.

SELECT * | COUNT(*) FROM Entity [WHERE field op value [AND ...]] [ORDERBY field [ASC|DESC], ...]
[STARTPOSITION n] [MAXRESULTS n]; operators = < > <= >= IN LIKE; no OR, no joins, no IS NULL.
Source: Intuit, "Data queries".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

import msgspec

from connectors.sandbox.quickbooks.faults import QuickBooksFault

FieldType: TypeAlias = Literal["id", "text", "number", "date", "time", "flag"]
Accessor: TypeAlias = Callable[[Any], Any]
Fields: TypeAlias = Mapping[str, tuple[FieldType, Accessor]]
"""Filterable fields by lower-case name: type, and how to read a row. A tuple means any of."""

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|=|<|>|\(|\)|,|\*))",
    re.DOTALL,
)
_OPERATORS = frozenset({"=", "<", ">", "<=", ">=", "IN", "LIKE"})
_CLAUSES = frozenset({"WHERE", "AND", "ORDERBY", "ORDER", "STARTPOSITION", "MAXRESULTS"})


class Condition(msgspec.Struct, frozen=True):
    field: str
    operator: str
    values: tuple[str, ...]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A select statement, read but not yet checked against an entity's fields."""

    entity: str
    is_count: bool = False
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    """(field, descending)."""
    start: int = 1
    size: int = DEFAULT_PAGE


def parse_query(text: str) -> Query:
    """Read a statement. Raises QuickBooksFault 4000 for syntax and 4001 for impossible paging."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise _unread(stripped[at:].strip()[:20])
        kind = str(match.lastgroup)
        tokens.append((kind, match.group(kind)))
        at = match.end()
    return tokens


def _unread(found: str) -> QuickBooksFault:
    return QuickBooksFault("4000", f'QueryParserError: Encountered " {found} "')


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "<EOF>")
        return text.upper() if kind == "word" else text

    def _take(self, *kinds: str) -> str:
        if self._at >= len(self._tokens):
            raise _unread("<EOF>")
        kind, text = self._tokens[self._at]
        if kind not in kinds:
            raise _unread(text)
        self._at += 1
        return text

    def _expect(self, word: str) -> None:
        if self._peek() != word:
            raise _unread(self._peek())
        self._at += 1

    def query(self) -> Query:
        self._expect("SELECT")
        is_count = self._peek() == "COUNT"
        if is_count:
            for sign in ("COUNT", "(", "*", ")"):
                self._expect(sign)
        else:
            self._expect("*")
        self._expect("FROM")
        entity = self._take("word")
        conditions = self._conditions()
        order = self._order()
        start = self._number("STARTPOSITION", 1)
        size = self._number("MAXRESULTS", DEFAULT_PAGE)
        if self._at < len(self._tokens):
            raise _unread(self._tokens[self._at][1])
        if start < 1:
            raise QuickBooksFault("4001", f"QueryValidationError: STARTPOSITION {start} is below 1")
        if not 1 <= size <= LARGEST_PAGE:
            raise QuickBooksFault(
                "4001",
                f"QueryValidationError: value {size} is too large. Max allowed value is "
                f"{LARGEST_PAGE}.",
            )
        return Query(
            entity=entity,
            is_count=is_count,
            conditions=conditions,
            order=order,
            start=start,
            size=size,
        )

    def _conditions(self) -> tuple[Condition, ...]:
        if self._peek() != "WHERE":
            return ()
        found: list[Condition] = []
        joint = "WHERE"
        while self._peek() == joint:
            self._at += 1
            found.append(self._condition())
            joint = "AND"
        return tuple(found)

    def _condition(self) -> Condition:
        field = self._take("word")
        operator = self._take("sign", "word").upper()
        if operator not in _OPERATORS:
            raise _unread(operator)
        if operator != "IN":
            return Condition(field, operator, (self._value(),))
        self._expect("(")
        values = [self._value()]
        while self._peek() == ",":
            self._at += 1
            values.append(self._value())
        self._expect(")")
        return Condition(field, operator, tuple(values))

    def _value(self) -> str:
        text = self._take("text", "number", "word")
        if text.startswith("'"):
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if text.lower() in ("true", "false") or text[0] in "-0123456789":
            return text
        raise _unread(text)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if self._peek() == "ORDERBY":
            self._at += 1
        elif self._peek() == "ORDER":
            self._at += 1
            self._expect("BY")
        else:
            return ()
        found: list[tuple[str, bool]] = []
        while True:
            field = self._take("word")
            if field.upper() in _CLAUSES:
                raise _unread(field)
            descending = self._peek() == "DESC"
            if self._peek() in ("ASC", "DESC"):
                self._at += 1
            found.append((field, descending))
            if self._peek() != ",":
                return tuple(found)
            self._at += 1

    def _number(self, word: str, default: int) -> int:
        if self._peek() != word:
            return default
        self._at += 1
        text = self._take("number")
        if not text.isdigit():
            raise _unread(text)
        return int(text)


def select_rows(query: Query, rows: Iterable[Any], fields: Fields) -> list[Any]:
    """The rows that match, ordered; paging is the caller's. Raises QuickBooksFault 4001."""
    found = list(rows)
    for condition in query.conditions:
        test = _test(condition, fields, query.entity)
        found = [row for row in found if test(row)]
    for name, descending in reversed(query.order):
        kind, read = _field(name, fields, query.entity)
        found.sort(key=_sort_key(kind, read), reverse=descending)
    return found


def _field(name: str, fields: Fields, entity: str) -> tuple[FieldType, Accessor]:
    known = fields.get(name.lower())
    if known is None:
        raise QuickBooksFault(
            "4001", f"QueryValidationError: property {name} of {entity} is not queryable"
        )
    return known


def _sort_key(kind: FieldType, read: Accessor) -> Accessor:
    if kind == "id":
        return lambda row: int(read(row))
    return lambda row: (read(row) is not None, read(row) or _FIRST[kind])


_FIRST: dict[str, Any] = {
    "text": "",
    "number": Decimal(0),
    "date": date.min,
    "time": 0,
    "flag": False,
}


def _test(condition: Condition, fields: Fields, entity: str) -> Callable[[Any], bool]:
    kind, read = _field(condition.field, fields, entity)
    operator = condition.operator
    if operator == "LIKE":
        if kind not in ("text", "id"):
            raise _no_literal(condition, "LIKE needs text")
        return _like(condition.values[0], read)
    wanted = [_literal(kind, value, condition) for value in condition.values]
    compare = _COMPARE[operator]

    def test(row: Any) -> bool:
        value = read(row)
        for one in value if isinstance(value, tuple) else (value,):
            if one is None:
                continue
            if kind == "text":
                one = one.casefold()
            elif kind == "id":
                one = int(one)
            if compare(one, wanted):
                return True
        return False

    return test


_COMPARE: dict[str, Callable[[Any, list[Any]], bool]] = {
    "=": lambda value, wanted: bool(value == wanted[0]),
    "<": lambda value, wanted: bool(value < wanted[0]),
    ">": lambda value, wanted: bool(value > wanted[0]),
    "<=": lambda value, wanted: bool(value <= wanted[0]),
    ">=": lambda value, wanted: bool(value >= wanted[0]),
    "IN": lambda value, wanted: value in wanted,
}


def _like(pattern: str, read: Accessor) -> Callable[[Any], bool]:
    parts = (re.escape(part) for part in pattern.split("%"))
    expression = re.compile(".*".join(parts), re.DOTALL | re.IGNORECASE)

    def test(row: Any) -> bool:
        value = read(row)
        values = value if isinstance(value, tuple) else (value,)
        return any(one is not None and expression.fullmatch(one) for one in values)

    return test


def _literal(kind: FieldType, text: str, condition: Condition) -> Any:
    try:
        if kind == "id":
            return int(text)
        if kind == "number":
            return Decimal(text)
        if kind == "date":
            return date.fromisoformat(text)
        if kind == "flag":
            return {"true": True, "false": False}[text.lower()]
        if kind == "time":
            at = datetime.fromisoformat(text)
            # A time without offset is the company's; none of ours is sent so.
            return at.timestamp() if at.tzinfo else datetime.fromisoformat(text + "Z").timestamp()
        return text.casefold()
    except (ValueError, KeyError, InvalidOperation):
        raise _no_literal(condition, f"{text!r} is no {kind}") from None


def _no_literal(condition: Condition, why: str) -> QuickBooksFault:
    return QuickBooksFault("4001", f"QueryValidationError: {condition.field}: {why}")
