"""The scanner finds every path that tomllib finds, on the line where it stands."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rules.policy.positions import positions

PICKY = """\
# a comment with = and [brackets]
"odd.key" = 1   # [not a header]
a.b . 'c d' = [ 1,
  # , comment
  "two ] , # three", [3,
  4], { x = 5, y.z = '}' }, ]
text = \"\"\"
[fake]
key = "no"
\\\"\"\" \"\"\"
raw = '''
[[fake]]
''''
when = 2026-01-05 07:32:00
[stage]
at.x = 1
[[fee]]
id = "one"
[fee.cap]
days = 3
[[fee.rates]]
from = 1
[[fee.rates]]
from = 2
[[fee]]
id = "two"
[[fee.rates]]
from = 3
"""


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _paths(inner, (*path, number))


def test_every_path_is_found_on_its_line() -> None:
    found = positions(PICKY)
    assert found.paths() == set(_paths(tomllib.loads(PICKY)))
    lines = PICKY.splitlines()
    assert found.line(("odd.key",)) == 2
    assert lines[found.line(("a", "b", "c d", 1)) - 1].lstrip().startswith('"two')
    assert found.line(("a", "b", "c d", 2, 1)) == 6
    assert found.line(("a", "b", "c d", 3, "y", "z")) == 6
    assert lines[found.line(("when",)) - 1].startswith("when")
    assert lines[found.line(("fee", 1, "rates", 0, "from")) - 1] == "from = 3"
    assert lines[found.line(("fee", 0, "cap", "days")) - 1] == "days = 3"


def test_a_path_that_is_not_there_gets_the_line_around_it() -> None:
    found = positions("a = 1\n[b]\nc = 2\n")
    assert found.line(("b", "missing", 3)) == 2
    assert found.line(("nowhere",)) == 1
    assert found.line(()) == 1


def test_windows_line_ends_count_once() -> None:
    assert positions("a = 1\r\n\r\nb = '''\r\n'''\r\nc = 3\r\n").line(("c",)) == 5


KEYS = st.sampled_from(["a", "b-1", "from", "x y", "dot.ted", 'q"uote', "ü"])
SCALARS = st.one_of(
    st.integers(-99, 99),
    st.booleans(),
    st.sampled_from(["", "#", "]", "}", "a = 1", "'", '"', "\\", "x,y", "[[t]]", "line\nline"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=3)


class _Writer:
    """Writes values as TOML, with the spelling left to chance, and notes the lines."""

    def __init__(self, pick: st.DataObject) -> None:
        self.pick = pick
        self.text = ""
        self.lines: dict[tuple[Any, ...], int] = {}

    def note(self, path: tuple[Any, ...]) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def any_of(self, *options: str) -> str:
        return self.pick.draw(st.sampled_from(options))

    def key(self, key: str) -> str:
        if all(one.isascii() and (one.isalnum() or one in "-_") for one in key):
            return self.any_of(key, f'"{key}"', f"'{key}'")
        return _quoted(key)

    def value(self, value: Any, path: tuple[Any, ...]) -> None:
        self.note(path)
        if isinstance(value, dict):
            self.text += "{" + self.any_of("", " ")
            for number, (key, inner) in enumerate(value.items()):
                self.text += ", " if number else ""
                self.note((*path, key))
                self.text += self.key(key) + " = "
                self.value(inner, (*path, key))
            self.text += " }"
        elif isinstance(value, list):
            self.text += "["
            for number, inner in enumerate(value):
                self.text += self.any_of("", " ", "\n", "\n  # ] , }\n")
                self.value(inner, (*path, number))
                self.text += self.any_of(",", " ,")
            self.text += self.any_of("", "\n") + "]"
        elif isinstance(value, bool):
            self.text += "true" if value else "false"
        elif isinstance(value, int):
            self.text += str(value)
        elif "\n" in value:
            self.text += '"""\n' + value + '"""'
        else:
            self.text += _quoted(value)

    def pairs(self, table: dict[str, Any], path: tuple[Any, ...]) -> None:
        for key, inner in table.items():
            self.note((*path, key))
            self.text += self.key(key) + self.any_of("=", " = ")
            self.value(inner, (*path, key))
            self.text += self.any_of("\n", "  # comment = [1]\n", "\n\n")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.data(), TABLES, st.lists(TABLES, max_size=3), TABLES)
def test_any_document_is_placed_as_tomllib_reads_it(
    data: st.DataObject, top: dict[str, Any], rows: list[dict[str, Any]], section: dict[str, Any]
) -> None:
    writer = _Writer(data)
    writer.pairs(top, ())
    for number, row in enumerate(rows):
        writer.note(("row",))
        writer.note(("row", number))
        writer.text += "[[row]]\n"
        writer.pairs(row, ("row", number))
    writer.note(("section",))
    writer.note(("section", "inner"))
    writer.text += "[ section . inner ]\n"
    writer.pairs(section, ("section", "inner"))
    found = positions(writer.text)
    assert found.paths() == set(_paths(tomllib.loads(writer.text)))
    for path, line in writer.lines.items():
        assert found.line(path) == line
