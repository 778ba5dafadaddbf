"""Invoices that a client creates or changes, with Xero's own refusals."""

from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

import msgspec

from connectors.sandbox.face import Desk
from connectors.sandbox.ids import XeroIds
from connectors.sandbox.people import People
from connectors.sandbox.rows import InvoiceRow, Line
from connectors.sandbox.xero.parties import TAX_RATES, Parties, number_is_taken
from connectors.sandbox.xero.spelling import ms_date, read_date
from rules.model.money import Minor, Rounding, round_minor

Json = dict[str, Any]

_NEW_STATUS: Final = {"DRAFT": "draft", "SUBMITTED": "submitted", "AUTHORISED": "open"}
_PERCENT: Final = {rate.type: rate.percent for rate in TAX_RATES}


class InvoiceError(ValueError):
    """One invoice is refused; `problems` are Xero's messages."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class Invoicing:
    """Creates and changes sales invoices."""

    def __init__(self, desk: Desk, ids: XeroIds, parties: Parties) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._ids = ids
        self._parties = parties
        self._people = People(desk.ledger)

    def create(self, asked: Json) -> InvoiceRow:
        """A new invoice. Raises InvoiceError."""
        problems: list[str] = []
        if asked.get("Type") != "ACCREC":
            problems.append("Invoice Type must be ACCREC here: the sandbox keeps no bills")
        currency = self._currency(asked, problems)
        status = asked.get("Status") or "DRAFT"
        if status not in _NEW_STATUS:
            problems.append("Invoice not of valid status for creation")
        is_final = status == "AUTHORISED"
        issued_on = self._date(asked, "Date", problems) or self._ledger.today
        due_on = self._date(asked, "DueDate", problems)
        if is_final and due_on is None:
            problems.append("Due Date cannot be empty")
        if self._ledger.is_locked(issued_on):
            problems.append(self._locked())
        customer = self._customer(asked, problems)
        number = self._number(asked, customer, currency, problems)
        mode = asked.get("LineAmountTypes") or "Exclusive"
        if mode not in ("Exclusive", "Inclusive", "NoTax"):
            problems.append(f"The LineAmountTypes {mode!r} is not valid")
        lines = self._lines(asked, currency, mode, is_final, problems)
        if is_final:
            self._check_quota(issued_on, problems)
        if self._desk.faults.strikes("has-errors"):
            problems.append("An error occurred while saving this document")
        if problems:
            raise InvoiceError(*problems)
        fields = self._ledger.new_row("invoice")
        total = sum(line.amount + line.tax for line in lines)
        row = InvoiceRow(
            number=number or f"INV-{len(self._ledger.invoices) + 1:05d}",
            customer=customer,
            currency=currency,
            issued_on=issued_on,
            due_on=due_on,
            total=total,
            tax=sum(line.tax for line in lines),
            balance=total,
            status=_NEW_STATUS[status],  # type: ignore[arg-type]
            sent=bool(asked.get("SentToContact")),
            lines=tuple(
                msgspec.structs.replace(
                    line, id=self._ids.derived("line", fields["id"], str(position))
                )
                for position, line in enumerate(lines)
            ),
            email=self._ledger.customers[customer].email,
            reference=str(asked.get("Reference") or ""),
            **{**fields, "extra": {"LineAmountTypes": mode}},
        )
        self._ledger.add("invoice", row)
        return self._ledger.invoices[row.id]

    def update(self, row: InvoiceRow, asked: Json) -> InvoiceRow:
        """Change status, dates or reference of an invoice. Raises InvoiceError.

        Lines are not changed here: late fees are documents of their own.
        """
        if self._desk.faults.strikes("part-paid"):
            row = self._people.part_paid_just_now(row)
        if row.status in ("void", "deleted"):
            raise InvoiceError("Invoice not of valid status for modification")
        if asked.get("LineItems"):
            raise InvoiceError("The sandbox does not change lines of an invoice")
        problems: list[str] = []
        fields: Json = {}
        if asked.get("Status"):
            fields.update(self._moved(row, str(asked["Status"]), problems))
        if "Reference" in asked:
            fields["reference"] = str(asked["Reference"] or "")
        if asked.get("SentToContact") is not None:
            fields["sent"] = bool(asked["SentToContact"])
        if asked.get("DueDate"):
            fields["due_on"] = self._date(asked, "DueDate", problems)
        if asked.get("ExpectedPaymentDate"):
            expected = self._date(asked, "ExpectedPaymentDate", problems)
            if row.balance != row.total:
                problems.append(
                    "This document cannot be edited as it has a payment or credit note "
                    "allocated to it."
                )
            if expected is not None:
                fields["extra"] = {**row.extra, "ExpectedPaymentDate": ms_date(expected)}
        if self._ledger.is_locked(row.issued_on):
            problems.append(self._locked())
        if fields.get("status") == "open":
            self._check_quota(row.issued_on, problems)
        if problems:
            raise InvoiceError(*problems)
        if fields.get("status") == "void":
            fields.pop("status")
            return self._ledger.void_invoice(row.id, **fields)
        changed: InvoiceRow = self._ledger.change("invoice", row.id, **fields)
        return changed

    def _moved(self, row: InvoiceRow, wanted: str, problems: list[str]) -> Json:
        is_draft = row.status in ("draft", "submitted")
        is_touched = row.balance != row.total
        if wanted == "VOIDED" and row.status == "open" and not is_touched:
            return {"status": "void"}
        if wanted == "DELETED" and is_draft:
            return {"status": "deleted"}
        if wanted in _NEW_STATUS and (is_draft or (wanted == "AUTHORISED" and row.is_live)):
            return {"status": _NEW_STATUS[wanted]} if is_draft else {}
        problems.append(
            "This document cannot be edited as it has a payment or credit note allocated to it."
            if is_touched
            else "Invoice not of valid status for modification"
        )
        return {}

    def _check_quota(self, on: date, problems: list[str]) -> None:
        """Small plans allow so many approved sales invoices a month, by invoice date."""
        quota = self._desk.setup.approvals
        is_over = self._desk.faults.strikes("plan-quota")
        if quota is not None:
            month = (on.year, on.month)
            approved = sum(
                (row.issued_on.year, row.issued_on.month) == month and row.status != "deleted"
                for row in self._ledger.invoices.values()
                if row.status not in ("draft", "submitted")
            )
            is_over = is_over or approved >= quota
        if is_over:
            problems.append("You have reached the limit of invoices you can approve")

    # --- parts of an invoice ------------------------------------------------------------------

    def _locked(self) -> str:
        shown = self._ledger.locked_through
        return (
            "The document date cannot be before the period lock date, currently set at "
            f"{shown.strftime('%d %b %Y') if shown else ''}"
        )

    def _currency(self, asked: Json, problems: list[str]) -> str:
        currency = str(asked.get("CurrencyCode") or self._ledger.company.base_currency)
        if currency not in self._ledger.facts.currencies:
            problems.append(f"Organisation is not subscribed to currency {currency}")
        return currency

    def _customer(self, asked: Json, problems: list[str]) -> str:
        contact = asked.get("Contact")
        key = str(contact.get("ContactID") or "") if isinstance(contact, dict) else ""
        row = self._ledger.customers.get(key.lower())
        if row is not None and self._desk.faults.strikes("merged-contact"):
            row = self._people.merged_just_now(row)
        if row is None:
            problems.append("A Contact must be specified for this type of transaction")
            return ""
        if not row.is_active:
            problems.append(f"The contact {row.name} is archived and cannot be used")
        return row.id

    def _number(self, asked: Json, customer: str, currency: str, problems: list[str]) -> str:
        number = str(asked.get("InvoiceNumber") or "")
        if len(number) > 255:
            problems.append("The InvoiceNumber exceeds the maximum length of 255")
        if len(str(asked.get("Reference") or "")) > 255:
            problems.append("The Reference exceeds the maximum length of 255")
        if number and customer and self._desk.faults.strikes("duplicate-number"):
            self._somebody_was_faster(number, customer, currency)
        is_taken = bool(number) and number_is_taken(self._ledger.invoices, number)
        if is_taken and not self._desk.faults.strikes("duplicate-not-refused"):
            problems.append("Invoice # must be unique.")
        return number

    def _somebody_was_faster(self, number: str, customer: str, currency: str) -> None:
        today = self._ledger.today
        fields = self._ledger.new_row("invoice", "person")
        row = InvoiceRow(
            number=number,
            customer=customer,
            currency=currency,
            issued_on=today,
            due_on=today,
            total=100,
            balance=100,
            reference="typed by a person",
            lines=(Line(description="Sundries", amount=100, unit_price=Decimal(1)),),
            **fields,
        )
        self._ledger.add("invoice", row)

    @staticmethod
    def _date(asked: Json, name: str, problems: list[str]) -> date | None:
        try:
            return read_date(asked.get(name))
        except ValueError:
            problems.append(f"The {name} {asked.get(name)!r} is not a valid date")
            return None

    def _lines(
        self, asked: Json, currency: str, mode: str, is_final: bool, problems: list[str]
    ) -> list[Line]:
        given = asked.get("LineItems")
        if not isinstance(given, list) or (is_final and not given):
            problems.append("One or more line items must be specified")
            return []
        lines = []
        for item in given:
            line = self._line(item, currency, mode, is_final, problems)
            if line is not None:
                lines.append(line)
        return lines

    def _line(
        self, item: Any, currency: str, mode: str, is_final: bool, problems: list[str]
    ) -> Line | None:
        if not isinstance(item, dict):
            problems.append("A line item is not valid")
            return None
        if not item.get("Description"):
            problems.append("Description must have at least 1 character")
        account = str(item.get("AccountCode") or "")
        if account and account not in {known["Code"] for known in self._parties.accounts}:
            problems.append(f"Account code '{account}' is not a valid code for this document.")
        elif is_final and not account:
            problems.append("Account code must be specified")
        tax_type = str(item.get("TaxType") or "NONE")
        if tax_type not in _PERCENT:
            problems.append(
                f"The TaxType code '{tax_type}' does not exist or cannot be used for this type "
                "of transaction."
            )
        try:
            price, quantity = number_of(item.get("UnitAmount")), number_of(item.get("Quantity", 1))
        except InvalidOperation:
            problems.append("UnitAmount and Quantity must be numbers")
            return None
        gross = rounded(price * quantity, currency)
        percent = _PERCENT.get(tax_type, Decimal(0)) if mode != "NoTax" else Decimal(0)
        if mode == "Inclusive":
            tax = rounded(price * quantity * percent / (100 + percent), currency)
            net = gross - tax
        else:
            net = gross
            tax = rounded(price * quantity * percent / 100, currency)
        return Line(
            description=str(item.get("Description") or ""),
            amount=net,
            tax=tax,
            quantity=quantity,
            unit_price=price,
            account=account,
            tax_code=tax_type,
        )


def number_of(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidOperation
    return Decimal(value)


def rounded(value: Decimal, currency: str) -> Minor:
    """Half up to the currency's digits, as Xero rounds a line."""
    return round_minor(Fraction(value), currency, Rounding.HALF_UP)
