"""Money received as Xero keeps it: one payment for each invoice, the rest an overpayment.

The sandbox's ledger has one row for what a customer sent. Xero has a payment for each invoice
it paid; what was left over is an overpayment, and what is applied later (or to an invoice that
did not exist yet) is an allocation of that overpayment. A payment that is taken back stays in
Xero with the status DELETED, so what has once been there is remembered here.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

import msgspec

from connectors.sandbox.ids import XeroIds
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import Allocation, InvoiceRow, PaymentRow
from rules.model.money import Minor


class XeroPaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of one invoice."""

    id: str
    invoice: str
    customer: str
    currency: str
    on: date
    amount: Minor
    status: Literal["AUTHORISED", "DELETED"] = "AUTHORISED"
    updated_at: datetime


class OverpaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer paid beyond the invoices of the day."""

    id: str
    customer: str
    currency: str
    on: date
    total: Minor
    allocations: tuple[Allocation, ...] = ()
    remaining: Minor
    status: Literal["AUTHORISED", "PAID", "VOIDED"]
    updated_at: datetime


class Settlement:
    """Payments and overpayments by id, kept in step with the ledger."""

    def __init__(self, ledger: Ledger, ids: XeroIds) -> None:
        self._ledger = ledger
        self._ids = ids
        self._as_of = -1
        self._versions: dict[str, int] = {}
        self._parts: dict[str, tuple[str, ...]] = {}
        self._payments: dict[str, XeroPaymentRow] = {}
        self._overpayments: dict[str, OverpaymentRow] = {}

    def payments(self) -> Iterable[XeroPaymentRow]:
        self._refresh()
        return self._payments.values()

    def overpayments(self) -> Iterable[OverpaymentRow]:
        self._refresh()
        return self._overpayments.values()

    def payments_of(self, row: PaymentRow, invoice: str) -> list[XeroPaymentRow]:
        """The payments of an invoice that came from one receipt."""
        self._refresh()
        found = (self._payments[key] for key in self._parts.get(row.id, ()))
        return [part for part in found if part.invoice == invoice and part.status == "AUTHORISED"]

    def overpayment_of(self, row: PaymentRow) -> OverpaymentRow | None:
        """The overpayment that one receipt left."""
        self._refresh()
        return self._overpayments.get(self._ids.derived("overpayment", row.id))

    def prepayments(self) -> Iterable[OverpaymentRow]:
        """Deposits that were taken with invoices."""
        for row in self._ledger.invoices.values():
            left = self.prepayment_of(row)
            if left is not None:
                yield left

    def prepayment_of(self, row: InvoiceRow) -> OverpaymentRow | None:
        """The deposit of one invoice; the customer's again where the invoice is void."""
        if not row.deposit:
            return None
        parts = (Allocation(row.id, row.deposit, row.issued_on),) if row.is_live else ()
        return OverpaymentRow(
            id=self._ids.derived("prepayment", row.id),
            customer=row.customer,
            currency=row.currency,
            on=row.issued_on,
            total=row.deposit,
            allocations=parts,
            remaining=0 if parts else row.deposit,
            status="PAID" if parts else "AUTHORISED",
            updated_at=row.updated_at,
        )

    def _refresh(self) -> None:
        if self._as_of == self._ledger.changes:
            return
        self._as_of = self._ledger.changes
        for row in self._ledger.payments.values():
            if self._versions.get(row.id) != row.version:
                self._versions[row.id] = row.version
                self._split(row)

    def _split(self, row: PaymentRow) -> None:
        paid: dict[str, Minor] = {}
        for part in row.allocations:
            if not self._is_later(row, part):
                paid[part.invoice] = paid.get(part.invoice, 0) + part.amount
        now = {self._ids.derived("payment", row.id, invoice): invoice for invoice in paid}
        for key in self._parts.get(row.id, ()):
            if key not in now and self._payments[key].status == "AUTHORISED":
                self._payments[key] = msgspec.structs.replace(
                    self._payments[key], status="DELETED", updated_at=row.updated_at
                )
        for key, invoice in now.items():
            self._payments[key] = XeroPaymentRow(
                id=key,
                invoice=invoice,
                customer=row.customer,
                currency=row.currency,
                on=row.on,
                amount=paid[invoice],
                updated_at=row.updated_at,
            )
        self._parts[row.id] = tuple(dict.fromkeys((*self._parts.get(row.id, ()), *now)))
        self._leave_over(row, row.amount - sum(paid.values()))

    def _leave_over(self, row: PaymentRow, total: Minor) -> None:
        key = self._ids.derived("overpayment", row.id)
        if total <= 0 and key not in self._overpayments:
            return
        is_live = row.status == "live" and total > 0
        later = tuple(part for part in row.allocations if self._is_later(row, part))
        remaining = total - sum(part.amount for part in later) if is_live else 0
        self._overpayments[key] = OverpaymentRow(
            id=key,
            customer=row.customer,
            currency=row.currency,
            on=row.on,
            total=max(0, total),
            allocations=later if is_live else (),
            remaining=max(0, remaining),
            status=("AUTHORISED" if remaining > 0 else "PAID") if is_live else "VOIDED",
            updated_at=row.updated_at,
        )

    def _is_later(self, row: PaymentRow, part: Allocation) -> bool:
        invoice = self._ledger.invoices.get(part.invoice)
        issued = invoice.issued_on if invoice is not None else row.on
        return max(part.on or row.on, issued) > row.on
