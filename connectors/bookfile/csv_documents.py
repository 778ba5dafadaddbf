"""Rows of an exported table as documents: invoices, credits and payments, or a problem each."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from connectors.bookfile.csv_cells import (
    AmbiguousDateError,
    CellError,
    DateOrder,
    currency_of,
    date_order,
    has_decimal_comma,
    read_amount,
    read_day,
)
from connectors.bookfile.csv_columns import Layout
from connectors.bookfile.csv_rows import Line
from rules.model.money import AmountError, parse_minor

Report = Callable[[int, str, str], None]
"""Takes line, message and hint of a problem."""

INVOICES: Final = frozenset({"", "invoice", "sales invoice", "accrec", "receivable invoice"})
CREDITS: Final = frozenset({"credit memo", "credit note", "sales credit note", "accreccredit"})
PAYMENTS: Final = frozenset({"payment", "customer payment", "deposit", "overpayment", "prepayment"})

_TOTALS = re.compile(r"(grand\s+)?(sub)?total\b.*", re.IGNORECASE)
_FOOTER = re.compile(r".*\b(GMT|accrual basis|cash basis)\b.*", re.IGNORECASE)
_SHOWN_LINES: Final = 12


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One row that was read. Amounts are minor units and never negative."""

    line: int
    kind: str
    """Its type in lower case: one of INVOICES, CREDITS or PAYMENTS."""
    customer: str
    number: str
    issued: date
    due: date | None
    total: int
    open: int
    tax: int
    currency: str
    cells: dict[str, str]

    def is_the_same_invoice_as(self, other: "Document") -> bool:
        """Xero exports one row for each line of an invoice, with the same figures."""
        return (self.customer, self.issued, self.due, self.total, self.open) == (
            other.customer,
            other.issued,
            other.due,
            other.total,
            other.open,
        )


class Table:
    """One pass over the rows below the header. What a cell leaves open the columns decide."""

    def __init__(
        self, lines: Sequence[Line], layout: Layout, base_currency: str, report: Report
    ) -> None:
        self._lines = lines[layout.header_row + 1 :]
        self._layout = layout
        self._report = report
        self._ambiguous: dict[int, str] = {}
        self._order: DateOrder = layout.order or date_order(self._column("issued", "due"))
        self._decimal_comma = has_decimal_comma(self._column("total", "open"))
        self.base_currency = base_currency or self._usual_currency()

    def documents(self) -> list[Document]:
        """Every document, in the order of the file; what could not be read is reported."""
        found = [
            document
            for line, customer in self._rows()
            if (document := self._document(line, customer)) is not None
        ]
        self._report_ambiguous()
        return found

    def _rows(self) -> Iterator[tuple[Line, str]]:
        """Rows that should hold a document, with the heading that they stand under."""
        heading, heading_line, is_used = "", 0, True
        for line in self._lines:
            filled = [cell.strip() for cell in line.cells if cell.strip()]
            if not filled or self._is_total(line, filled):
                continue
            if self._layout.is_grouped and line.cells[0].strip():
                if not is_used:
                    self._report_alone(heading_line, heading)
                heading, heading_line, is_used = filled[0], line.number, False
                if not line.at(self._layout, "number"):
                    continue
            is_used = True
            yield line, line.at(self._layout, "customer") or heading
        if not is_used:
            self._report_alone(heading_line, heading)

    def _is_total(self, line: Line, filled: Sequence[str]) -> bool:
        """A total has a sum and no number; a customer may well be called Total Catering."""
        if line.at(self._layout, "number") or line.at(self._layout, "issued"):
            return False
        has_sum = bool(line.at(self._layout, "open") or line.at(self._layout, "total"))
        first = filled[0]
        is_total = _TOTALS.fullmatch(first) and (has_sum or first.casefold() == "total")
        return bool(is_total or _FOOTER.fullmatch(first))

    def _document(self, line: Line, customer: str) -> Document | None:
        layout = self._layout
        wrong: list[str] = []
        kind = line.at(layout, "type").casefold()
        if kind not in INVOICES | CREDITS | PAYMENTS:
            wrong.append(f"{line.at(layout, 'type')!r} is no invoice, credit or payment")
        if not customer:
            wrong.append("the customer is missing")
        number = line.at(layout, "number")
        if not number and kind in INVOICES:
            wrong.append("the invoice number is missing")
        if not line.at(layout, "issued"):
            wrong.append("the date is missing")
        issued = self._day(line, "issued", wrong)
        due = self._day(line, "due", wrong)
        currency = self._named_currency(line) or self.base_currency
        if not line.at(layout, "open"):
            wrong.append("the open balance is missing")
        left = self._money(line, "open", currency, wrong)
        total = self._money(line, "total", currency, wrong) if line.at(layout, "total") else left
        tax = self._money(line, "tax", currency, wrong)
        if wrong:
            self._report(line.number, "; ".join(wrong), "correct the row; the others are read")
            return None
        if issued is None or line.number in self._ambiguous:
            return None
        if kind in INVOICES and min(total, left) < 0:
            kind = "credit note"
        return Document(
            line=line.number,
            kind=kind,
            customer=customer,
            number=number,
            issued=issued,
            due=due,
            total=abs(total),
            open=abs(left),
            tax=abs(tax),
            currency=currency,
            cells={name: line.at(layout, name) for name in layout.columns},
        )

    def _day(self, line: Line, name: str, wrong: list[str]) -> date | None:
        cell = line.at(self._layout, name)
        if not cell:
            return None
        try:
            return read_day(cell, self._order)
        except AmbiguousDateError:
            self._ambiguous.setdefault(line.number, cell)
        except CellError as error:
            wrong.append(f"{'due date' if name == 'due' else 'date'}: {error}")
        return None

    def _money(self, line: Line, name: str, currency: str, wrong: list[str]) -> int:
        cell = line.at(self._layout, name)
        try:
            value = read_amount(cell, decimal_comma=self._decimal_comma) if cell else 0
            return parse_minor(value, currency)
        except (CellError, AmountError) as error:
            wrong.append(f"{'open balance' if name == 'open' else name}: {error}")
            return 0

    def _named_currency(self, line: Line) -> str:
        column = line.at(self._layout, "currency").upper()
        return column or currency_of(line.at(self._layout, "open"))

    def _usual_currency(self) -> str:
        named = Counter(found for line in self._lines if (found := self._named_currency(line)))
        if named:
            return named.most_common(1)[0][0]
        self._report(
            1,
            "no currency is named anywhere: amounts are read as USD",
            "add a column Currency with codes such as GBP",
        )
        return "USD"

    def _column(self, *names: str) -> list[str]:
        return [line.at(self._layout, name) for line in self._lines for name in names]

    def _report_alone(self, line: int, heading: str) -> None:
        self._report(
            line,
            f"{heading!r} stands alone: no invoice follows it",
            "a row of a report grouped by customer belongs under the customer's name",
        )

    def _report_ambiguous(self) -> None:
        if not self._ambiguous:
            return
        first, *others = sorted(self._ambiguous)
        shown = ", ".join(str(each) for each in others[:_SHOWN_LINES])
        if len(others) > _SHOWN_LINES:
            shown += f" and {len(others) - _SHOWN_LINES} more"
        why = (
            "other rows are written both ways"
            if self._order == "mixed"
            else "no date of the file tells which comes first"
        )
        self._report(
            first,
            f"{self._ambiguous[first]!r} can be read with the day or the month first, and {why}: "
            "the row is left out" + (f", and so are lines {shown}" if shown else ""),
            "state the order in the header, as in 'Date (DD/MM/YYYY)', or write YYYY-MM-DD",
        )
