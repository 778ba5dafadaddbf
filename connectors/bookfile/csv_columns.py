"""Which column is which: the headers of QuickBooks and Xero exports, and near misses named."""

import difflib
import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "customer": (
        "customer",
        "customer full name",
        "contactname",
        "contact name",
        "contact",
        "name",
        "client",
        "display name",
        "to",
    ),
    "number": ("num", "invoicenumber", "invoice number", "no.", "no", "number", "invoice no"),
    "issued": ("date", "invoicedate", "invoice date", "transaction date", "issue date"),
    "due": ("due date", "duedate", "due"),
    "total": ("amount", "total", "invoice total", "gross"),
    "open": (
        "open balance",
        "invoiceamountdue",
        "amountdue",
        "amount due",
        "balance due",
        "balance",
        "outstanding",
        "due amount",
    ),
    "type": ("transaction type", "type"),
    "currency": ("currency", "currency code", "invoicecurrency"),
    "tax": ("taxtotal", "tax total", "total tax", "tax"),
    "email": ("emailaddress", "email", "customer email", "email address"),
    "reference": ("reference", "ref"),
    "order": ("po number", "p.o. number", "purchase order", "po"),
    "status": ("status",),
    "sent": ("sent", "sent to contact", "senttocontact"),
}
"""Our column and the headers it goes by, compared without case, stars and doubled spaces."""

REQUIRED: Final = ("number", "issued", "due", "open")


class Layout(msgspec.Struct, frozen=True):
    """Where the table begins and what its columns are."""

    header_row: int
    """Index among the rows."""
    columns: dict[str, int]
    order: Literal["dmy", "mdy", ""] = ""
    """Order of day and month where a header states it, as in `Date (DD/MM/YYYY)`."""

    @property
    def is_grouped(self) -> bool:
        """Customers stand as headings over their invoices, as in QuickBooks reports."""
        return "customer" not in self.columns


def find_layout(rows: Sequence[Sequence[str]]) -> Layout | None:
    """The first of the leading rows that reads as a header; None where there is none."""
    best: tuple[int, Layout] | None = None
    for index, row in enumerate(rows[:15]):
        columns = _columns(row)
        if best is None or len(columns) > best[0]:
            best = (len(columns), Layout(index, columns, _stated_order(row)))
    return best[1] if best is not None and best[0] >= 2 else None


def missing(layout: Layout, header: Sequence[str]) -> list[tuple[str, str]]:
    """Required columns that are not there, each with a hint that names the nearest header."""
    unused = [cell for index, cell in enumerate(header) if index not in layout.columns.values()]
    found: list[tuple[str, str]] = []
    wanted = [*REQUIRED]
    if layout.is_grouped and not _may_be_grouped(header):
        wanted.insert(0, "customer")
    for name in wanted:
        if name in layout.columns:
            continue
        plain = {_plain(cell): cell.strip() for cell in unused if cell.strip()}
        near = [
            plain[match]
            for alias in HEADERS[name]
            for match in difflib.get_close_matches(alias, list(plain), 1, cutoff=0.7)
        ]
        hint = f"is it {near[0]!r}? Call it {HEADERS[name][0]!r}" if near else ""
        called = " or ".join(repr(alias) for alias in HEADERS[name][:3])
        found.append((f"column {name} ({called}) is missing", hint))
    return found


def _may_be_grouped(header: Sequence[str]) -> bool:
    return not header[0].strip() if header else False


def _columns(row: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, aliases in HEADERS.items():
        plain = [_plain(cell) for cell in row]
        for alias in aliases:
            if alias in plain:
                found[name] = plain.index(alias)
                break
    return found


def _plain(cell: str) -> str:
    return " ".join(re.sub(r"\(.*?\)|\*", " ", cell).casefold().split())


def _stated_order(row: Sequence[str]) -> Literal["dmy", "mdy", ""]:
    text = " ".join(row).lower()
    if re.search(r"\(\s*d{1,2}\W*m{1,2}\W*y", text):
        return "dmy"
    return "mdy" if re.search(r"\(\s*m{1,2}\W*d{1,2}\W*y", text) else ""
