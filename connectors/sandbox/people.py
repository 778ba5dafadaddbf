"""People at work in the ledger: what customers, bookkeepers and admins do while we are connected.

Every act is a change like any other: a new version, an instant, a place in CDC and behind
If-Modified-Since, and a webhook. Ids are the vendor's; those of the book file work as well where
no vendor id is spelt alike.
"""

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from decimal import Decimal
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import msgspec

from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import (
    Allocation,
    CreditRow,
    CustomerRow,
    EstimateStatus,
    InvoiceRow,
    Line,
    PaymentRow,
)
from rules.model.money import Minor, currency_digits

_P = ParamSpec("_P")
_R = TypeVar("_R")

LATE_FEE_ACCOUNT: Final = "3"
"""QuickBooks: id of the account "Late fee income" among the sandbox's accounts."""


def act(
    method: "Callable[Concatenate[People, _P], _R]",
) -> "Callable[Concatenate[People, _P], _R]":
    """An act happens with the books held, and is told of when it is done."""

    @functools.wraps(method)
    def done(self: "People", /, *args: _P.args, **named: _P.kwargs) -> _R:
        with self._at_work:
            return method(self, *args, **named)

    return done


class People:
    """Acts of people. Amounts are minor units of the document's currency.

    Raises LookupError for a document or customer that is not there, ValueError for an act that
    makes no sense, such as paying what is void.
    """

    def __init__(
        self, ledger: Ledger, at_work: AbstractContextManager[object] | None = None
    ) -> None:
        self._ledger = ledger
        self._at_work = at_work or nullcontext()

    # --- money --------------------------------------------------------------------------------

    @act
    def pay(self, invoice: str, amount: Minor | None = None, *, on: date | None = None) -> str:
        """The customer pays an invoice: all that is open, or a part of it. Returns the payment's
        id. What is beyond the balance stays unapplied."""
        row = self.invoice(invoice)
        if not row.is_live:
            raise ValueError(f"the invoice {invoice} is {row.status}")
        paid = row.balance if amount is None else amount
        return self.receive(row.customer, paid, {row.id: min(paid, row.balance)}, on=on)

    @act
    def receive(
        self,
        customer: str,
        amount: Minor,
        on_invoices: dict[str, Minor] | None = None,
        *,
        on: date | None = None,
    ) -> str:
        """Money comes in, applied as said. Returns the payment's id."""
        payer = self.customer(customer)
        day = on or self._ledger.today
        parts = tuple(
            Allocation(self.invoice(key).id, part, day)
            for key, part in (on_invoices or {}).items()
            if part
        )
        currency = (
            self.invoice(parts[0].invoice).currency
            if parts
            else payer.currency or self._ledger.company.base_currency
        )
        row = PaymentRow(
            customer=payer.id,
            currency=currency,
            on=day,
            amount=amount,
            allocations=parts,
            **self._ledger.new_row("payment", "person"),
        )
        self._ledger.add("payment", row)
        return row.id

    @act
    def delete_payment(self, payment: str) -> None:
        """A payment is taken out, as when the bank returned it. Xero keeps it as DELETED."""
        key = self._key("payment", payment)
        if self._ledger.keeps_deleted:
            self._ledger.change("payment", key, status="void", amount=0, reason="returned")
        else:
            self._ledger.delete("payment", key)

    @act
    def void_payment(self, payment: str) -> None:
        """A payment stays, at zero."""
        key = self._key("payment", payment)
        self._ledger.change("payment", key, status="void", amount=0, reason="returned")

    @act
    def credit(
        self, customer: str, amount: Minor, on_invoices: dict[str, Minor] | None = None
    ) -> str:
        """A credit note, applied as said. Returns its id."""
        payer = self.customer(customer)
        today = self._ledger.today
        parts = tuple(
            Allocation(self.invoice(key).id, part, today)
            for key, part in (on_invoices or {}).items()
        )
        currency = (
            self.invoice(parts[0].invoice).currency
            if parts
            else payer.currency or self._ledger.company.base_currency
        )
        head = self._ledger.new_row("credit_note", "person")
        row = CreditRow(
            number=f"CR-{head['id'][-8:]}",
            customer=payer.id,
            currency=currency,
            on=today,
            total=amount,
            remaining=amount,
            allocations=parts,
            lines=(_line("Credit", amount, currency),),
            **head,
        )
        self._ledger.add("credit_note", row)
        return row.id

    # --- invoices -----------------------------------------------------------------------------

    @act
    def add_invoice(
        self,
        customer: str,
        total: Minor,
        *,
        due: date | None = None,
        number: str = "",
        on: date | None = None,
        sent: bool | None = True,
    ) -> str:
        """A person writes an invoice. Returns its id."""
        payer = self.customer(customer)
        currency = payer.currency or self._ledger.company.base_currency
        head = self._ledger.new_row("invoice", "person")
        row = InvoiceRow(
            number=number or f"P-{head['id'][-8:]}",
            customer=payer.id,
            currency=currency,
            issued_on=on or self._ledger.today,
            due_on=due,
            total=total,
            balance=total,
            sent=sent,
            email=payer.email,
            lines=(_line("Goods and services", total, currency),),
            **head,
        )
        self._ledger.add("invoice", row)
        return row.id

    @act
    def void(self, invoice: str) -> None:
        """An invoice stays, at zero."""
        self._ledger.void_invoice(self._key("invoice", invoice))

    @act
    def restore(self, invoice: str) -> None:
        """A void invoice is what it was before; its payments are applied again."""
        row = self.invoice(invoice)
        before = self._ledger.before_void(row.id)
        if row.status != "void" or before is None:
            raise ValueError(f"the invoice {invoice} is {row.status}, not void")
        self._ledger.change(
            "invoice",
            row.id,
            status="open",
            total=before.total,
            tax=before.tax,
            lines=before.lines,
            deposit=before.deposit,
        )

    @act
    def delete(self, invoice: str) -> None:
        """An invoice is taken out. Xero keeps the row as DELETED."""
        key = self._key("invoice", invoice)
        if self._ledger.keeps_deleted:
            self._ledger.change("invoice", key, status="deleted", total=0, tax=0, lines=())
        else:
            self._ledger.delete("invoice", key)

    @act
    def change_due_date(self, invoice: str, due: date | None) -> None:
        self._ledger.change("invoice", self._key("invoice", invoice), due_on=due)

    @act
    def mark_sent(self, invoice: str, sent: bool | None = True) -> None:
        self._ledger.change("invoice", self._key("invoice", invoice), sent=sent)

    @act
    def bounce(self, invoice: str) -> None:
        """QuickBooks: the mail with the invoice came back."""
        key = self._key("invoice", invoice)
        self._ledger.change("invoice", key, sent=False, is_bounced=True)

    @act
    def dispute(self, invoice: str) -> None:
        """QuickBooks: the customer contests the invoice in the online portal."""
        self._ledger.change("invoice", self._key("invoice", invoice), seen="disputed")

    @act
    def view(self, invoice: str) -> None:
        """QuickBooks: the customer opened the invoice in the online portal."""
        self._ledger.change("invoice", self._key("invoice", invoice), seen="viewed")

    @act
    def schedule_payment(self, invoice: str) -> None:
        """QuickBooks: the customer arranged to pay by itself."""
        self._ledger.change("invoice", self._key("invoice", invoice), pays_by_itself=True)

    @act
    def add_fee_line(
        self, invoice: str, amount: Minor, *, name: str = "Late fee", item: str = "2"
    ) -> None:
        """A late fee of the ledger's own: one more line on the invoice, as QuickBooks does it."""
        row = self.invoice(invoice)
        if not row.is_live:
            raise ValueError(f"the invoice {invoice} is {row.status}")
        fee = msgspec.structs.replace(
            _line(name, amount, row.currency),
            id=str(len(row.lines) + 1),
            item=item,
            account=LATE_FEE_ACCOUNT,
        )
        self._ledger.change("invoice", row.id, lines=(*row.lines, fee), total=row.total + amount)

    # --- customers ----------------------------------------------------------------------------

    @act
    def add_customer(self, name: str, *, email: str = "", currency: str = "") -> str:
        """A new customer. Returns its id."""
        row = CustomerRow(
            name=name,
            email=email,
            currency=currency or self._ledger.company.base_currency,
            **self._ledger.new_row("customer", "person"),
        )
        self._ledger.add("customer", row)
        return row.id

    @act
    def rename(self, customer: str, name: str) -> None:
        self._ledger.change("customer", self._key("customer", customer), name=name)

    @act
    def change_email(self, customer: str, email: str) -> None:
        self._ledger.change("customer", self._key("customer", customer), email=email)

    @act
    def archive(self, customer: str) -> None:
        """Xero ARCHIVED, QuickBooks inactive."""
        self._ledger.change("customer", self._key("customer", customer), is_active=False)

    @act
    def erase(self, customer: str) -> None:
        """Xero GDPRREQUEST: the person is forgotten."""
        self._ledger.change(
            "customer",
            self._key("customer", customer),
            is_active=False,
            is_erased=True,
            name="GDPR request",
            email="",
            phone="",
            persons=(),
            street="",
        )

    @act
    def merge(self, customer: str, into: str) -> None:
        """One customer takes over another's documents; the other is archived and points to it."""
        old, new = self.customer(customer), self.customer(into)
        if old.id == new.id:
            raise ValueError("a customer cannot be merged into itself")
        tables: Sequence[tuple[str, dict[str, Any]]] = (
            ("invoice", self._ledger.invoices),
            ("payment", self._ledger.payments),
            ("credit_note", self._ledger.credits),
            ("estimate", self._ledger.estimates),
        )
        for kind, rows in tables:
            for key in [row.id for row in rows.values() if row.customer == old.id]:
                self._ledger.change(kind, key, customer=new.id)
        self._ledger.change("customer", old.id, is_active=False, merged_into=new.id)
        self._ledger.change("customer", new.id)

    # --- estimates ----------------------------------------------------------------------------

    @act
    def answer_estimate(self, estimate: str, status: EstimateStatus) -> None:
        """The customer accepts or declines an estimate, or somebody closes it."""
        self._ledger.change("estimate", self._key("estimate", estimate), status=status)

    # --- in the moment before a client's write ------------------------------------------------

    def part_paid_just_now(self, row: InvoiceRow) -> InvoiceRow:
        """Somebody enters a payment of a part while the client is about to write."""
        if row.is_live and row.balance > 1:
            self.pay(row.id, row.balance // 2)
        return self._ledger.invoices[row.id]

    def merged_just_now(self, row: CustomerRow) -> CustomerRow:
        """Somebody merges the customer away while the client is about to write."""
        others = [one.id for one in self._ledger.customers.values() if one.is_active]
        target = next((key for key in others if key != row.id), None)
        if target is not None:
            self.merge(row.id, target)
        return self._ledger.customers[row.id]

    # --- finding ------------------------------------------------------------------------------

    @act
    def invoice(self, name: str) -> InvoiceRow:
        """An invoice as it is now."""
        return self._ledger.invoices[self._key("invoice", name)]

    @act
    def customer(self, name: str) -> CustomerRow:
        """A customer as it is now."""
        return self._ledger.customers[self._key("customer", name)]

    def _key(self, kind: str, name: str) -> str:
        if self._ledger.row(kind, name) is not None:
            return name
        known = self._ledger.ids.known(kind, name)
        if known is None or self._ledger.row(kind, known) is None:
            raise LookupError(f"there is no {kind} {name!r}")
        return known


def _line(text: str, amount: Minor, currency: str) -> Line:
    price = Decimal(amount).scaleb(-currency_digits(currency))
    return Line(id="1", description=text, amount=amount, unit_price=price)
