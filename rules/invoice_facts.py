"""What conditions may ask about one invoice on one day: each fact computed when it is asked."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, Protocol

from rules.account_facts import AccountFacts
from rules.frame import Frame
from rules.model.book import Account
from rules.model.commitment import (
    Commitment,
    Dispute,
    Instalments,
    Pause,
    Placement,
    Promise,
    Stop,
    Withheld,
)
from rules.model.customer import Customer
from rules.model.history import FeePosted, Served
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor, exact_major


class AccountOnADay(Protocol):
    """What the facts are taken from: an account on a day."""

    @property
    def frame(self) -> Frame: ...
    @property
    def today(self) -> date: ...
    @property
    def account(self) -> Account: ...
    @property
    def account_facts(self) -> AccountFacts: ...
    @property
    def fees(self) -> Mapping[InvoiceId, list[FeePosted]]: ...
    @property
    def totals(self) -> Mapping[str, tuple[Minor, Minor]]: ...
    @property
    def overdue(self) -> Mapping[str, list[Invoice]]: ...
    @property
    def broken_promises(self) -> int: ...
    @property
    def placed(self) -> Mapping[InvoiceId, Placement]: ...

    def customer_of(self, invoice: Invoice) -> Customer:
        """The customer on the invoice."""
        ...

    def net_of(self, invoice: Invoice) -> Minor:
        """What is owed on the invoice, credit deducted."""
        ...

    def told(self, invoice: Invoice) -> Iterator[Commitment]:
        """Commitments that bind the invoice and stand."""
        ...

    def served_about(self, invoice: Invoice) -> list[Served]: ...


class InvoiceFacts(Mapping[str, Any]):
    """The facts that conditions may ask for, each computed when it is asked."""

    __slots__ = ("_customer", "_day", "_invoice")

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

    def _ago(self, day: date | None) -> int | None:
        return None if day is None else (self._day.today - day).days

    def _ahead(self, day: date | None) -> int | None:
        return None if day is None else (day - self._day.today).days

    # the invoice --------------------------------------------------------------------------

    def _paid_percent(self) -> int | None:
        invoice = self._invoice
        if invoice.total <= 0:
            return None
        return (invoice.total - invoice.balance) * 100 // invoice.total

    def _classes(self) -> tuple[str, ...]:
        return tuple(text.partition(": ")[2] or text for text in self._invoice.tracking)

    def _fees(self) -> list[FeePosted]:
        """Late fees on the invoice that were not refused, in its currency."""
        return [
            fee
            for fee in self._day.fees.get(self._invoice.id, ())
            if fee.state != "bounced" and fee.currency == self._invoice.currency
        ]

    def _fee_balance(self) -> Minor:
        return sum(self._day.account_facts.open_of(fee) for fee in self._fees())

    def _fees_charged(self) -> Minor:
        return sum(fee.amount - fee.corrected for fee in self._fees())

    # the customer -------------------------------------------------------------------------

    def _entity_type(self) -> str:
        customer = self._customer
        return "unknown" if customer.entity_type_is_guess else customer.entity_type

    def _has_email(self) -> bool:
        payer = self._day.account.payer
        return bool(payer.email) or any(contact.email for contact in payer.contacts)

    def _tags(self) -> tuple[str, ...]:
        """A group that the payer belongs to is one of those that it pays for, too."""
        customer, payer = self._customer, self._day.account.payer
        if customer.id == payer.id:
            return customer.tags
        return tuple(dict.fromkeys((*customer.tags, *payer.tags)))

    def _roles(self) -> tuple[str, ...]:
        roles = [role for contact in self._day.account.payer.contacts for role in contact.roles]
        return tuple(dict.fromkeys(roles))

    # the account --------------------------------------------------------------------------

    def _customer_overdue(self) -> Minor:
        return self._total()[1]

    def _customer_balance(self) -> Minor:
        return self._total()[0]

    def _total(self) -> tuple[Minor, Minor]:
        return self._day.totals.get(self._invoice.currency, (0, 0))

    def _exposure(self) -> Minor:
        credit = self._day.frame.policy.credit
        counted = credit.estimates if credit is not None else "accepted"
        return self._day.account_facts.exposure(self._invoice.currency, counted)

    def _credit_used(self) -> int | None:
        payer = self._day.account.payer
        if payer.credit_limit is None:
            return None
        limit = exact_major(payer.credit_limit, payer.currency or self._invoice.currency)
        used = exact_major(self._exposure(), self._invoice.currency)
        return int(used / limit * 100) if limit else None

    def _overdue_invoices(self) -> int:
        return sum(len(found) for found in self._day.overdue.values())

    def _oldest(self) -> int | None:
        ages = [
            (self._day.today - found[0].due_on).days
            for found in self._day.overdue.values()
            if found and found[0].due_on is not None
        ]
        return max(ages, default=None)

    # history ------------------------------------------------------------------------------

    def _served(self) -> list[Served]:
        return self._day.served_about(self._invoice)

    def _stages_served(self) -> tuple[str, ...]:
        """By the ids that the stages have now, whatever they were called before."""
        steps = self._day.frame.step_of
        names = [
            str(steps[item.stage].id) if item.stage in steps else str(item.stage)
            for item in self._served()
            if item.stage is not None and item.state != "bounced"
        ]
        return tuple(dict.fromkeys(names))

    # commitments --------------------------------------------------------------------------

    def _has(self, kind: type[Commitment]) -> bool:
        return any(isinstance(told, kind) for told in self._day.told(self._invoice))

    def _promise_in_days(self) -> int | None:
        days = [told.due_on for told in self._day.told(self._invoice) if isinstance(told, Promise)]
        return self._ahead(max(days, default=None))

    def _disputed_amount(self) -> Minor:
        balance = self._invoice.balance
        parts = [
            balance if told.amount is None else told.amount
            for told in self._day.told(self._invoice)
            if isinstance(told, Dispute)
        ]
        return min(sum(parts), balance)

    def _is_paused(self) -> bool:
        today = self._day.today
        return any(
            isinstance(told, Pause) and told.until >= today
            for told in self._day.told(self._invoice)
        )

    def _withheld_amount(self) -> Minor:
        today = self._day.today
        return sum(
            told.amount
            for told in self._day.told(self._invoice)
            if isinstance(told, Withheld) and told.until >= today
        )


def _aged(name: str) -> Callable[[InvoiceFacts], Minor]:
    return lambda f: f._day.account_facts.aged(f._invoice.currency, name)


_SENT: Final = {True: "yes", False: "no", None: "unknown"}

_FACTS: Final[dict[str, Callable[[InvoiceFacts], Any]]] = {
    # the invoice
    "invoice_balance": lambda f: f._day.net_of(f._invoice),
    "invoice_total": lambda f: f._invoice.total,
    "invoice_tax": lambda f: f._invoice.tax,
    "paid_percent": InvoiceFacts._paid_percent,
    "is_part_paid": lambda f: 0 < f._invoice.balance < f._invoice.total,
    "days_past_due": lambda f: f._ago(f._invoice.due_on),
    "invoice_age_days": lambda f: f._ago(f._invoice.issued_on),
    "due_month_day": lambda f: None if f._invoice.due_on is None else f._invoice.due_on.day,
    "invoice_number": lambda f: f._invoice.number,
    "po": lambda f: f._invoice.po,
    "reference": lambda f: f._invoice.reference,
    "currency": lambda f: f._invoice.currency,
    "sent": lambda f: _SENT[f._invoice.sent],
    "is_viewed": lambda f: f._invoice.is_viewed,
    "invoice_tags": lambda f: f._invoice.tags,
    "items": lambda f: f._invoice.items,
    "tracking": lambda f: f._invoice.tracking,
    "classes": InvoiceFacts._classes,
    "has_fees": lambda f: f._fee_balance() > 0,
    "fee_balance": InvoiceFacts._fee_balance,
    "fees_charged": InvoiceFacts._fees_charged,
    "expected_in_days": lambda f: f._ahead(f._invoice.expected_on),
    # the customer
    "customer": lambda f: f._customer.id,
    "customer_name": lambda f: f._customer.name,
    "tags": InvoiceFacts._tags,
    "country": lambda f: f._customer.country,
    "language": lambda f: f._customer.language,
    "timezone": lambda f: f._customer.timezone,
    "entity_type": InvoiceFacts._entity_type,
    "terms_days": lambda f: f._customer.terms_days,
    "has_email": InvoiceFacts._has_email,
    "roles": InvoiceFacts._roles,
    "is_child": lambda f: f._customer.id != f._day.account.payer.id,
    "payer": lambda f: f._day.account.payer.id,
    "customer_since_days": lambda f: f._ago(f._day.account_facts.since(f._customer.id)),
    # the account
    "customer_balance": InvoiceFacts._customer_balance,
    "customer_overdue": InvoiceFacts._customer_overdue,
    "overdue_1_30": _aged("1-30"),
    "overdue_31_60": _aged("31-60"),
    "overdue_61_90": _aged("61-90"),
    "overdue_over_90": _aged("over 90"),
    "largest_overdue": lambda f: f._day.account_facts.largest_overdue(f._invoice.currency),
    "unapplied_credit": lambda f: f._day.account_facts.unapplied(f._invoice.currency),
    "customer_fee_balance": lambda f: f._day.account_facts.fee_balance(f._invoice.currency),
    "open_invoices": lambda f: len(f._day.account_facts.open_invoices),
    "overdue_invoices": InvoiceFacts._overdue_invoices,
    "oldest_days_past_due": InvoiceFacts._oldest,
    "exposure": InvoiceFacts._exposure,
    "credit_used_percent": InvoiceFacts._credit_used,
    "credit_limit": lambda f: f._day.account.payer.credit_limit,
    "is_on_hold": lambda f: f._day.account.payer.is_on_hold,
    # behaviour
    "invoices_paid": lambda f: f._day.account_facts.behaviour.invoices_paid,
    "average_days_late": lambda f: f._day.account_facts.behaviour.average_days_late,
    "weighted_days_late": lambda f: f._day.account_facts.weighted_days_late(f._invoice.currency),
    "usual_days_late": lambda f: f._day.account_facts.behaviour.usual_days_late,
    "paid_late_percent": lambda f: f._day.account_facts.behaviour.paid_late_percent,
    "last_payment_days_ago": lambda f: f._ago(f._day.account_facts.last_payment_on),
    # history
    "contacts_served": lambda f: sum(1 for item in f._served() if item.is_contact),
    "contacts_30_days": lambda f: f._day.account_facts.recent_contacts,
    "last_contact_days_ago": lambda f: f._ago(f._day.account_facts.last_contact_on),
    "stages_served": InvoiceFacts._stages_served,
    "fee_count": lambda f: len(f._fees()),
    "is_bounced": lambda f: any(item.state == "bounced" for item in f._served()),
    # commitments
    "broken_promises": lambda f: f._day.broken_promises,
    "has_promise": lambda f: f._has(Promise),
    "promise_in_days": InvoiceFacts._promise_in_days,
    "is_disputed": lambda f: f._has(Dispute),
    "disputed_amount": InvoiceFacts._disputed_amount,
    "has_instalments": lambda f: f._has(Instalments),
    "is_paused": InvoiceFacts._is_paused,
    "is_stopped": lambda f: f._has(Stop),
    "withheld_amount": InvoiceFacts._withheld_amount,
    "is_handed_over": lambda f: f._invoice.id in f._day.placed,
    # cash
    "cash_entered_days_ago": lambda f: f._ago(f._day.frame.book.entered_through),
}
