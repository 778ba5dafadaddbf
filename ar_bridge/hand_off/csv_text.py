"""CSV as agencies and spreadsheets take it: UTF-8, a header row, nothing that runs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

_RUNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The table in UTF-8, every line ended by CRLF (RFC 4180)."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return told.getvalue().encode("utf-8")


def cell(value: object) -> str:
    """The text of a cell. What a spreadsheet would run gets an apostrophe before it; a plain
    negative number stays one."""
    text = "" if value is None else str(value)
    text = text.replace("\x00", "")
    if text.lstrip().startswith(_RUNS) and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    body = text.removeprefix("-")
    whole, _, rest = body.partition(".")
    return body.isascii() and whole.isdigit() and (not rest or rest.isdigit())
