"""Lists as Xero gives them: `where`, `order`, `page`, `pageSize`, If-Modified-Since."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import msgspec

from connectors.sandbox.http import Request
from connectors.sandbox.xero.spelling import read_since

DEFAULT_PAGE: Final = 100
MOST: Final = 1000

_T = TypeVar("_T")


class QueryError(ValueError):
    """The query cannot be answered; the text is Xero's."""


Columns = Mapping[str, Callable[[_T], Any]]


class Slice(msgspec.Struct, Generic[_T], frozen=True):
    """The rows of one answer. `pagination` is None where the client asked for no page."""

    rows: list[_T]
    pagination: dict[str, int] | None = None

    @property
    def is_paged(self) -> bool:
        return self.pagination is not None


def matching(
    request: Request,
    rows: Iterable[_T],
    columns: Columns[_T],
    updated: Callable[[_T], datetime],
    *,
    key: str,
    is_since_ignored: bool = False,
) -> list[_T]:
    """Filter and sort. Without `order` rows come by `key`. Raises QueryError."""
    found = list(rows)
    since = read_since(request.header("if-modified-since"))
    if since is not None and not is_since_ignored:
        found = [row for row in found if updated(row) >= since]
    for test in _where(request.param("where"), columns):
        found = [row for row in found if test(row)]
    by, is_falling = _order(request.param("order"), columns, key)
    found.sort(key=columns[key])
    if by != key or is_falling:
        found.sort(key=lambda row: _sortable(columns[by](row)), reverse=is_falling)
    return found


def cut(request: Request, found: list[_T]) -> Slice[_T]:
    """The page that is asked for. Raises QueryError."""
    if not request.param("page"):
        return Slice(found)
    page, size = _whole(request, "page", 1), _whole(request, "pageSize", DEFAULT_PAGE)
    size = min(size, MOST)
    return Slice(
        found[(page - 1) * size : page * size],
        {
            "page": page,
            "pageSize": size,
            "pageCount": -(-len(found) // size),
            "itemCount": len(found),
        },
    )


def values(request: Request, name: str) -> list[str]:
    """A comma-separated parameter; empty where it is not given."""
    return [part.strip() for part in request.param(name).split(",") if part.strip()]


def _whole(request: Request, name: str, default: int) -> int:
    text = request.param(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise QueryError(f"The {name} parameter {text!r} is not valid")
    return int(text)


def _order(text: str, columns: Columns[_T], key: str) -> tuple[str, bool]:
    if not text.strip():
        return key, False
    name, _, direction = text.strip().partition(" ")
    found = _column(name, columns)
    if direction.strip().upper() not in ("", "ASC", "DESC"):
        raise QueryError(f"The order {text!r} is not valid")
    return found, direction.strip().upper() == "DESC"


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _column(name: str, columns: Columns[_T]) -> str:
    for known in columns:
        if known.lower() == name.lower():
            return known
    raise QueryError(f"No property or field '{name}' exists")


_CLAUSE = re.compile(
    r"""\s*(?P<field>[A-Za-z.]+?)
    (?:\s*(?P<op>==|!=|>=|<=|>|<|=)\s*(?P<value>"[^"]*"|[^\s"]+\([^)]*\)|[^\s&"]+)
    |\.(?P<method>StartsWith|EndsWith|Contains)\(\s*"(?P<text>[^"]*)"\s*\))\s*""",
    re.X,
)
_AND = re.compile(r"(?:AND\b|&&)\s*", re.I)


def _where(text: str, columns: Columns[_T]) -> list[Callable[[_T], bool]]:
    """Clauses joined by AND. Xero also knows OR and brackets; here they are refused."""
    tests: list[Callable[[_T], bool]] = []
    position = 0
    while position < len(text):
        match = _CLAUSE.match(text, position)
        if match is None:
            raise QueryError(f"Syntax error in the where clause at {text[position:]!r}")
        tests.append(_test(match, columns))
        position = match.end()
        if position < len(text):
            joint = _AND.match(text, position)
            if joint is None:
                raise QueryError(f"Syntax error in the where clause at {text[position:]!r}")
            position = joint.end()
    return tests


def _test(match: re.Match[str], columns: Columns[_T]) -> Callable[[_T], bool]:
    of = columns[_column(match["field"], columns)]
    if match["method"]:
        wanted = match["text"]
        method = {"StartsWith": "startswith", "EndsWith": "endswith", "Contains": "__contains__"}[
            match["method"]
        ]
        return lambda row: bool(getattr(str(of(row) or ""), method)(wanted))
    value = _literal(match["value"])
    compare = _COMPARE[match["op"]]

    def test(row: _T) -> bool:
        found = of(row)
        if found is None or value is None:
            return bool(compare(found is None, value is None)) if match["op"] in _EQUALS else False
        try:
            return bool(compare(found, value))
        except TypeError:
            raise QueryError(
                f"Operator '{match['op']}' incompatible with the field {match['field']}"
            ) from None

    return test


_EQUALS = ("==", "=", "!=")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}


def _literal(text: str) -> Any:
    if text.startswith('"'):
        return text[1:-1]
    lowered = text.lower()
    if lowered in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[lowered]
    call = re.fullmatch(r"(\w+)\((.*)\)", text)
    try:
        if call is not None and call[1].lower() == "guid":
            return call[2].strip().strip('"').lower()
        if call is not None and call[1].lower() == "datetime":
            year, month, day = (int(part) for part in call[2].split(",")[:3])
            return date(year, month, day)
        return Decimal(text)
    except (ValueError, ArithmeticError):
        raise QueryError(f"Syntax error in the where clause at {text!r}") from None
