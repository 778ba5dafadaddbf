"""Rows of the ledger as QuickBooks serves them. Only properties that have a value are there.

A credit memo does not name the invoices that it settles: QuickBooks keeps that in a payment of
zero whose lines link both sides, so each applied credit of the book is served with one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import encoded
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.quickbooks.setup import CompanyLists, ListRow
from connectors.sandbox.rows import (
    Allocation,
    CreditRow,
    CustomerRow,
    InvoiceRow,
    Line,
    NoteRow,
    PaymentRow,
    Row,
)
from rules.model.money import Minor, currency_digits

Shown = dict[str, Any]

_ENTITY_OF = {
    "customer": "Customer",
    "invoice": "Invoice",
    "payment": "Payment",
    "credit_note": "CreditMemo",
}

ROW_FAULTS = ("null-due-date", "unknown-enum", "malformed-row")

# Addresses carry ISO 3166 alpha-3 codes since October 2025.
_COUNTRIES = {
    "AT": "AUT", "AU": "AUS", "BE": "BEL", "BR": "BRA", "CA": "CAN", "CH": "CHE", "DE": "DEU",
    "DK": "DNK", "ES": "ESP", "FI": "FIN", "FR": "FRA", "GB": "GBR", "IE": "IRL", "IN": "IND",
    "IT": "ITA", "JP": "JPN", "MX": "MEX", "NL": "NLD", "NO": "NOR", "NZ": "NZL", "PL": "POL",
    "PT": "PRT", "SE": "SWE", "SG": "SGP", "US": "USA", "ZA": "ZAF",
}  # fmt: skip


class Renderer:
    """Turns rows into bytes, and keeps them while the row's version stands."""

    def __init__(self, ledger: Ledger, lists: CompanyLists, faults: FaultPlan) -> None:
        self._ledger = ledger
        self._lists = lists
        self._faults = faults
        self._kept: dict[tuple[str, str], tuple[Any, bytes]] = {}
        self._children: tuple[int, dict[str, list[str]]] = (-1, {})
        self._applications: dict[str, tuple[int, PaymentRow]] = {}
        self._is_multicurrency = len(ledger.facts.currencies) > 1
        for fact in ledger.facts.facts:
            if fact.kind == "credit_note":
                ledger.ids.of_book("payment", f"apply:{fact.fields['id']}")

    # --- pages --------------------------------------------------------------------------------

    def page(self, entity: str, rows: Iterable[Row]) -> bytes:
        """The rows as the inside of a JSON list."""
        return b",".join(self.row(entity, row) for row in rows)

    def row(self, entity: str, row: Row) -> bytes:
        """One row as JSON."""
        if entity == "Invoice" and self._faults.is_ordered(*ROW_FAULTS):
            return encoded(self._struck(self.shown(entity, row)))
        state = self._state(row)
        kept = self._kept.get((entity, row.id))
        if kept is not None and kept[0] == state:
            return kept[1]
        content = encoded(self.shown(entity, row))
        self._kept[entity, row.id] = (state, content)
        return content

    def _state(self, row: Row) -> Any:
        """Everything besides the row itself that shows in it."""
        customer = self._ledger.customers.get(getattr(row, "customer", ""))
        if customer is not None:
            return (row.version, customer.version, self._rate(getattr(row, "currency", "")))
        if isinstance(row, CustomerRow):
            return (row.version, *self._owed(row))
        return row.version

    def shown(self, entity: str, row: Row) -> Shown:
        """One row as a JSON object."""
        head: Shown = {
            "Id": row.id,
            "SyncToken": str(row.version),
            "domain": "QBO",
            "sparse": False,
            "MetaData": {
                "CreateTime": self.time(row.created_at),
                "LastUpdatedTime": self.time(row.updated_at),
            },
        }
        if isinstance(row, InvoiceRow):
            return {**row.extra, **head, **self._invoice(row)}
        if isinstance(row, PaymentRow):
            return {**row.extra, **head, **self._payment(row)}
        if isinstance(row, CreditRow):
            return {**row.extra, **head, **self._credit(row)}
        if isinstance(row, CustomerRow):
            return {**row.extra, **head, **self._customer(row)}
        if isinstance(row, NoteRow):
            return {**row.extra, **head, **_note(row)}
        assert isinstance(row, ListRow)
        return {**row.extra, **head, "Name": row.name, "Active": row.is_active}

    def time(self, at: datetime) -> str:
        """An instant as QuickBooks writes it: with the company's offset."""
        return at.astimezone(self._ledger.zone).isoformat(timespec="seconds")

    # --- payments of zero that apply a credit ---------------------------------------------------

    def payments(self) -> list[PaymentRow]:
        """All payments, those that apply a credit of the book included."""
        found = list(self._ledger.payments.values())
        for credit in self._ledger.credits.values():
            if credit.allocations:
                found.append(self._application(credit))
        return found

    def payment(self, key: str) -> PaymentRow | None:
        """A payment by id."""
        known = self._ledger.payments.get(key)
        if known is not None:
            return known
        return next((row for row in self.payments() if row.id == key), None)

    def _application(self, credit: CreditRow) -> PaymentRow:
        kept = self._applications.get(credit.id)
        if kept is not None and kept[0] == credit.version:
            return kept[1]
        row = PaymentRow(
            id=self.application_id(credit),
            version=credit.version,
            created_at=credit.created_at,
            updated_at=credit.updated_at,
            by=credit.by,
            customer=credit.customer,
            currency=credit.currency,
            on=credit.on,
            amount=0,
            allocations=credit.allocations,
            credits_used=((credit.id, sum(part.amount for part in credit.allocations)),),
        )
        self._applications[credit.id] = (credit.version, row)
        return row

    def application_id(self, credit: CreditRow) -> str:
        book_id = self._ledger.ids.book_id("credit_note", credit.id)
        return self._ledger.ids.of_book("payment", f"apply:{book_id}")

    # --- entities -----------------------------------------------------------------------------

    def _customer(self, row: CustomerRow) -> Shown:
        ledger = self._ledger
        own, below = self._owed(row)
        currency = row.currency or ledger.company.base_currency
        shown: Shown = {
            "DisplayName": row.name,
            "FullyQualifiedName": row.name,
            "PrintOnCheckName": row.name,
            "Active": row.is_active,
            "Taxable": False,
            "Job": row.parent is not None,
            "BillWithParent": row.parent is not None,
            "Balance": _major(own, currency),
            "BalanceWithJobs": _major(own + below, currency),
            "PreferredDeliveryMethod": "Email" if row.email else "None",
        }
        parent = ledger.customers.get(row.parent or "")
        if parent is not None:
            shown["ParentRef"] = {"value": parent.id}
            shown["Level"] = 1
            shown["FullyQualifiedName"] = f"{parent.name}:{row.name}"
        if row.email:
            shown["PrimaryEmailAddr"] = {"Address": row.email}
        if row.phone:
            shown["PrimaryPhone"] = {"FreeFormNumber": row.phone}
        if row.country:
            country = _COUNTRIES.get(row.country.upper(), row.country)
            shown["BillAddr"] = {"Id": row.id, "Country": country}
        if str(row.terms_days) in self._lists.terms:
            shown["SalesTermRef"] = self._term(row.terms_days)
        if row.tags:
            kind = self._lists.customer_types[row.tags[0]]
            shown["CustomerTypeRef"] = {"value": kind.id, "name": kind.name}
        if self._is_multicurrency:
            shown["CurrencyRef"] = {"value": currency}
        return shown

    def _owed(self, row: CustomerRow) -> tuple[Minor, Minor]:
        """What the customer owes, and what its sub-customers owe."""
        ledger = self._ledger
        if self._children[0] != ledger.changes:
            children: dict[str, list[str]] = {}
            for one in ledger.customers.values():
                if one.parent is not None:
                    children.setdefault(one.parent, []).append(one.id)
            self._children = (ledger.changes, children)
        below = sum(ledger.owed(child) for child in self._children[1].get(row.id, ()))
        return ledger.owed(row.id), below

    def _term(self, days: int | None) -> Shown:
        term = self._lists.terms[str(days)]
        return {"value": term.id, "name": term.name}

    def _document(self, row: InvoiceRow | CreditRow | PaymentRow) -> Shown:
        customer = self._ledger.customers[row.customer]
        shown: Shown = {"CustomerRef": {"value": customer.id, "name": customer.name}}
        if self._is_multicurrency:
            shown["CurrencyRef"] = {"value": row.currency}
            shown["ExchangeRate"] = Decimal(self._rate(row.currency))
        note = row.private_note
        if row.status == "void":
            note = f"Voided - {note}" if note else "Voided"
        if note:
            shown["PrivateNote"] = note
        return shown

    def _rate(self, currency: str) -> str:
        base = self._ledger.company.base_currency
        return "1" if currency == base else self._ledger.rate(currency)

    def _invoice(self, row: InvoiceRow) -> Shown:
        amount = _money(row.currency)
        shown = self._document(row)
        shown["TxnDate"] = row.issued_on.isoformat()
        if row.number:
            shown["DocNumber"] = row.number
        if row.due_on is not None:
            shown["DueDate"] = row.due_on.isoformat()
        shown["TotalAmt"] = amount(row.total)
        shown["Balance"] = amount(row.balance)
        shown["Line"] = self._lines(row.lines, row.currency, row.is_fee)
        shown["TxnTaxDetail"] = {"TotalTax": amount(row.tax)}
        shown["PrintStatus"] = "NotSet"
        if self._is_multicurrency and row.currency != self._ledger.company.base_currency:
            rate = Decimal(self._rate(row.currency))
            shown["HomeTotalAmt"] = round(amount(row.total) * rate, 2)
            shown["HomeBalance"] = round(amount(row.balance) * rate, 2)
        if row.email:
            shown["BillEmail"] = {"Address": row.email}
        shown.update(self._delivery(row))
        if row.by == "book":
            customer = self._ledger.customers[row.customer]
            if str(customer.terms_days) in self._lists.terms:
                shown["SalesTermRef"] = self._term(customer.terms_days)
        if row.po:
            shown["CustomField"] = [
                {
                    "DefinitionId": "1",
                    "Name": "PO Number",
                    "Type": "StringType",
                    "StringValue": row.po,
                }
            ]
        links = [
            {"TxnId": self._payment_id(source), "TxnType": "Payment"}
            for source, _ in self._ledger.settled_by(row.id)
            if source.status == "live"
        ]
        if links:
            shown["LinkedTxn"] = links
        return shown

    def _payment_id(self, source: PaymentRow | CreditRow) -> str:
        return self.application_id(source) if isinstance(source, CreditRow) else source.id

    def _delivery(self, row: InvoiceRow) -> Shown:
        if row.sent is None:
            return {"EmailStatus": "NotSet"}
        if row.sent:
            day = datetime.combine(row.issued_on, datetime.min.time(), self._ledger.zone)
            at = row.extra.get("DeliveryInfo", {}).get("DeliveryTime") or self.time(day)
            return {
                "EmailStatus": "EmailSent",
                "DeliveryInfo": {"DeliveryType": "Email", "DeliveryTime": at},
            }
        if row.email:
            return {"EmailStatus": "NeedToSend"}
        problem = {"DeliveryType": "Email", "DeliveryErrorType": "Missing Info"}
        return {"EmailStatus": "NotSet", "DeliveryInfo": problem}

    def _lines(self, lines: tuple[Line, ...], currency: str, is_fee: bool = False) -> list[Shown]:
        amount = _money(currency)
        shown: list[Shown] = []
        for position, line in enumerate(lines, start=1):
            key = line.item or ("2" if is_fee and "2" in self._lists.items else "1")
            item = self._lists.items.get(key)
            detail: Shown = {
                "ItemRef": {"value": key, **({"name": item.name} if item else {})},
                "Qty": line.quantity,
                "UnitPrice": line.unit_price,
            }
            if line.tax_code or self._lists.is_us:
                detail["TaxCodeRef"] = {"value": line.tax_code or ("TAX" if line.tax else "NON")}
            shown.append(
                {
                    "Id": line.id or str(position),
                    "LineNum": position,
                    "Amount": amount(line.amount),
                    "DetailType": "SalesItemLineDetail",
                    "SalesItemLineDetail": detail,
                    **({"Description": line.description} if line.description else {}),
                }
            )
        total = amount(sum(line.amount for line in lines))
        shown.append(
            {"Amount": total, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
        )
        return shown

    def _payment(self, row: PaymentRow) -> Shown:
        amount = _money(row.currency)
        shown = self._document(row)
        shown["TxnDate"] = row.on.isoformat()
        shown["TotalAmt"] = amount(row.amount)
        shown["UnappliedAmt"] = amount(row.unapplied)
        shown["ProcessPayment"] = False
        lines = [_link(amount(part.amount), part.invoice, "Invoice") for part in _merged(row)]
        if row.status == "live":
            lines += [_link(amount(used), key, "CreditMemo") for key, used in row.credits_used]
        shown["Line"] = lines
        return shown

    def _credit(self, row: CreditRow) -> Shown:
        amount = _money(row.currency)
        shown = self._document(row)
        if row.number:
            shown["DocNumber"] = row.number
        shown["TxnDate"] = row.on.isoformat()
        shown["TotalAmt"] = amount(row.total)
        shown["RemainingCredit"] = amount(row.remaining)
        shown["Balance"] = amount(row.remaining)
        shown["Line"] = self._lines(row.lines, row.currency)
        return shown

    def _struck(self, shown: Shown) -> Shown:
        key = shown["Id"]
        if self._faults.strikes_row("null-due-date", key):
            shown.pop("DueDate", None)
        if self._faults.strikes_row("unknown-enum", key):
            shown["EmailStatus"] = "PendingReview"
        if self._faults.strikes_row("malformed-row", key):
            shown["Balance"] = "n/a"
            shown["TxnDate"] = "31/02/2019"
        return shown


def _note(row: NoteRow) -> Shown:
    shown: Shown = {}
    if row.text:
        shown["Note"] = row.text
    if row.targets:
        shown["AttachableRef"] = [
            {
                "IncludeOnSend": row.is_sent_along,
                "EntityRef": {"type": _ENTITY_OF[kind], "value": key},
            }
            for kind, key in row.targets
        ]
    return shown


def _merged(row: PaymentRow) -> list[Allocation]:
    """One line an invoice."""
    sums: dict[str, Minor] = {}
    for part in row.allocations:
        sums[part.invoice] = sums.get(part.invoice, 0) + part.amount
    return [Allocation(invoice, amount) for invoice, amount in sums.items()]


def _link(amount: Decimal, key: str, kind: str) -> Mapping[str, Any]:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": key, "TxnType": kind}]}


def _major(minor: Minor, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-currency_digits(currency))


def _money(currency: str) -> Any:
    exponent = -currency_digits(currency)
    return lambda minor: Decimal(minor).scaleb(exponent)
