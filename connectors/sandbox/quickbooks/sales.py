"""Sales documents as QuickBooks serves them: invoices, credit memos, estimates, payments.

Only properties that have a value are there.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from connectors.sandbox.ledger import Ledger
from connectors.sandbox.quickbooks.applying import Applications
from connectors.sandbox.quickbooks.fields import ESTIMATE_STATUS
from connectors.sandbox.quickbooks.setup import CompanyLists
from connectors.sandbox.rows import (
    Allocation,
    CreditRow,
    EstimateRow,
    InvoiceRow,
    Line,
    PaymentRow,
)
from rules.model.money import Minor, currency_digits

Shown = dict[str, Any]

_SEEN: Final = {"viewed": "Viewed", "disputed": "Disputed"}


class Sales:
    """Documents of customers as JSON objects, without the head that every entity has."""

    def __init__(
        self,
        ledger: Ledger,
        lists: CompanyLists,
        applications: Applications,
        *,
        takes_online_payments: bool,
    ) -> None:
        self._ledger = ledger
        self._lists = lists
        self._applications = applications
        self._takes_online_payments = takes_online_payments
        self.is_multicurrency = len(ledger.facts.currencies) > 1

    def time(self, at: datetime) -> str:
        """An instant as QuickBooks writes it: with the company's offset."""
        return at.astimezone(self._ledger.zone).isoformat(timespec="seconds")

    def rate(self, currency: str) -> str:
        base = self._ledger.company.base_currency
        return "1" if currency == base else self._ledger.rate(currency)

    def term(self, days: int | None) -> Shown:
        term = self._lists.terms[str(days)]
        return {"value": term.id, "name": term.name}

    # --- documents ----------------------------------------------------------------------------

    def invoice(self, row: InvoiceRow) -> Shown:
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
        place = next((dict(line.tracking).get("Location") for line in row.lines), None)
        if place:
            shown["DepartmentRef"] = _named(place)
        shown["TxnTaxDetail"] = {"TotalTax": amount(row.tax)}
        shown["PrintStatus"] = "NotSet"
        if row.deposit:
            shown["Deposit"] = amount(row.deposit)
        if self.is_multicurrency and row.currency != self._ledger.company.base_currency:
            rate = Decimal(self.rate(row.currency))
            shown["HomeTotalAmt"] = round(amount(row.total) * rate, 2)
            shown["HomeBalance"] = round(amount(row.balance) * rate, 2)
        shown["AllowOnlineCreditCardPayment"] = self._takes_online_payments
        shown["AllowOnlineACHPayment"] = False
        if row.email:
            shown["BillEmail"] = {"Address": row.email}
        shown.update(self._delivery(row))
        if row.pays_by_itself:
            shown["SchedulePayEligible"] = True
            shown["ScheduledPaymentId"] = f"SP{row.id}"
        customer = self._ledger.customers[row.customer]
        if row.by == "book" and str(customer.terms_days) in self._lists.terms:
            shown["SalesTermRef"] = self.term(customer.terms_days)
        if customer.street or customer.country:
            shown["BillAddr"] = self.address(f"A{row.id}", customer.street, customer.country)
        fields = ((("PO Number", row.po),) if row.po else ()) + row.fields
        if fields:
            shown["CustomField"] = [
                {
                    "DefinitionId": str(number),
                    "Name": name,
                    "Type": "StringType",
                    "StringValue": text,
                }
                for number, (name, text) in enumerate(fields, start=1)
            ]
        links = [
            {"TxnId": self._payment_id(source), "TxnType": "Payment"}
            for source, _ in self._ledger.settled_by(row.id)
            if source.status == "live"
        ]
        if links:
            shown["LinkedTxn"] = links
        return shown

    def payment(self, row: PaymentRow) -> Shown:
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

    def credit(self, row: CreditRow) -> Shown:
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

    def estimate(self, row: EstimateRow) -> Shown:
        shown = self._document(row)
        if row.number:
            shown["DocNumber"] = row.number
        shown["TxnDate"] = row.on.isoformat()
        if row.expires_on is not None:
            shown["ExpirationDate"] = row.expires_on.isoformat()
        shown["TxnStatus"] = ESTIMATE_STATUS[row.status]
        if row.status == "accepted":
            shown["AcceptedDate"] = row.updated_at.astimezone(self._ledger.zone).date().isoformat()
        shown["TotalAmt"] = _money(row.currency)(row.total)
        shown["Line"] = self._lines(row.lines, row.currency)
        shown["EmailStatus"] = "NotSet"
        return shown

    def address(self, key: str, street: str, country: str) -> Shown:
        shown: Shown = {"Id": key}
        if street:
            shown["Line1"] = street
        if country:
            shown["Country"] = COUNTRIES.get(country.upper(), country)
        return shown

    # --- parts --------------------------------------------------------------------------------

    def _document(self, row: InvoiceRow | CreditRow | PaymentRow | EstimateRow) -> Shown:
        customer = self._ledger.customers[row.customer]
        shown: Shown = {"CustomerRef": {"value": customer.id, "name": customer.name}}
        if self.is_multicurrency:
            shown["CurrencyRef"] = {"value": row.currency}
            shown["ExchangeRate"] = Decimal(self.rate(row.currency))
        note = row.private_note
        if row.status == "void":
            note = f"Voided - {note}" if note else "Voided"
        if note:
            shown["PrivateNote"] = note
        return shown

    def _payment_id(self, source: PaymentRow | CreditRow) -> str:
        return self._applications.id_of(source) if isinstance(source, CreditRow) else source.id

    def _delivery(self, row: InvoiceRow) -> Shown:
        if row.is_bounced:
            info = {"DeliveryType": "Email", "DeliveryErrorType": "Bounced Email"}
            return {
                "EmailStatus": "NeedToSend" if row.email else "NotSet",
                "DeliveryInfo": info,
                "EInvoiceStatus": "Delivery Error",
                "ECloudStatusTimeStamp": self.time(row.updated_at),
            }
        seen: Shown = {}
        if row.seen:
            seen = {
                "EInvoiceStatus": _SEEN[row.seen],
                "ECloudStatusTimeStamp": self.time(row.updated_at),
            }
        if row.sent is None:
            return {"EmailStatus": "NotSet", **seen}
        if row.sent:
            day = datetime.combine(row.issued_on, datetime.min.time(), self._ledger.zone)
            at = row.extra.get("DeliveryInfo", {}).get("DeliveryTime") or self.time(day)
            info = {"DeliveryType": "Email", "DeliveryTime": at}
            return {"EmailStatus": "EmailSent", "DeliveryInfo": info, **seen}
        if row.email:
            return {"EmailStatus": "NeedToSend", **seen}
        problem = {"DeliveryType": "Email", "DeliveryErrorType": "Missing Info"}
        return {"EmailStatus": "NotSet", "DeliveryInfo": problem, **seen}

    def _lines(self, lines: tuple[Line, ...], currency: str, is_fee: bool = False) -> list[Shown]:
        amount = _money(currency)
        shown: list[Shown] = []
        for position, line in enumerate(lines, start=1):
            key = self._lists.item_id(line.item) or (
                "2" if is_fee and "2" in self._lists.items else "1"
            )
            item = self._lists.items.get(key)
            detail: Shown = {
                "ItemRef": {"value": key, **({"name": item.name} if item else {})},
                "Qty": line.quantity,
                "UnitPrice": line.unit_price,
            }
            named = dict(line.tracking).get("Class")
            if named:
                detail["ClassRef"] = _named(named)
            if line.account:
                account = self._lists.accounts.get(line.account)
                name = {"name": account.name} if account is not None else {}
                detail["ItemAccountRef"] = {"value": line.account, **name}
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


def _merged(row: PaymentRow) -> list[Allocation]:
    """One line an invoice."""
    sums: dict[str, Minor] = {}
    for part in row.allocations:
        sums[part.invoice] = sums.get(part.invoice, 0) + part.amount
    return [Allocation(invoice, amount) for invoice, amount in sums.items()]


def _named(name: str) -> Mapping[str, str]:
    """A class or a location: the same name is the same one."""
    return {"value": f"{500_000 + zlib.crc32(name.encode()) % 499_999}", "name": name}


def _link(amount: Decimal, key: str, kind: str) -> Mapping[str, Any]:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": key, "TxnType": kind}]}


def major(minor: Minor, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-currency_digits(currency))


def _money(currency: str) -> Any:
    exponent = -currency_digits(currency)
    return lambda minor: Decimal(minor).scaleb(exponent)


# Addresses carry ISO 3166 alpha-3 codes since October 2025.
COUNTRIES: Final = {
    "AT": "AUT", "AU": "AUS", "BE": "BEL", "BR": "BRA", "CA": "CAN", "CH": "CHE", "DE": "DEU",
    "DK": "DNK", "ES": "ESP", "FI": "FIN", "FR": "FRA", "GB": "GBR", "IE": "IRL", "IN": "IND",
    "IT": "ITA", "JP": "JPN", "MX": "MEX", "NL": "NLD", "NO": "NOR", "NZ": "NZL", "PL": "POL",
    "PT": "PRT", "SE": "SWE", "SG": "SGP", "US": "USA", "ZA": "ZAF",
}  # fmt: skip
