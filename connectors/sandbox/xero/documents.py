"""Invoices, payments, credit notes and overpayments as Xero's JSON."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.ids import XeroIds
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import Allocation, CreditRow, InvoiceRow, Line, PaymentRow
from connectors.sandbox.xero.settlement import OverpaymentRow, Settlement, XeroPaymentRow
from connectors.sandbox.xero.spelling import amount, day_text, ms_date, ms_instant
from connectors.sandbox.xero.striking import struck_invoice
from rules.model.money import Minor

Json = dict[str, Any]

STATUS: Final[Mapping[str, str]] = {
    "open": "AUTHORISED",
    "paid": "PAID",
    "void": "VOIDED",
    "deleted": "DELETED",
    "draft": "DRAFT",
    "submitted": "SUBMITTED",
}
BANK_ACCOUNT: Final = "090"


class Documents:
    """Renders rows. `settlement` says which payments an invoice has."""

    def __init__(
        self, ledger: Ledger, ids: XeroIds, settlement: Settlement, faults: FaultPlan
    ) -> None:
        self._ledger = ledger
        self._ids = ids
        self._settlement = settlement
        self._faults = faults

    # --- invoices -----------------------------------------------------------------------------

    def invoice(self, row: InvoiceRow, *, with_lines: bool) -> Json:
        """One invoice; its lines come in paged and single answers only."""
        lines_are_net = row.extra.get("LineAmountTypes", "Exclusive") != "Inclusive"
        payments, credits, overpayments, paid, credited = self._applied(row)
        shown = {
            "Type": row.extra.get("Type", "ACCREC"),
            "InvoiceID": row.id,
            "InvoiceNumber": row.number,
            "Reference": row.reference or row.po,
            "Payments": payments,
            "CreditNotes": credits,
            "Prepayments": self._prepaid(row),
            "Overpayments": overpayments,
            "AmountDue": amount(row.balance, row.currency),
            "AmountPaid": amount(paid, row.currency),
            "AmountCredited": amount(credited, row.currency),
            "SentToContact": bool(row.sent),
            "CurrencyRate": self.rate(row.currency),
            "HasErrors": False,
            "IsDiscounted": False,
            "HasAttachments": bool(self._ledger.files.get(row.id)),
            "Contact": self.contact_ref(row.customer),
            **_dated("Date", row.issued_on),
            "Status": STATUS[row.status],
            "LineAmountTypes": row.extra.get("LineAmountTypes", "Exclusive"),
            "LineItems": [
                self._line(row, line, position, is_net=lines_are_net)
                for position, line in enumerate(row.lines)
            ]
            if with_lines
            else [],
            "SubTotal": amount(row.total - row.tax, row.currency),
            "TotalTax": amount(row.tax, row.currency),
            "Total": amount(row.total, row.currency),
            "UpdatedDateUTC": ms_instant(row.updated_at),
            "CurrencyCode": row.currency,
        }
        if row.due_on is not None:
            shown.update(_dated("DueDate", row.due_on))
        if "ExpectedPaymentDate" in row.extra:
            shown["ExpectedPaymentDate"] = row.extra["ExpectedPaymentDate"]
        if row.status == "paid":
            days = [part.on for part in self._settlements_of(row)]
            shown["FullyPaidOnDate"] = ms_date(max(days, default=row.issued_on))
        return struck_invoice(shown, self._faults)

    def _prepaid(self, row: InvoiceRow) -> list[Json]:
        """The deposit that was taken with an invoice: a prepayment, allocated to it."""
        left = self._settlement.prepayment_of(row)
        if left is None or not left.allocations:
            return []
        return [
            {
                "PrepaymentID": left.id,
                "AppliedAmount": amount(left.total, row.currency),
                **_dated("Date", left.on),
                "LineItems": [],
                "Total": amount(left.total, row.currency),
            }
        ]

    def _applied(self, row: InvoiceRow) -> tuple[list[Json], list[Json], list[Json], Minor, Minor]:
        """Payments, credit notes and overpayments on an invoice, and the sums."""
        payments: list[Json] = []
        credits: list[Json] = []
        overpayments: list[Json] = []
        paid = 0
        credited = row.deposit if row.is_live else 0
        for source, applied in self._ledger.settled_by(row.id) if row.is_live else ():
            if source.status != "live":
                continue
            if isinstance(source, CreditRow):
                credited += applied
                credits.append(
                    {
                        "CreditNoteID": source.id,
                        "CreditNoteNumber": source.number,
                        "HasErrors": False,
                        "AppliedAmount": amount(applied, row.currency),
                        **_dated("Date", source.on),
                        "LineItems": [],
                        "Total": amount(source.total, row.currency),
                    }
                )
                continue
            direct = 0
            for part in self._settlement.payments_of(source, row.id):
                direct += part.amount
                payments.append(
                    {
                        "PaymentID": part.id,
                        "Date": ms_date(part.on),
                        "Amount": amount(part.amount, row.currency),
                        "CurrencyRate": self.rate(row.currency),
                        "HasAccount": False,
                        "HasValidationErrors": False,
                    }
                )
            paid += direct
            left = self._settlement.overpayment_of(source)
            if applied > direct and left is not None:
                credited += applied - direct
                overpayments.append(
                    {
                        "OverpaymentID": left.id,
                        "AppliedAmount": amount(applied - direct, row.currency),
                        **_dated("Date", left.on),
                        "LineItems": [],
                        "Total": amount(left.total, row.currency),
                    }
                )
        return payments, credits, overpayments, paid, credited

    def _settlements_of(self, row: InvoiceRow) -> list[PaymentRow | CreditRow]:
        return [source for source, _ in self._ledger.settled_by(row.id) if source.status == "live"]

    def _line(self, row: InvoiceRow, line: Line, position: int, *, is_net: bool) -> Json:
        shown: Json = {
            "LineItemID": line.id
            if len(line.id) == 36
            else self._ids.derived("line", row.id, str(position)),
            "Description": line.description,
            **({"ItemCode": line.item} if line.item else {}),
            "Quantity": line.quantity,
            "UnitAmount": line.unit_price,
            "TaxType": line.tax_code or ("OUTPUT2" if line.tax else "NONE"),
            "TaxAmount": amount(line.tax, row.currency),
            "LineAmount": amount(line.amount if is_net else line.amount + line.tax, row.currency),
            "AccountCode": line.account or "200",
            "Tracking": [
                {
                    "Name": category,
                    "Option": option,
                    "TrackingCategoryID": self._ids.derived("tracking", category),
                    "TrackingOptionID": self._ids.derived("tracking", category, option),
                }
                for category, option in line.tracking
            ],
        }
        return shown

    # --- payments and credits -----------------------------------------------------------------

    def payment(self, row: XeroPaymentRow) -> Json:
        invoice = self._ledger.invoices[row.invoice]
        return {
            "PaymentID": row.id,
            "Date": ms_date(row.on),
            "BankAmount": amount(row.amount, row.currency),
            "Amount": amount(row.amount, row.currency),
            "Reference": "",
            "CurrencyRate": self.rate(row.currency),
            "PaymentType": "ACCRECPAYMENT",
            "Status": row.status,
            "UpdatedDateUTC": ms_instant(row.updated_at),
            "HasAccount": True,
            "IsReconciled": row.status == "AUTHORISED",
            "Account": {
                "AccountID": self._ids.derived("account", BANK_ACCOUNT),
                "Code": BANK_ACCOUNT,
            },
            "Invoice": {
                "Type": "ACCREC",
                "InvoiceID": invoice.id,
                "InvoiceNumber": invoice.number,
                "Payments": [],
                "CreditNotes": [],
                "Prepayments": [],
                "Overpayments": [],
                "HasErrors": False,
                "IsDiscounted": False,
                "Contact": self.contact_ref(row.customer),
                "LineItems": [],
                "CurrencyCode": invoice.currency,
            },
            "HasValidationErrors": False,
        }

    def credit_note(self, row: CreditRow, *, with_lines: bool) -> Json:
        status = "VOIDED"
        if row.status == "live":
            status = "AUTHORISED" if row.remaining > 0 else "PAID"
        return {
            "CreditNoteID": row.id,
            "CreditNoteNumber": row.number,
            "Payments": [],
            "CurrencyRate": self.rate(row.currency),
            "Type": "ACCRECCREDIT",
            "Reference": row.reference,
            "RemainingCredit": amount(row.remaining, row.currency),
            "Allocations": [
                self._allocation(row.id, part, row.currency, row.on) for part in row.allocations
            ],
            "HasAttachments": False,
            "Contact": self.contact_ref(row.customer),
            **_dated("Date", row.on),
            "Status": status,
            "LineAmountTypes": row.extra.get("LineAmountTypes", "Exclusive"),
            "LineItems": [
                {
                    "Description": line.description,
                    "Quantity": line.quantity,
                    "UnitAmount": line.unit_price,
                    "TaxAmount": amount(line.tax, row.currency),
                    "LineAmount": amount(
                        line.amount
                        if row.extra.get("LineAmountTypes") != "Inclusive"
                        else line.amount + line.tax,
                        row.currency,
                    ),
                    "AccountCode": line.account or "200",
                    "Tracking": [],
                }
                for line in row.lines
            ]
            if with_lines
            else [],
            "SubTotal": amount(row.total - row.tax, row.currency),
            "TotalTax": amount(row.tax, row.currency),
            "Total": amount(row.total, row.currency),
            "UpdatedDateUTC": ms_instant(row.updated_at),
            "CurrencyCode": row.currency,
        }

    def overpayment(self, row: OverpaymentRow) -> Json:
        return self._ahead("Overpayment", row)

    def prepayment(self, row: OverpaymentRow) -> Json:
        return self._ahead("Prepayment", row)

    def _ahead(self, kind: str, row: OverpaymentRow) -> Json:
        """Money that came before the invoice: both kinds have the same parts."""
        return {
            f"{kind}ID": row.id,
            "Type": f"RECEIVE-{kind.upper()}",
            "Reference": "",
            "RemainingCredit": amount(row.remaining, row.currency),
            "Allocations": [
                self._allocation(row.id, part, row.currency, row.on) for part in row.allocations
            ],
            "Payments": [],
            "HasAttachments": False,
            "Contact": self.contact_ref(row.customer),
            **_dated("Date", row.on),
            "Status": row.status,
            "LineAmountTypes": "NoTax",
            "LineItems": [],
            "SubTotal": amount(row.total, row.currency),
            "TotalTax": amount(0, row.currency),
            "Total": amount(row.total, row.currency),
            "UpdatedDateUTC": ms_instant(row.updated_at),
            "CurrencyCode": row.currency,
            "CurrencyRate": self.rate(row.currency),
        }

    def contact_ref(self, customer: str) -> Json:
        """The contact as documents show it: hardly more than its name."""
        row = self._ledger.customers.get(customer)
        return {
            "ContactID": customer,
            "Name": row.name if row is not None else "",
            "Addresses": [],
            "Phones": [],
            "ContactGroups": [],
            "ContactPersons": [],
            "HasValidationErrors": False,
        }

    def allocation(self, row: CreditRow, part: Allocation) -> Json:
        """One allocation of a credit note."""
        return self._allocation(row.id, part, row.currency, row.on)

    def _allocation(self, source: str, part: Allocation, currency: str, on: date) -> Json:
        invoice = self._ledger.invoices[part.invoice]
        return {
            "AllocationID": self._ids.derived("allocation", source, part.invoice),
            "Amount": amount(part.amount, currency),
            "Date": ms_date(part.on or on),
            "Invoice": {
                "InvoiceID": invoice.id,
                "InvoiceNumber": invoice.number,
                "HasErrors": False,
            },
            "IsDeleted": False,
        }

    def rate(self, currency: str) -> Any:
        """Xero's rate: units of the document's currency for one of the base currency."""
        if currency == self._ledger.company.base_currency:
            return 1
        return round(1 / float(self._ledger.rate(currency)), 10)


def _dated(name: str, day: date) -> Json:
    return {f"{name}String": day_text(day), name: ms_date(day)}
