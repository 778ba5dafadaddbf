"""Which line of a TOML text a key stands on.

`tomllib` gives values without places. This scanner walks a text that `tomllib` has accepted and
notes the line of every key path, such as ("stage", 1, "at") or ("calendar", "closures", 0): it
knows headers, dotted keys, arrays of tables, inline tables, and strings and arrays over several
lines, and leaves the meaning of values to `tomllib`.
"""

import re
import tomllib
from collections.abc import Sequence
from typing import Final, TypeAlias

from rules.policy.reading import PathPart

Path: TypeAlias = tuple[PathPart, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRINGS: Final = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\\n])*"'),
    re.compile(r"'[^'\n]*'"),
)


class Positions:
    """Lines of the key paths of one text."""

    def __init__(self, lines: dict[Path, int]) -> None:
        self._lines = lines

    def line(self, path: Sequence[PathPart]) -> int:
        """Line of the path or of the nearest thing around it; 1 where nothing of it is known."""
        known = tuple(path)
        while known:
            if known in self._lines:
                return self._lines[known]
            known = known[:-1]
        return 1

    def paths(self) -> frozenset[Path]:
        """Every path that was seen."""
        return frozenset(self._lines)


def positions(text: str) -> Positions:
    """Find the lines in a text that `tomllib.loads` accepts."""
    return Positions(_Scanner(text.replace("\r\n", "\n")).run())


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[Path, int] = {}
        self.elements: dict[Path, int] = {}
        """Arrays of tables: how many elements there are so far."""

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_SPACE)
        while self.at < len(self.text):
            table = self._header() if self.text[self.at] == "[" else self._pair(table)
            self._skip(_SPACE)
        return self.lines

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        taken = found[0] if found else ""
        self.at += len(taken)
        self.line += taken.count("\n")
        return taken

    def _note(self, path: Path, line: int) -> None:
        self.lines.setdefault(path, line)

    def _header(self) -> Path:
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        line = self.line
        self._skip(_INLINE_SPACE)
        parts = self._key()
        self.at += 2 if is_array else 1
        path = self._resolved(parts[:-1], line)
        path = (*path, parts[-1])
        self._note(path, line)
        if is_array:
            number = self.elements.get(path, 0)
            self.elements[path] = number + 1
            path = (*path, number)
            self._note(path, line)
        elif path in self.elements:
            path = (*path, self.elements[path] - 1)
        return path

    def _resolved(self, parts: Sequence[str], line: int) -> Path:
        """A header goes through arrays of tables by their last element."""
        path: Path = ()
        for part in parts:
            path = (*path, part)
            self._note(path, line)
            if path in self.elements:
                path = (*path, self.elements[path] - 1)
        return path

    def _pair(self, table: Path) -> Path:
        path, line = table, self.line
        for part in self._key():
            path = (*path, part)
            self._note(path, line)
        self.at += 1  # the equals sign
        self._skip(_INLINE_SPACE)
        self._value(path)
        return table

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_INLINE_SPACE)
            quote = self.text[self.at]
            if quote == '"':
                raw = self._skip(_STRINGS[2])
                parts.append(tomllib.loads(f"k = {raw}")["k"])
            elif quote == "'":
                parts.append(self._skip(_STRINGS[3])[1:-1])
            else:
                parts.append(self._skip(_BARE))
            self._skip(_INLINE_SPACE)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif opening in "\"'":
            for pattern in _STRINGS:
                if self._skip(pattern):
                    return
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        number = 0
        self._skip(_SPACE)
        while self.text[self.at] != "]":
            element = (*path, number)
            self._note(element, self.line)
            self._value(element)
            self._skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1
                self._skip(_SPACE)
            number += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        self._skip(_SPACE)
        while self.text[self.at] != "}":
            self._pair(path)
            self._skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1
                self._skip(_SPACE)
        self.at += 1
