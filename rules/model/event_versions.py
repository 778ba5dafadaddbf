"""All versions that a file gives of its documents, and those in force on a day."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Versions(Generic[_Value]):
    """All versions of the documents of one kind, by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, list[tuple[date, int, _Value]]] = {}
        self._days: list[date] | None = None
        self._last: tuple[int, Mapping[str, _Value]] = (-1, {})

    def add(self, key: str, known: date, line: int, value: _Value) -> None:
        found = self.by_id.setdefault(key, [])
        found.append((known, line, value))
        if len(found) > 1:
            found.sort(key=lambda version: version[:2])
        self._days = None

    def on(self, day: date) -> Mapping[str, _Value]:
        """The version in force of each document that is known on that day."""
        if self._days is None:
            known = (version[0] for versions in self.by_id.values() for version in versions)
            self._days, self._last = sorted(known), (-1, {})
        count = bisect_right(self._days, day)
        last, seen = self._last
        if last != count:
            seen = self._found(day)
            self._last = (count, seen)
        return seen

    def _found(self, day: date) -> Mapping[str, _Value]:
        seen: dict[str, _Value] = {}
        for key, versions in self.by_id.items():
            for known, _, value in versions:
                if known > day:
                    break
                seen[key] = value
        return seen

    def drop(self, key: str, line: int) -> None:
        kept = [version for version in self.by_id.get(key, []) if version[1] != line]
        if kept:
            self.by_id[key] = kept
        else:
            self.by_id.pop(key, None)
        self._days = None
