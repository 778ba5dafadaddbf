"""What conditions may ask about one invoice on one day: each fact computed when it is asked."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Protocol

from rules.model.book import Account
from rules.model.customer import Customer
from rules.model.history import Served
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor


class AccountOnADay(Protocol):
    """What the facts are taken from: an account on a day."""

    @property
    def today(self) -> date: ...
    @property
    def account(self) -> Account: ...
    @property
    def served(self) -> Mapping[InvoiceId | None, list[Served]]: ...
    @property
    def totals(self) -> Mapping[str, tuple[Minor, Minor]]: ...
    @property
    def overdue(self) -> Mapping[str, list[Invoice]]: ...
    @property
    def broken_promises(self) -> int: ...

    def customer_of(self, invoice: Invoice) -> Customer:
        """The customer on the invoice."""
        ...


class InvoiceFacts(Mapping[str, Any]):
    """The facts that conditions may ask for, each computed when it is asked."""

    def __init__(self, day: AccountOnADay, invoice: Invoice) -> None:
        self._day = day
        self._invoice = invoice
        self._customer = day.customer_of(invoice)

    def __getitem__(self, name: str) -> Any:
        return _FACTS[name](self)

    def __iter__(self) -> Iterator[str]:
        return iter(_FACTS)

    def __len__(self) -> int:
        return len(_FACTS)

    def _days_past_due(self) -> int | None:
        due_on = self._invoice.due_on
        return None if due_on is None else (self._day.today - due_on).days

    def _entity_type(self) -> str:
        customer = self._customer
        return "unknown" if customer.entity_type_is_guess else customer.entity_type

    def _customer_overdue(self) -> Minor:
        return self._day.totals[self._invoice.currency][1]

    def _customer_balance(self) -> Minor:
        return self._day.totals[self._invoice.currency][0]

    def _overdue_invoices(self) -> int:
        return sum(len(found) for found in self._day.overdue.values())

    def _oldest(self) -> int | None:
        ages = [
            (self._day.today - found[0].due_on).days
            for found in self._day.overdue.values()
            if found and found[0].due_on is not None
        ]
        return max(ages, default=None)

    def _contacts(self) -> int:
        found = self._day.served.get(self._invoice.id, [])
        return sum(1 for item in found if item.is_contact)


_FACTS: dict[str, Any] = {
    "invoice_balance": lambda f: f._invoice.balance,
    "invoice_total": lambda f: f._invoice.total,
    "days_past_due": InvoiceFacts._days_past_due,
    "invoice_number": lambda f: f._invoice.number,
    "po": lambda f: f._invoice.po,
    "reference": lambda f: f._invoice.reference,
    "sent": lambda f: {True: "yes", False: "no", None: "unknown"}[f._invoice.sent],
    "invoice_tags": lambda f: f._invoice.tags,
    "tags": lambda f: f._customer.tags,
    "customer": lambda f: f._customer.id,
    "country": lambda f: f._customer.country,
    "currency": lambda f: f._invoice.currency,
    "entity_type": InvoiceFacts._entity_type,
    "terms_days": lambda f: f._customer.terms_days,
    "customer_overdue": InvoiceFacts._customer_overdue,
    "customer_balance": InvoiceFacts._customer_balance,
    "overdue_invoices": InvoiceFacts._overdue_invoices,
    "oldest_days_past_due": InvoiceFacts._oldest,
    "broken_promises": lambda f: f._day.broken_promises,
    "contacts_served": InvoiceFacts._contacts,
    "credit_limit": lambda f: f._day.account.payer.credit_limit,
    "is_on_hold": lambda f: f._day.account.payer.is_on_hold,
}
