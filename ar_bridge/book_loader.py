"""From the store to a `Book`: what the ledger says, what people told us, and what we did.

What could not be read (`unreadable`) holds back what would be said or charged.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from operator import itemgetter

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from ar_bridge.facts_file import CustomerFacts, augment
from ar_bridge.families import Families
from ar_bridge.store import commitments, tables, waivers
from ar_bridge.store.bodies import Bodies
from ar_bridge.store.books import BookRow
from ar_bridge.store.came_back import came_back
from ar_bridge.store.history import (
    charged_invoices,
    customers_on_ladder,
    fees_posted,
    served_items,
)
from ar_bridge.store.parts import by_scanning, rows_of
from ar_bridge.unreadable import held_back
from rules.actions.keys import fee_item, fee_notice_item, fee_part_item, read_charge_tag
from rules.behaviour import settled_invoices
from rules.calendar import local_date
from rules.model import (
    Book,
    CreditNote,
    Customer,
    Estimate,
    FeePosted,
    HolidaySet,
    Invoice,
    ItemKey,
    Payment,
)
from rules.model.fee_part import ALL_INVOICES
from rules.model.settled import Settled
from rules.model.taken_back import after_taking_back
from rules.policy.schema import Policy

RECENTLY_CLOSED = timedelta(days=45)
"""Interest is owed until the day of payment, so a paid invoice is still looked at for a while."""

FEES_REMEMBERED = timedelta(days=400)
"""How long a closed invoice that we charged fees for stays in the book."""

NEVER_READ_HOURS = 24 * 365 * 100
"""Age of a book that was never read completely: stale by any policy."""

_MONTH = timedelta(days=31)

_customers: Bodies[Customer] = Bodies(Customer)
_invoices: Bodies[Invoice] = Bodies(Invoice)
_payments: Bodies[Payment] = Bodies(Payment)
_credits: Bodies[CreditNote] = Bodies(CreditNote)
_estimates: Bodies[Estimate] = Bodies(Estimate)


def load_book(
    conn: Connection,
    row: BookRow,
    *,
    as_of: date,
    now: datetime,
    holidays: Mapping[str, HolidaySet],
    facts: CustomerFacts,
    customers: Iterable[str] | None = None,
    without: Collection[int] = (),
    closed_within: timedelta = RECENTLY_CLOSED,
    with_settled: bool = False,
    account_stages: Collection[str] = (),
) -> Book:
    """The book as last read, for decisions on `as_of`.

    `customers` picks accounts: each is loaded whole, payer and children; None loads all.
    `without` are row ids of actions that are treated as if they did not exist: a planned action
    is checked by deciding again without it. `closed_within` is how long a closed invoice stays.
    `account_stages` are ids of stages about whole accounts: of a payer who was served one, all
    invoices of the time that fees are remembered are loaded, because they tell how long something
    has been overdue without a break.
    `with_settled` also tells of every invoice that we saw paid, for policies that ask how
    customers pay.
    """
    families = Families(conn, row.id, facts)
    members = None if customers is None else families.accounts_of(customers)

    def wanted(customer: str) -> bool:
        return members is None or customer in members

    known = {
        customer.id: customer
        for customer in (
            augment(_customers.read(body), facts)
            for body in _bodies(conn, row.id, tables.customers, members)
        )
    }
    invoices = _invoices_to_decide(conn, row.id, as_of, members, facts, closed_within)
    since = as_of - FEES_REMEMBERED
    climbing = customers_on_ladder(conn, row.id, since, account_stages, customers=members)
    if climbing:
        of_them = frozenset(filter(wanted, families.accounts_of(climbing)))
        longer = max(closed_within, FEES_REMEMBERED)
        more = _invoices_to_decide(conn, row.id, as_of, of_them, facts, longer)
        invoices = list({invoice.id: invoice for invoice in (*invoices, *more)}.values())
    ids = {invoice.id for invoice in invoices}
    all_payments = list(map(_payments.read, _bodies(conn, row.id, tables.payments, members)))
    all_credits = list(map(_credits.read, _bodies(conn, row.id, tables.credits, members)))
    settled: list[Settled] = []
    if with_settled:
        paid = tables.invoices.c.status == "paid"
        closed = map(_invoices.read, _bodies(conn, row.id, tables.invoices, members, paid))
        settled = settled_invoices(closed, all_payments, all_credits)
    payments = [
        payment
        for payment in all_payments
        if payment.unapplied or any(part.invoice in ids for part in payment.allocations)
    ]
    credits = [
        credit
        for credit in all_credits
        if credit.remaining or any(part.invoice in ids for part in credit.allocations)
    ]
    estimates = map(_estimates.read, _bodies(conn, row.id, tables.estimates, members))
    told = (
        *commitments.listed(conn, row.id, customers=members),
        *facts.commitments(),
        *held_back(conn, row.id, as_of, families.payer_of),
    )
    served = served_items(
        conn, row.id, since=as_of - FEES_REMEMBERED, customers=members, without=without
    )
    served += came_back(conn, row.id, since=as_of - FEES_REMEMBERED, customers=members)
    announced = {
        item.key for item in served if item.kind == "fee_notice" and item.state != "bounced"
    }
    posted, taken_back = fees_posted(conn, row.id, customers=members, without=without)
    fees = [
        fee if announced & _notices(fee) else msgspec.structs.replace(fee, is_announced=False)
        for fee in posted
    ]
    fees += _only_in_the_ledger(invoices, {fee.document for fee in fees})
    given = [*waivers.listed(conn, row.id), *taken_back]
    fees, waived = after_taking_back(fees, given)
    return Book(
        company=row.company,
        as_of=as_of,
        customers=known,
        invoices=invoices,
        payments=payments,
        credits=credits,
        estimates=list(estimates),
        commitments=[one for one in told if wanted(one.customer)],
        served=served,
        fees=fees,
        waivers=waived,
        settled=settled,
        holidays=holidays,
        entered_through=row.entered_through,
        read_on=local_date(row.synced_at, row.company.timezone) if row.synced_at else None,
        age_hours=age_hours(row.synced_at, now),
    )


def closed_remembered(policy: Policy) -> timedelta:
    """How long closed invoices matter under a policy: a statement of movements tells of them."""
    months = [rule.every.count for rule in policy.statement if rule.kind == "activity"]
    return max((RECENTLY_CLOSED, *(_MONTH * (count + 1) for count in months)))


def _notices(fee: FeePosted) -> set[ItemKey]:
    """Keys under which a message told of the fee: a note that was found again names the oldest
    invoice of a document about a whole account."""
    key = fee.charge_key
    by_invoice = fee_item(fee.invoice, fee.fee, key.rsplit("/", 1)[-1])
    return {fee_notice_item(key), fee_notice_item(by_invoice)}


def _only_in_the_ledger(invoices: Iterable[Invoice], ours: Collection[str]) -> list[FeePosted]:
    """Fees that the ledger holds under our tag and that our records do not know: they were lost
    or belong to another copy of them, and what was charged is charged."""
    found: list[FeePosted] = []
    for document in invoices:
        if not document.is_fee or document.number in ours:
            continue
        tag = read_charge_tag(document.reference)
        if tag is None:
            continue
        whole = FeePosted(
            on=document.issued_on,
            invoice=tag.invoice,
            customer=document.customer,
            fee=tag.fee,
            amount=document.total,
            currency=document.currency,
            through=tag.through,
            key=tag.key,
            document=document.number,
            is_found_again=True,
        )
        found += _parts(whole, document) if tag.invoice == ALL_INVOICES else [whole]
    return found


def _parts(whole: FeePosted, document: Invoice) -> list[FeePosted]:
    """What each invoice bears of a document about a whole account, as its lines tell it. Of a
    document whose lines somebody edited nobody knows it: the whole counts against all of them."""
    slot = whole.key.rsplit("/", 1)[-1]
    if not document.fee_parts:
        return [msgspec.structs.replace(whole, account_key=whole.key)]
    return [
        msgspec.structs.replace(
            whole,
            invoice=part.invoice,
            amount=part.amount,
            key=fee_part_item(
                part.invoice, whole.fee, f"{slot}.minimum" if part.is_minimum else slot
            ),
            account_key=whole.key,
            is_minimum=part.is_minimum,
        )
        for part in document.fee_parts
    ]


def age_hours(synced_at: datetime | None, now: datetime) -> int:
    """How old the data are, in hours begun: 26 hours and a minute are more than 26 hours."""
    if synced_at is None:
        return NEVER_READ_HOURS
    return max(0, -((synced_at - now) // timedelta(hours=1)))


def _invoices_to_decide(
    conn: Connection,
    book_id: int,
    as_of: date,
    members: frozenset[str] | None,
    facts: CustomerFacts,
    closed_within: timedelta,
) -> list[Invoice]:
    closed_on = tables.invoices.c.closed_on
    worth_a_look = or_(
        tables.invoices.c.status == "open",
        closed_on >= (as_of - closed_within).isoformat(),
        and_(
            closed_on >= (as_of - FEES_REMEMBERED).isoformat(),
            charged_invoices(book_id),
        ),
    )
    found = list(
        map(_invoices.read, _bodies(conn, book_id, tables.invoices, members, worth_a_look))
    )
    autopaying = {customer for customer, said in facts.customers.items() if said.autopay}
    if not autopaying:
        return found
    return [
        msgspec.structs.replace(invoice, pays_by_itself=True)
        if invoice.customer in autopaying
        else invoice
        for invoice in found
    ]


def _bodies(
    conn: Connection,
    book_id: int,
    table: Table,
    members: frozenset[str] | None,
    *conditions: ColumnElement[bool],
) -> Iterator[str]:
    """Stored bodies, of some customers or of all, by id."""
    by_id = table.c.id if members is None else by_scanning(table.c.id)
    query = select(table.c.body).where(table.c.book_id == book_id, *conditions).order_by(by_id)
    owner = table.c.id if table is tables.customers else table.c.customer
    return map(_only, rows_of(conn, query, owner, members))


_only = itemgetter(0)
