"""Quotes: the estimates of the book under their Xero name.

The collection has parameters of its own in place of `where`, pages of 100 and no `pagination`.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from connectors.sandbox.http import Request, Response, text_response
from connectors.sandbox.ids import XeroIds
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import EstimateRow
from connectors.sandbox.xero.answers import NOT_FOUND, Refusal, reply
from connectors.sandbox.xero.documents import Documents
from connectors.sandbox.xero.listing import Columns, QueryError, matching
from connectors.sandbox.xero.spelling import amount, day_text, ms_date, ms_instant, read_date

Json = dict[str, Any]

PAGE: Final = 100
STATUS: Final = {
    # Xero shows an expired quote as sent, with its ExpiryDate in the past.
    "open": "SENT",
    "expired": "SENT",
    "accepted": "ACCEPTED",
    "declined": "DECLINED",
    "invoiced": "INVOICED",
    "void": "DELETED",
}
_COLUMNS: Final[Columns[EstimateRow]] = {
    "QuoteID": lambda row: row.id,
    "QuoteNumber": lambda row: row.number,
    "Status": lambda row: STATUS[row.status],
    "Date": lambda row: row.on,
    "ExpiryDate": lambda row: row.expires_on,
    "Total": lambda row: row.total,
    "UpdatedDateUTC": lambda row: row.updated_at,
}


class Quotes:
    """Answers `/Quotes`."""

    def __init__(self, ledger: Ledger, ids: XeroIds, documents: Documents) -> None:
        self._ledger = ledger
        self._ids = ids
        self._documents = documents

    def all(self, request: Request) -> Response:
        rows = [row for row in self._ledger.estimates.values() if self._is_wanted(request, row)]
        found = matching(request, rows, _COLUMNS, lambda row: row.updated_at, key="QuoteID")
        page = request.param("page") or "1"
        if not page.isdigit() or page == "0":
            raise QueryError(f"The page parameter {page!r} is not valid")
        first = (int(page) - 1) * PAGE
        return reply("Quotes", [self._shown(row) for row in found[first : first + PAGE]])

    def one(self, request: Request, key: str) -> Response:
        row = self._ledger.estimates.get(key)
        if row is None:
            raise Refusal(404, NOT_FOUND)
        return reply("Quotes", [self._shown(row)])

    def pdf(self, request: Request, key: str) -> Response:
        row = self._ledger.estimates.get(key)
        if row is None:
            raise Refusal(404, NOT_FOUND)
        return text_response(f"%PDF-1.4\n% Quote {row.number}\n%%EOF\n", 200, "application/pdf")

    def _is_wanted(self, request: Request, row: EstimateRow) -> bool:
        tests: tuple[tuple[str, Callable[[str], bool]], ...] = (
            ("ContactID", lambda text: row.customer == text.lower()),
            ("Status", lambda text: STATUS[row.status] == text.upper()),
            ("QuoteNumber", lambda text: row.number == text),
            ("DateFrom", lambda text: row.on >= _day(text)),
            ("DateTo", lambda text: row.on <= _day(text)),
            ("ExpiryDateFrom", lambda text: bool(row.expires_on and row.expires_on >= _day(text))),
            ("ExpiryDateTo", lambda text: bool(row.expires_on and row.expires_on <= _day(text))),
        )
        return all(test(request.param(name)) for name, test in tests if request.param(name))

    def _shown(self, row: EstimateRow) -> Json:
        shown: Json = {
            "QuoteID": row.id,
            "QuoteNumber": row.number,
            "Reference": "",
            "Terms": "",
            "Contact": {
                "ContactID": row.customer,
                "Name": self._ledger.customers[row.customer].name,
            },
            "LineItems": [
                {
                    "LineItemID": self._ids.derived("line", row.id, str(position)),
                    "Description": line.description,
                    "UnitAmount": line.unit_price,
                    "Quantity": line.quantity,
                    "LineAmount": amount(line.amount, row.currency),
                    "TaxAmount": amount(line.tax, row.currency),
                    "AccountCode": line.account or "200",
                    "Tracking": [],
                }
                for position, line in enumerate(row.lines)
            ],
            "Date": ms_date(row.on),
            "DateString": day_text(row.on),
            "Status": STATUS[row.status],
            "CurrencyRate": self._documents.rate(row.currency),
            "CurrencyCode": row.currency,
            "SubTotal": amount(row.total, row.currency),
            "TotalTax": amount(0, row.currency),
            "Total": amount(row.total, row.currency),
            "TotalDiscount": amount(0, row.currency),
            "Title": "",
            "Summary": "",
            "UpdatedDateUTC": ms_instant(row.updated_at),
            "LineAmountTypes": "EXCLUSIVE",
        }
        if row.expires_on is not None:
            shown["ExpiryDate"] = ms_date(row.expires_on)
            shown["ExpiryDateString"] = day_text(row.expires_on)
        return shown


def _day(text: str) -> date:
    try:
        day = read_date(text)
    except ValueError:
        day = None
    if day is None:
        raise QueryError(f"The date {text!r} is not valid")
    return day
