"""What was once rendered or filtered, kept while nothing in it changes."""

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from connectors.sandbox.http import Request, encoded
from connectors.sandbox.ledger import Ledger

_T = TypeVar("_T")
_WALKS: Final = 16
_PAGING: Final = frozenset({"page", "pageSize"})


class Kept:
    """Rows as bytes by their state, and the matching rows of a walk through pages."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows: dict[tuple[str, str], tuple[Hashable, bytes]] = {}
        self._walks: dict[Hashable, tuple[int, list[Any]]] = {}
        self._sums: tuple[Hashable, dict[str, int]] = (None, {})

    def row(
        self, kind: str, key: str, state: Hashable, render: Callable[[], dict[str, Any]]
    ) -> bytes:
        """A row as JSON; `state` is everything that shows in it."""
        kept = self._rows.get((kind, key))
        if kept is not None and kept[0] == state:
            return kept[1]
        content = encoded(render())
        self._rows[kind, key] = (state, content)
        return content

    def walk(self, name: str, request: Request, find: Callable[[], list[_T]]) -> list[_T]:
        """The rows that match a request, whatever page of them it asks for."""
        query = tuple(part for part in request.query if part[0] not in _PAGING)
        asked = (name, query, request.header("if-modified-since"))
        kept = self._walks.get(asked)
        if kept is not None and kept[0] == self._ledger.changes:
            return kept[1]
        found = find()
        if len(self._walks) >= _WALKS:
            self._walks.clear()
        self._walks[asked] = (self._ledger.changes, found)
        return found

    def overdue(self, count: Callable[[], dict[str, int]]) -> dict[str, int]:
        """What is past due by customer, counted once for a state of the books and a day."""
        state = (self._ledger.changes, self._ledger.today)
        if self._sums[0] != state:
            self._sums = (state, count())
        return self._sums[1]
