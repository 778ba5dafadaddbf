"""What conditions may ask about an account as a whole: worked out once for all its invoices."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, Protocol

from rules.aging import bucket, is_fee_document, is_open, unapplied_credit
from rules.behaviour import Behaviour, behaviour, settled_invoices, weighted_days_late
from rules.exposure import Counted, Exposure, exposures
from rules.lazily import lazily
from rules.model.book import Account
from rules.model.history import FeePosted
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.model.settled import Settled

RECENTLY: Final = timedelta(days=30)
"""What `contacts_30_days` counts: today and the 29 days before it."""


class AccountOnADay(Protocol):
    """What is asked about: an account on a day."""

    @property
    def today(self) -> date: ...
    @property
    def account(self) -> Account: ...
    @property
    def contacts(self) -> Mapping[str, tuple[date, str]]: ...

    def net_of(self, invoice: Invoice) -> Minor:
        """What is owed on the invoice, credit deducted."""
        ...


class AccountFacts:
    """Balances, behaviour and contacts of an account."""

    def __init__(self, day: AccountOnADay) -> None:
        self._day = day
        self._account = day.account
        self._today = day.today
        self._exposures: dict[Counted, Mapping[str, Exposure]] = {}

    @lazily
    def open_invoices(self) -> list[Invoice]:
        """Invoices that are open, fee documents apart."""
        return [
            invoice
            for invoice in self._account.invoices
            if is_open(invoice) and not is_fee_document(invoice)
        ]

    @lazily
    def _aged(self) -> Mapping[tuple[str, str], Minor]:
        """(currency, bucket) -> what is owed, unapplied credit deducted as in the totals."""
        found: dict[tuple[str, str], Minor] = {}
        for invoice in self.open_invoices:
            days = (self._today - invoice.due_on).days if invoice.due_on is not None else 0
            place = (invoice.currency, bucket(days))
            found[place] = found.get(place, 0) + self._day.net_of(invoice)
        return found

    def aged(self, currency: str, name: str) -> Minor:
        """What is owed in a currency in an aging bucket."""
        return self._aged.get((currency, name), 0)

    @lazily
    def _largest(self) -> Mapping[str, Minor]:
        found: dict[str, Minor] = {}
        for invoice in self.open_invoices:
            if invoice.due_on is not None and invoice.due_on < self._today:
                net = self._day.net_of(invoice)
                found[invoice.currency] = max(found.get(invoice.currency, 0), net)
        return found

    def largest_overdue(self, currency: str) -> Minor:
        """The largest overdue balance in a currency."""
        return self._largest.get(currency, 0)

    @lazily
    def _credit(self) -> Mapping[str, Minor]:
        return unapplied_credit(self._account)

    def unapplied(self, currency: str) -> Minor:
        """Credit not used, whether or not the policy nets it."""
        return self._credit.get(currency, 0)

    def exposure(self, currency: str, counted: Counted) -> Minor:
        """What is at risk with the account in a currency."""
        if counted not in self._exposures:
            self._exposures[counted] = exposures(self._account, self._today, counted)
        found = self._exposures[counted].get(currency)
        return found.total if found is not None else 0

    @lazily
    def documents(self) -> Mapping[str, Invoice]:
        """Fee documents by their number."""
        return {one.number: one for one in self._account.invoices if is_fee_document(one)}

    @lazily
    def _waived(self) -> Mapping[str, Minor]:
        found: dict[str, Minor] = {}
        for waiver in self._account.waivers:
            found[waiver.document] = found.get(waiver.document, 0) + waiver.amount
        return found

    def open_of(self, fee: FeePosted) -> Minor:
        """What of a late fee is still asked for: the ledger's own balance where it is known."""
        if fee.state == "bounced":
            return 0
        left = fee.amount - fee.corrected - self._waived.get(fee.document, 0)
        document = self.documents.get(fee.document)
        if document is not None:
            left = min(left, document.balance if is_open(document) else 0)
        return max(left, 0)

    def fee_balance(self, currency: str) -> Minor:
        """Open fee documents of the account in a currency."""
        return sum(
            one.balance
            for one in self.documents.values()
            if one.currency == currency and is_open(one)
        )

    # contacts -----------------------------------------------------------------------------

    @lazily
    def last_contact_on(self) -> date | None:
        """The day of the last counted contact so far."""
        return max((on for on, _ in self._day.contacts.values() if on <= self._today), default=None)

    @lazily
    def recent_contacts(self) -> int:
        """Counted contacts in the last 30 days."""
        since = self._today - RECENTLY
        return sum(since < on <= self._today for on, _ in self._day.contacts.values())

    # behaviour ----------------------------------------------------------------------------

    @lazily
    def settled(self) -> list[Settled]:
        """Invoices that were paid: those in the book and those that are remembered."""
        account = self._account
        found = {one.invoice: one for one in account.settled}
        here = settled_invoices(account.invoices, account.payments, account.credits)
        found.update((one.invoice, one) for one in here)
        return list(found.values())

    @lazily
    def behaviour(self) -> Behaviour:
        """How the account pays."""
        return behaviour(self.settled, self._today)

    def weighted_days_late(self, currency: str) -> int | None:
        """Average days late in a currency, by amount."""
        return weighted_days_late(self.settled, currency, self._today)

    @lazily
    def last_payment_on(self) -> date | None:
        """The newest payment that is known and did not bounce."""
        days = [one.on for one in self._account.payments if one.reversed_on is None]
        days += [one.paid_on for one in self.settled]
        return max((on for on in days if on <= self._today), default=None)

    def since(self, customer: str) -> date | None:
        """Issue of the oldest invoice of a customer that is known."""
        days = [one.issued_on for one in self._account.invoices if one.customer == customer]
        days += [one.issued_on for one in self.settled if one.customer == customer]
        return min(days, default=None)
