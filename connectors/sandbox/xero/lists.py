"""The lists of Xero's API: which rows there are and by what they can be asked for."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import Request, Response, encoded
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import CreditRow, CustomerRow, InvoiceRow
from connectors.sandbox.xero.answers import NOT_FOUND, Refusal, reply
from connectors.sandbox.xero.documents import STATUS, Documents
from connectors.sandbox.xero.keeping import Kept
from connectors.sandbox.xero.listing import Columns, Slice, cut, matching, values
from connectors.sandbox.xero.parties import Parties, contact_status
from connectors.sandbox.xero.settlement import OverpaymentRow, Settlement, XeroPaymentRow
from connectors.sandbox.xero.spelling import amount
from connectors.sandbox.xero.striking import INVOICE_FAULTS

Json = dict[str, Any]
_T = TypeVar("_T")

_PAYMENT_COLUMNS: Final[Columns[XeroPaymentRow]] = {
    "PaymentID": lambda row: row.id,
    "PaymentType": lambda row: "ACCRECPAYMENT",
    "Status": lambda row: row.status,
    "Date": lambda row: row.on,
    "Amount": lambda row: amount(row.amount, row.currency),
    "Invoice.InvoiceID": lambda row: row.invoice,
    "UpdatedDateUTC": lambda row: row.updated_at,
}


def _ahead(kind: str) -> Columns[OverpaymentRow]:
    return {
        f"{kind}ID": lambda row: row.id,
        "Type": lambda row: f"RECEIVE-{kind.upper()}",
        "Status": lambda row: row.status,
        "Date": lambda row: row.on,
        "Contact.ContactID": lambda row: row.customer,
        "RemainingCredit": lambda row: amount(row.remaining, row.currency),
        "UpdatedDateUTC": lambda row: row.updated_at,
    }


_SPELT: Final = {
    name.lower(): name for name in ("CreditNotes", "Payments", "Overpayments", "Prepayments")
}
_AHEAD_COLUMNS: Final = {kind: _ahead(kind) for kind in ("Overpayment", "Prepayment")}


class Lists:
    """Answers the listing calls."""

    def __init__(
        self,
        ledger: Ledger,
        settlement: Settlement,
        documents: Documents,
        parties: Parties,
        faults: FaultPlan,
    ) -> None:
        self._faults = faults
        self._kept = Kept(ledger)
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
            "ContactStatus": contact_status,
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

    # --- collections --------------------------------------------------------------------------

    def invoices(self, request: Request) -> Response:
        """Lines come where a page or named invoices were asked for. summaryOnly changes nothing."""
        find = partial(
            self._matching,
            request,
            lambda: self._wanted_invoices(request),
            self._invoice_columns,
            "InvoiceID",
        )
        found = self._cut("Invoices", request, find)
        with_lines = found.is_paged or bool(values(request, "IDs"))
        return _answer("Invoices", found, [self._invoice(row, with_lines) for row in found.rows])

    def contacts(self, request: Request) -> Response:
        """Archived contacts are left out unless includeArchived or IDs ask for them."""
        find = partial(
            self._matching,
            request,
            lambda: self._wanted_contacts(request),
            self._contact_columns,
            "ContactID",
        )
        found = self._cut("Contacts", request, find)
        overdue = self._kept.overdue(self._parties.overdue)
        is_whole = found.is_paged
        return _answer(
            "Contacts", found, [self._contact(row, overdue, is_whole) for row in found.rows]
        )

    def payments(self, request: Request) -> Response:
        find = partial(
            self._matching, request, self._settlement.payments, _PAYMENT_COLUMNS, "PaymentID"
        )
        found = self._cut("Payments", request, find)
        return _answer("Payments", found, [self._payment(row) for row in found.rows])

    def credit_notes(self, request: Request) -> Response:
        find = partial(
            self._matching,
            request,
            self._ledger.credits.values,
            self._credit_columns,
            "CreditNoteID",
        )
        found = self._cut("CreditNotes", request, find)
        show = self._documents.credit_note
        shown = [encoded(show(row, with_lines=found.is_paged)) for row in found.rows]
        return _answer("CreditNotes", found, shown)

    def overpayments(self, request: Request) -> Response:
        columns = _AHEAD_COLUMNS["Overpayment"]
        find = partial(
            self._matching, request, self._settlement.overpayments, columns, "OverpaymentID"
        )
        found = self._cut("Overpayments", request, find)
        shown = [encoded(self._documents.overpayment(row)) for row in found.rows]
        return _answer("Overpayments", found, shown)

    def prepayments(self, request: Request) -> Response:
        """The deposits that were taken with invoices."""
        columns = _AHEAD_COLUMNS["Prepayment"]
        find = partial(
            self._matching, request, self._settlement.prepayments, columns, "PrepaymentID"
        )
        found = self._cut("Prepayments", request, find)
        shown = [encoded(self._documents.prepayment(row)) for row in found.rows]
        return _answer("Prepayments", found, shown)

    def one(self, request: Request, collection: str, key: str) -> Response:
        """A credit note, payment, overpayment or prepayment by id. Raises Refusal."""
        tables: dict[str, tuple[Callable[[], Iterable[Any]], Callable[[Any], Json]]] = {
            "creditnotes": (
                self._ledger.credits.values,
                lambda row: self._documents.credit_note(row, with_lines=True),
            ),
            "payments": (self._settlement.payments, self._documents.payment),
            "overpayments": (self._settlement.overpayments, self._documents.overpayment),
            "prepayments": (self._settlement.prepayments, self._documents.prepayment),
        }
        rows, show = tables[collection]
        row = next((row for row in rows() if row.id == key), None)
        if row is None:
            raise Refusal(404, NOT_FOUND)
        return reply(_SPELT[collection], [show(row)])

    # --- finding ------------------------------------------------------------------------------

    def _cut(self, name: str, request: Request, find: Callable[[], list[_T]]) -> Slice[_T]:
        return cut(request, self._kept.walk(name, request, find))

    def _matching(
        self, request: Request, rows: Callable[[], Iterable[Any]], columns: Columns[Any], key: str
    ) -> list[Any]:
        is_asked = bool(request.header("if-modified-since"))
        return matching(
            request,
            rows(),
            columns,
            lambda row: row.updated_at,
            key=key,
            is_since_ignored=is_asked and self._faults.strikes("watermark-ignored"),
        )

    def _wanted_invoices(self, request: Request) -> Iterable[InvoiceRow]:
        rows: Iterable[InvoiceRow] = self._ledger.invoices.values()
        ids = {value.lower() for value in values(request, "IDs")}
        if ids:
            rows = [self._ledger.invoices[key] for key in ids if key in self._ledger.invoices]
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
        return rows

    def _wanted_contacts(self, request: Request) -> Iterable[CustomerRow]:
        ids = {value.lower() for value in values(request, "IDs")}
        if ids:
            customers = self._ledger.customers
            return [customers[key] for key in ids if key in customers]
        rows = self._ledger.customers.values()
        if request.param("includeArchived").lower() == "true":
            return rows
        return [row for row in rows if row.is_active]

    # --- rows as bytes ------------------------------------------------------------------------

    def _invoice(self, row: InvoiceRow, with_lines: bool) -> bytes:
        def render() -> Json:
            return self._documents.invoice(row, with_lines=with_lines)

        if self._faults.is_ordered(*INVOICE_FAULTS):
            return encoded(render())
        ledger = self._ledger
        state = (
            row.version,
            ledger.customers[row.customer].version,
            self._documents.rate(row.currency),
            len(ledger.files.get(row.id, ())),
            tuple((source.id, source.version) for source, _ in ledger.settled_by(row.id)),
        )
        return self._kept.row("invoice+" if with_lines else "invoice", row.id, state, render)

    def _contact(self, row: CustomerRow, overdue: dict[str, int], is_whole: bool) -> bytes:
        def render() -> Json:
            return self._parties.contact(row, overdue, is_whole=is_whole)

        if self._faults.is_ordered("long-name"):
            return encoded(render())
        # Whoever joins or leaves a group gets a new version.
        state = (row.version, self._ledger.owed(row.id), overdue.get(row.id, 0))
        return self._kept.row("contact+" if is_whole else "contact", row.id, state, render)

    def _payment(self, row: XeroPaymentRow) -> bytes:
        invoice = self._ledger.invoices[row.invoice]
        customer = self._ledger.customers[row.customer]
        state = (row, invoice.number, customer.version, self._documents.rate(row.currency))
        return self._kept.row("payment", row.id, state, lambda: self._documents.payment(row))


def _credit_status(row: CreditRow) -> str:
    if row.status != "live":
        return "VOIDED"
    return "AUTHORISED" if row.remaining > 0 else "PAID"


def _answer(collection: str, found: Slice[Any], shown: list[bytes]) -> Response:
    body = b'"%s":[%s]}' % (collection.encode(), b",".join(shown))
    if found.pagination is None:
        body = b"{" + body
    else:
        body = b'{"pagination":%s,%s' % (encoded(found.pagination), body)
    return Response(headers={"Content-Type": "application/json;charset=UTF-8"}, body=body)
