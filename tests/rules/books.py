"""Small books and policies for the tests of the rules."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec
from hypothesis import strategies as st

from rules.actions.late_fee import ChargeLateFee
from rules.decision import Act, Decision
from rules.model.book import Book
from rules.model.commitment import Dispute, Stop
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.ids import CustomerId, InvoiceId, PaymentId
from rules.model.invoice import Invoice
from rules.model.payment import Allocation, Payment
from rules.policy.load import load_policy
from rules.policy.schema import Policy
from rules.replay import fees_of, served_by

START = date(2026, 3, 2)

FULL = """
schema = 1
name = "full"
legal_basis = "contract:terms"

[[stage]]
id = "soon"
at = "due - 3d"
do = ["remind"]
template = "soon"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
at = "due + 12d"
do = ["remind", "call"]
template = "overdue_2"
requires = ["first"]

[[stage]]
id = "weekly"
at = "previous + 7d"
do = ["remind"]
template = "overdue_3"
repeat = { every = "7d", times = 2 }

[[stage]]
id = "hold"
at = "due + 30d"
do = ["hold_credit", "task"]

[[stage]]
id = "final"
at = "due + 35d"
do = ["remind", "note"]
template = "final"
formal = true
requires = ["second"]
deadline = "10d"

[[stage]]
id = "after-deadline"
at = "deadline(final) + 1d"
do = ["notify"]

[[fee]]
id = "interest"
type = "interest"
annual_rate = 18
grace = "5d"
post = { every = "month", on = "last_business_day" }

[[fee]]
id = "admin"
type = "flat"
amount = { GBP = "25", EUR = "30" }
grace = "10d"

[[fee]]
id = "monthly"
type = "percent"
percent = "1.5"
per = "month"
month_count = "started"
cap = { percent_of_original = 10 }
"""


def full_policy() -> Policy:
    """A policy that uses most of what there is."""
    return load_policy(FULL)


@st.composite
def books(draw: st.DrawFn, *, today: date = START) -> Book:
    """A few customers with invoices around `today`: paid, disputed, unsent and plain ones."""
    customers: dict[CustomerId, Customer] = {}
    invoices: list[Invoice] = []
    payments: list[Payment] = []
    commitments: list[Dispute | Stop] = []
    for c in range(draw(st.integers(1, 3))):
        customer = CustomerId(f"C{c}")
        parent = CustomerId("C0") if c and draw(st.booleans()) else None
        customers[customer] = Customer(
            id=customer, name=f"Customer {c}", parent=parent, entity_type="company"
        )
        if draw(st.integers(0, 9)) == 0:
            commitments.append(Stop(id=f"S{c}", customer=customer, on=today - timedelta(days=1)))
        for n in range(draw(st.integers(0, 4))):
            invoice = InvoiceId(f"I{c}{n}")
            due_on = today + timedelta(days=draw(st.integers(-60, 20)))
            total = draw(st.integers(100, 500_000))
            currency = draw(st.sampled_from(["GBP", "GBP", "EUR"]))
            paid = draw(st.sampled_from([0, 0, 0, total // 3, total]))
            if paid:
                on = due_on + timedelta(days=draw(st.integers(-10, 10)))
                if on > today:
                    paid = 0
                else:
                    payments.append(
                        Payment(
                            id=PaymentId(f"P{c}{n}"),
                            customer=customer,
                            currency=currency,
                            on=on,
                            amount=paid,
                            allocations=(Allocation(invoice, paid),),
                        )
                    )
            if draw(st.integers(0, 6)) == 0:
                commitments.append(
                    Dispute(
                        id=f"D{c}{n}",
                        customer=customer,
                        invoices=(invoice,),
                        on=today - timedelta(days=2),
                    )
                )
            invoices.append(
                Invoice(
                    id=invoice,
                    number=f"N{c}{n}",
                    customer=customer,
                    currency=currency,
                    issued_on=due_on - timedelta(days=30),
                    due_on=due_on,
                    total=total,
                    balance=total - paid,
                    status="paid" if paid == total else "open",
                    sent=draw(st.sampled_from([True, True, True, None, False])),
                )
            )
    return Book(
        company=Company(
            id="acme",
            base_currency="GBP",
            connected_on=draw(st.sampled_from([None, date(2025, 1, 1), today])),
        ),
        as_of=today,
        customers=customers,
        invoices=invoices,
        payments=payments,
        commitments=commitments,
    )


def acts(decisions: Iterable[Decision]) -> list[Act]:
    return [found for found in decisions if isinstance(found, Act)]


def with_history(book: Book, done: Sequence[Act], on: date) -> Book:
    """The book after the acts."""
    fees = [
        fee
        for act in done
        if isinstance(act.action, ChargeLateFee)
        for fee in fees_of(act.action, on, "acme")
    ]
    return msgspec.structs.replace(
        book,
        served=[*book.served, *(item for act in done for item in served_by(act.action, on))],
        fees=[*book.fees, *fees],
    )
