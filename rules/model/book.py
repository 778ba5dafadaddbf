"""The receivables book: a frozen snapshot as of a date, and the accounts in it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain, compress
from operator import attrgetter
from typing import Final, Protocol, TypeVar

import msgspec

from rules.model.commitment import Commitment, Dispute
from rules.model.company import Company
from rules.model.credit import CreditNote
from rules.model.customer import Customer
from rules.model.estimate import Estimate
from rules.model.history import FeePosted, Served, Waiver
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice
from rules.model.payment import Payment
from rules.model.settled import Settled


class HolidaySet(msgspec.Struct, frozen=True, kw_only=True):
    """Public holidays of one region, frozen so that a replay gives the same answer."""

    region: str
    dates: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    """Weekday numbers, Monday 0."""
    source: str = ""
    """Library and version that the dates came from."""


class Rate(msgspec.Struct, frozen=True):
    """Exchange rate of a currency to the base currency, from a date on."""

    currency: str
    on: date
    to_base: str


class Account(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The paying customer with its children: the unit that decisions are made for."""

    payer: Customer
    members: Mapping[CustomerId, Customer]
    """The payer and every customer whose invoices it pays."""
    invoices: Sequence[Invoice] = ()
    """Sorted by due date (no due date last), then id."""
    payments: Sequence[Payment] = ()
    credits: Sequence[CreditNote] = ()
    estimates: Sequence[Estimate] = ()
    commitments: Sequence[Commitment] = ()
    served: Sequence[Served] = ()
    fees: Sequence[FeePosted] = ()
    waivers: Sequence[Waiver] = ()
    settled: Sequence[Settled] = ()
    """Paid invoices that are remembered, where the policy asks how customers pay."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision may look at. It may hold some accounts or all of them."""

    company: Company
    as_of: date
    customers: Mapping[CustomerId, Customer] = {}
    invoices: Sequence[Invoice] = ()
    payments: Sequence[Payment] = ()
    credits: Sequence[CreditNote] = ()
    estimates: Sequence[Estimate] = ()
    commitments: Sequence[Commitment] = ()
    served: Sequence[Served] = ()
    fees: Sequence[FeePosted] = ()
    waivers: Sequence[Waiver] = ()
    settled: Sequence[Settled] = ()
    """Paid invoices beyond `invoices`: loaded only where the policy asks how customers pay."""
    rates: Sequence[Rate] = ()
    holidays: Mapping[str, HolidaySet] = {}
    entered_through: date | None = None
    """Payments are known to be entered up to this day; None: nobody said."""
    read_on: date | None = None
    """The company's own day on which the ledger was last read; None: it is no ledger's."""
    age_hours: int = 0
    """How old the ledger data were when the book was made."""

    def payer_of(self, customer: CustomerId) -> CustomerId:
        """Follow `parent` to the customer that pays; a loop or a missing parent ends the walk."""
        seen = {customer}
        current = customer
        while True:
            known = self.customers.get(current)
            parent = known.parent if known is not None else None
            if parent is None or parent in seen or parent not in self.customers:
                return current
            seen.add(parent)
            current = parent

    def children_paid_for(self) -> dict[CustomerId, CustomerId]:
        """Customers that another one pays for, with the one that does. Most books have none."""
        return {
            customer: paying
            for customer, known in self.customers.items()
            if known.parent is not None and (paying := self.payer_of(customer)) != customer
        }

    def rows_of(self, payers: Collection[CustomerId]) -> "Book":
        """The same book with those rows only, of the long lists, that `accounts` takes for some
        payers: a book is larger than what a processor has at hand, and is gone through once."""
        wanted = {*payers}
        wanted |= {child for child, paying in self.children_paid_for().items() if paying in wanted}
        return msgspec.structs.replace(
            self,
            invoices=_of(self.invoices, wanted),
            payments=_of(self.payments, wanted),
            served=_of(self.served, wanted),
            # Which account a waiver belongs to is told by the fees of all.
            fees=self.fees if self.waivers else _of(self.fees, wanted),
        )

    def accounts(self, payers: Collection[CustomerId] | None = None) -> Iterator[Account]:
        """All accounts, or those of some payers, ordered by the payer's id, whatever the order of
        the input.

        A customer that only documents mention (the ledger did not return it) still gets an
        account, under its id, so that its invoices are looked at and explained.
        """
        children = self.children_paid_for()
        customers = self.customers
        if payers is not None:
            members_of = {child for child, paying in children.items() if paying in payers}
            payers = {*payers, *members_of} - (children.keys() - members_of)
            customers = {name: one for name in payers if (one := customers.get(name)) is not None}
        members = _families(customers, children)
        invoices = _grouped(self.invoices, children, payers)
        payments = _grouped(self.payments, children, payers)
        credits = _grouped(self.credits, children, payers)
        estimates = _grouped(self.estimates, children, payers)
        asked = self.invoices if payers is None else chain.from_iterable(invoices.values())
        told = [*self.commitments, *_disputed_in_the_ledger(asked, self.as_of)]
        commitments = _grouped(told, children, payers)
        served = _grouped(self.served, children, payers)
        fees = _grouped(self.fees, children, payers)
        settled = _grouped(self.settled, children, payers)
        waivers: dict[CustomerId, list[Waiver]] = defaultdict(list)
        if self.waivers:
            fee_payer = {
                fee.document: children.get(fee.customer, fee.customer) for fee in self.fees
            }
            for waiver in self.waivers:
                if waiver.document in fee_payer:
                    waivers[fee_payer[waiver.document]].append(waiver)
        for paying in _payers(customers, children, invoices):
            head = customers.get(paying) or Customer(id=paying, name=paying)
            owed = invoices.get(paying, ())
            yield Account(
                payer=head,
                members=members.get(paying) or {paying: head},
                invoices=_in_order(owed) if len(owed) > 1 else owed,
                payments=payments.get(paying, ()),
                credits=credits.get(paying, ()),
                estimates=estimates.get(paying, ()),
                commitments=commitments.get(paying, ()),
                served=served.get(paying, ()),
                fees=fees.get(paying, ()),
                waivers=waivers.get(paying, ()),
                settled=settled.get(paying, ()),
            )


def _families(
    customers: Mapping[CustomerId, Customer], children: Mapping[CustomerId, CustomerId]
) -> dict[CustomerId, dict[CustomerId, Customer]]:
    """Payers that pay for others, each with all whose invoices it pays."""
    found: dict[CustomerId, dict[CustomerId, Customer]] = {}
    if children:
        heads = set(children.values())
        for customer, known in customers.items():
            paying = children.get(customer, customer)
            if paying in heads:
                found.setdefault(paying, {})[customer] = known
    return found


def _payers(
    customers: Mapping[CustomerId, Customer],
    children: Mapping[CustomerId, CustomerId],
    invoices: Mapping[CustomerId, object],
) -> list[CustomerId]:
    """Everybody who pays, in order: those that are known, and those that only invoices name."""
    found = [customer for customer in invoices if customer not in customers]
    if children:
        found += {children.get(customer, customer) for customer in customers}
    else:
        found += customers
    return sorted(found)


REVIEW_OF_DISPUTES = timedelta(days=30)
"""Days after its due date when a person looks at an invoice that is disputed in the ledger."""

LEDGER: Final = "ledger"
"""The actor of what the ledger itself says."""


def _disputed_in_the_ledger(invoices: Iterable[Invoice], as_of: date) -> list[Commitment]:
    """What customers contested in the ledger's own portal, as disputes of the day: nobody knows
    since when, and they end when the ledger no longer says so."""
    return [
        Dispute(
            id=f"disputed-in-the-ledger/{invoice.id}",
            customer=invoice.customer,
            invoices=(invoice.id,),
            on=as_of,
            reason="disputed in the ledger",
            actor=LEDGER,
            review_on=(invoice.due_on or invoice.issued_on) + REVIEW_OF_DISPUTES,
        )
        for invoice in invoices
        if invoice.is_disputed and invoice.status == "open"
    ]


class _OfCustomer(Protocol):
    @property
    def customer(self) -> CustomerId: ...


_Row = TypeVar("_Row", bound=_OfCustomer)


def _grouped(
    rows: Collection[_Row],
    children: Mapping[CustomerId, CustomerId],
    only: Collection[CustomerId] | None,
) -> dict[CustomerId, list[_Row]]:
    """Rows by the customer that pays; `only` those of some customers, where that is not None."""
    groups: dict[CustomerId, list[_Row]] = defaultdict(list)
    kept: Iterable[_Row] = rows
    if only is not None:
        kept = compress(rows, map(only.__contains__, map(_by_customer, rows)))
    for row in kept:
        groups[row.customer].append(row)
    for child, paying in children.items():
        if child in groups:
            groups[paying] += groups.pop(child)
    return groups


def _of(rows: Collection[_Row], customers: Collection[CustomerId]) -> list[_Row]:
    return list(compress(rows, map(customers.__contains__, map(_by_customer, rows))))


def _due_then_id(invoice: Invoice) -> tuple[date, str]:
    return (invoice.due_on or date.max, invoice.id)


_by_customer = attrgetter("customer")
_by_due_and_id = attrgetter("due_on", "id")


def _in_order(invoices: Sequence[Invoice]) -> list[Invoice]:
    try:
        return sorted(invoices, key=_by_due_and_id)
    except TypeError:  # one of them has no due date
        return sorted(invoices, key=_due_then_id)
