"""Credit notes that a client creates, and their allocation to invoices."""

from decimal import InvalidOperation
from typing import Any

from connectors.sandbox.rows import Allocation, CreditRow
from connectors.sandbox.xero.invoicing import InvoiceError, Invoicing, number_of, rounded

Json = dict[str, Any]


class Crediting(Invoicing):
    """A credit note has the parts of an invoice, and is refused for the same reasons."""

    def credit(self, asked: Json) -> CreditRow:
        """A new credit note. Raises InvoiceError."""
        problems: list[str] = []
        if asked.get("Type") != "ACCRECCREDIT":
            problems.append("CreditNote Type must be ACCRECCREDIT here: the sandbox keeps no bills")
        if asked.get("Status") != "AUTHORISED":
            problems.append("The sandbox takes approved credit notes only")
        currency = self._currency(asked, problems)
        on = self._date(asked, "Date", problems) or self._ledger.today
        if self._ledger.is_locked(on):
            problems.append(self._locked())
        customer = self._customer(asked, problems)
        number = str(asked.get("CreditNoteNumber") or "")
        if number and any(row.number == number for row in self._ledger.credits.values()):
            problems.append("Credit note number must be unique.")
        if len(str(asked.get("Reference") or "")) > 255:
            problems.append("The Reference exceeds the maximum length of 255")
        mode = asked.get("LineAmountTypes") or "Exclusive"
        if mode not in ("Exclusive", "Inclusive", "NoTax"):
            problems.append(f"The LineAmountTypes {mode!r} is not valid")
        lines = self._lines(asked, currency, mode, True, problems)
        total = sum(line.amount + line.tax for line in lines)
        if lines and total <= 0:
            problems.append("The total of a credit note must be more than zero")
        if problems:
            raise InvoiceError(*problems)
        row = CreditRow(
            number=number or f"CN-{len(self._ledger.credits) + 1:05d}",
            customer=customer,
            currency=currency,
            on=on,
            total=total,
            tax=sum(line.tax for line in lines),
            remaining=total,
            lines=tuple(lines),
            reference=str(asked.get("Reference") or ""),
            **{**self._ledger.new_row("credit_note"), "extra": {"LineAmountTypes": mode}},
        )
        self._ledger.add("credit_note", row)
        return self._ledger.credits[row.id]

    def allocate(self, key: str, asked: Json) -> tuple[CreditRow, Allocation]:
        """Settle an invoice with a credit note. Raises InvoiceError."""
        problems: list[str] = []
        row = self._ledger.credits[key]
        on = self._date(asked, "Date", problems)
        named = asked.get("Invoice")
        wanted = str(named.get("InvoiceID") or "").lower() if isinstance(named, dict) else ""
        invoice = self._ledger.invoices.get(wanted)
        try:
            part = rounded(number_of(asked.get("Amount")), row.currency)
        except InvalidOperation:
            raise InvoiceError("The Amount of an allocation must be a number") from None
        if on is None:
            problems.append("The Date of an allocation must be given")
        elif self._ledger.is_locked(on):
            problems.append(self._locked())
        if invoice is None or invoice.status != "open" or invoice.customer != row.customer:
            problems.append("The document to allocate to is not of valid status or contact")
        elif not 0 < part <= invoice.balance:
            problems.append("The amount is more than the amount outstanding on the invoice")
        if part > row.remaining:
            problems.append("The amount is more than the remaining credit")
        if problems:
            raise InvoiceError(*problems)
        made = Allocation(wanted, part, on)
        parts = (*row.allocations, made)
        changed: CreditRow = self._ledger.change("credit_note", key, allocations=parts)
        return changed, made
