"""Cells of an exported table: dates and amounts in the many ways that exports write them.

What a single cell leaves open (3/4 or 4/3, comma or point) the whole column decides. Where even
that does not, the cell is not guessed at: it is a problem.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

DateOrder: TypeAlias = Literal["dmy", "mdy", "unclear", "mixed"]

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_NUMERIC = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?: .*)?")
_NAMED: Final = (
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %y",
    "%d-%b-%y",
)

_SIGNS: Final = {
    "£": "GBP",
    "€": "EUR",
    "US$": "USD",
    "A$": "AUD",
    "CA$": "CAD",
    "C$": "CAD",
    "NZ$": "NZD",
    "₹": "INR",
    "R ": "ZAR",
}
"""Signs that name one currency. A bare $ names many and decides nothing."""


class CellError(ValueError):
    """A cell that cannot be read."""


class AmbiguousDateError(CellError):
    """A date that can be read in two ways."""


def date_order(cells: Iterable[str]) -> DateOrder:
    """Whether the day or the month comes first, judged by every date of the column.

    A first part over 12 is a day, a second part over 12 makes the first a month. `unclear`:
    nothing tells; `mixed`: both are seen.
    """
    seen: set[DateOrder] = set()
    for cell in cells:
        match = _NUMERIC.fullmatch(cell.strip())
        if match:
            first, second = int(match[1]), int(match[2])
            if first > 12 >= second:
                seen.add("dmy")
            elif second > 12 >= first:
                seen.add("mdy")
    if len(seen) > 1:
        return "mixed"
    return seen.pop() if seen else "unclear"


def read_day(cell: str, order: DateOrder) -> date:
    """A date. Raises AmbiguousDateError where day and month could be swapped and the column
    does not tell, CellError for what is no date."""
    text = " ".join(cell.split())
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _NUMERIC.fullmatch(text):
            return _numeric(match, order, text)
    except AmbiguousDateError:
        raise
    except ValueError:
        raise CellError(f"{cell!r} is not a date") from None
    for pattern in _NAMED:
        try:
            return datetime.strptime(text.replace("Sept ", "Sep "), pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
    raise CellError(f"{cell!r} is not a date")


def _numeric(match: re.Match[str], order: DateOrder, text: str) -> date:
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    year += 2000 if year < 100 else 0
    if order in ("unclear", "mixed"):
        if first <= 12 and second <= 12 and first != second:
            raise AmbiguousDateError(f"{text!r} can be read with the day or the month first")
        order = "mdy" if second > 12 else "dmy"
    return date(year, second, first) if order == "dmy" else date(year, first, second)


def has_decimal_comma(cells: Iterable[str]) -> bool:
    """Whether the column writes 1.234,50: a comma before the last one or two digits of a cell
    and no cell with a point there."""
    comma = point = False
    for cell in cells:
        bare = re.sub(r"[^\d.,]", "", cell)
        comma = comma or re.search(r",\d{1,2}$", bare) is not None
        point = point or re.search(r"\.\d{1,2}$", bare) is not None
    return comma and not point


def read_amount(cell: str, *, decimal_comma: bool) -> Decimal:
    """An amount, exact. Parentheses, a leading or a trailing minus make it negative; currency
    signs, codes, spaces and apostrophes are left out. Raises CellError."""
    text = cell.strip().replace("\u2212", "-")
    negative = (text.startswith("(") and text.endswith(")")) or "-" in (text[:1], text[-1:])
    bare = re.sub(r"[A-Za-z\s\u00a0\u202f'\u2019()£€$₹¥+-]", "", text)
    if decimal_comma:
        bare = bare.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", bare) or "," not in bare:
        bare = bare.replace(",", "")
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", bare) or text.count("-") > 1:
        raise CellError(f"{cell!r} is not an amount of money")
    value = Decimal(bare)
    return -value if negative else value


def currency_of(cell: str) -> str:
    """The currency that an amount names by its sign or code; empty where it names none."""
    text = cell.strip().strip("()- ")
    if match := re.search(r"\b([A-Z]{3})\b", text):
        return match[1]
    return next((code for sign, code in _SIGNS.items() if sign in text), "")
