"""The lists of Xero's API: which rows there are and by what they can be asked for."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.sandbox.http import Request
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import CreditRow, CustomerRow, InvoiceRow
from connectors.sandbox.xero.documents import STATUS, Documents
from connectors.sandbox.xero.listing import Columns, Slice, listed, values
from connectors.sandbox.xero.parties import Parties
from connectors.sandbox.xero.settlement import OverpaymentRow, Settlement, XeroPaymentRow
from connectors.sandbox.xero.spelling import amount

Json = dict[str, Any]

_PAYMENT_COLUMNS: Final[Columns[XeroPaymentRow]] = {
    "PaymentID": lambda row: row.id,
    "PaymentType": lambda row: "ACCRECPAYMENT",
    "Status": lambda row: row.status,
    "Date": lambda row: row.on,
    "Amount": lambda row: amount(row.amount, row.currency),
    "Invoice.InvoiceID": lambda row: row.invoice,
    "UpdatedDateUTC": lambda row: row.updated_at,
}
_OVERPAYMENT_COLUMNS: Final[Columns[OverpaymentRow]] = {
    "OverpaymentID": lambda row: row.id,
    "Type": lambda row: "RECEIVE-OVERPAYMENT",
    "Status": lambda row: row.status,
    "Date": lambda row: row.on,
    "Contact.ContactID": lambda row: row.customer,
    "RemainingCredit": lambda row: amount(row.remaining, row.currency),
    "UpdatedDateUTC": lambda row: row.updated_at,
}


class Lists:
    """Answers the listing calls."""

    def __init__(
        self, ledger: Ledger, settlement: Settlement, documents: Documents, parties: Parties
    ) -> None:
        self._ledger = ledger
        self._settlement = settlement
        self._documents = documents
        self._parties = parties
        self._invoice_columns: Columns[InvoiceRow] = {
            "InvoiceID": lambda row: row.id,
            "InvoiceNumber": lambda row: row.number,
            "Type": lambda row: row.extra.get("Type", "ACCREC"),
            "Status": lambda row: STATUS[row.status],
            "Reference": lambda row: row.reference or row.po,
            "Date": lambda row: row.issued_on,
            "DueDate": lambda row: row.due_on,
            "AmountDue": lambda row: amount(row.balance, row.currency),
            "AmountPaid": lambda row: amount(row.total - row.balance, row.currency),
            "Total": lambda row: amount(row.total, row.currency),
            "CurrencyCode": lambda row: row.currency,
            "Contact.ContactID": lambda row: row.customer,
            "Contact.Name": lambda row: self._ledger.customers[row.customer].name,
            "UpdatedDateUTC": lambda row: row.updated_at,
        }
        self._contact_columns: Columns[CustomerRow] = {
            "ContactID": lambda row: row.id,
            "Name": lambda row: row.name,
            "EmailAddress": lambda row: row.email,
            "ContactStatus": lambda row: "ACTIVE" if row.is_active else "ARCHIVED",
            "IsCustomer": lambda row: True,
            "IsSupplier": lambda row: False,
            "UpdatedDateUTC": lambda row: row.updated_at,
        }
        self._credit_columns: Columns[CreditRow] = {
            "CreditNoteID": lambda row: row.id,
            "CreditNoteNumber": lambda row: row.number,
            "Type": lambda row: "ACCRECCREDIT",
            "Status": _credit_status,
            "Date": lambda row: row.on,
            "Contact.ContactID": lambda row: row.customer,
            "RemainingCredit": lambda row: amount(row.remaining, row.currency),
            "UpdatedDateUTC": lambda row: row.updated_at,
        }

    def invoices(self, request: Request) -> Json:
        """Lines come where a page or named invoices were asked for. summaryOnly changes nothing."""
        rows: Iterable[InvoiceRow] = self._ledger.invoices.values()
        ids = {value.lower() for value in values(request, "IDs")}
        if ids:
            rows = [row for row in rows if row.id in ids]
        filters: tuple[tuple[str, Any], ...] = (
            ("InvoiceNumbers", lambda row: row.number),
            ("ContactIDs", lambda row: row.customer),
            ("Statuses", lambda row: STATUS[row.status]),
        )
        for name, of in filters:
            wanted = set(values(request, name))
            if wanted:
                rows = [row for row in rows if of(row) in wanted]
        search = request.param("searchTerm").casefold()
        if search:
            rows = [row for row in rows if search in f"{row.number}\n{row.reference}".casefold()]
        found = listed(
            request, rows, self._invoice_columns, lambda row: row.updated_at, key="InvoiceID"
        )
        with_lines = found.is_paged or bool(ids)
        return _answer(
            "Invoices",
            found,
            [self._documents.invoice(row, with_lines=with_lines) for row in found.rows],
        )

    def contacts(self, request: Request) -> Json:
        """Archived contacts are left out unless includeArchived or IDs ask for them."""
        rows: Iterable[CustomerRow] = self._ledger.customers.values()
        ids = {value.lower() for value in values(request, "IDs")}
        if ids:
            rows = [row for row in rows if row.id in ids]
        elif request.param("includeArchived").lower() != "true":
            rows = [row for row in rows if row.is_active]
        found = listed(
            request, rows, self._contact_columns, lambda row: row.updated_at, key="ContactID"
        )
        overdue = self._parties.overdue()
        return _answer(
            "Contacts", found, [self._parties.contact(row, overdue) for row in found.rows]
        )

    def payments(self, request: Request) -> Json:
        found = listed(
            request,
            self._settlement.payments(),
            _PAYMENT_COLUMNS,
            lambda row: row.updated_at,
            key="PaymentID",
        )
        return _answer("Payments", found, [self._documents.payment(row) for row in found.rows])

    def credit_notes(self, request: Request) -> Json:
        found = listed(
            request,
            self._ledger.credits.values(),
            self._credit_columns,
            lambda row: row.updated_at,
            key="CreditNoteID",
        )
        shown = [self._documents.credit_note(row, with_lines=found.is_paged) for row in found.rows]
        return _answer("CreditNotes", found, shown)

    def overpayments(self, request: Request) -> Json:
        found = listed(
            request,
            self._settlement.overpayments(),
            _OVERPAYMENT_COLUMNS,
            lambda row: row.updated_at,
            key="OverpaymentID",
        )
        return _answer(
            "Overpayments", found, [self._documents.overpayment(row) for row in found.rows]
        )

    def prepayments(self, request: Request) -> Json:
        """A book file has none."""
        columns: Mapping[str, Any] = {
            name.replace("Overpayment", "Prepayment"): of
            for name, of in _OVERPAYMENT_COLUMNS.items()
        }
        found: Slice[OverpaymentRow] = listed(
            request, (), columns, lambda row: row.updated_at, key="PrepaymentID"
        )
        return _answer("Prepayments", found, [])


def _credit_status(row: CreditRow) -> str:
    if row.status != "live":
        return "VOIDED"
    return "AUTHORISED" if row.remaining > 0 else "PAID"


def _answer(collection: str, found: Slice[Any], shown: list[Json]) -> Json:
    if found.pagination is None:
        return {collection: shown}
    return {"pagination": found.pagination, collection: shown}
