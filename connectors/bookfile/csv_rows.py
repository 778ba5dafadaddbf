"""Text of a CSV as rows with their line numbers, whatever the delimiter."""

import csv
import io
from collections.abc import Sequence

import msgspec

from connectors.bookfile.csv_columns import Layout


class Line(msgspec.Struct, frozen=True):
    """One row and the line of the file on which it begins."""

    number: int
    cells: Sequence[str]

    def at(self, layout: Layout, column: str) -> str:
        """A cell, stripped; empty where the column or the cell is not there."""
        index = layout.columns.get(column)
        return self.cells[index].strip() if index is not None and index < len(self.cells) else ""


def split_rows(text: str) -> list[Line]:
    """All rows, blank ones too. The delimiter is the one that parts the leading lines most
    evenly of comma, semicolon, tab and bar."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    found: list[Line] = []
    begins = 1
    for cells in reader:
        found.append(Line(begins, cells or [""]))
        begins = reader.line_num + 1
    return found


def _delimiter(text: str) -> str:
    leading = text.splitlines()[:30]
    return max(",;\t|", key=lambda mark: sum(_parts(line, mark) > 2 for line in leading))


def _parts(line: str, mark: str) -> int:
    return len(next(csv.reader([line], delimiter=mark), []))
