"""Credit limits over many days: holds and releases take turns, and never come and go."""

from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.decide import decide
from rules.exposure import Exposure, exposures
from rules.model.book import Book
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.estimate import Estimate
from rules.model.history import Served
from rules.model.ids import CustomerId, EstimateId, InvoiceId, PaymentId
from rules.model.invoice import Invoice
from rules.model.payment import Payment
from rules.policy.load import load_policy
from tests.rules.books import START, acts, with_history

POLICY = load_policy("""
schema = 1
name = "limit"

[credit]
limit = 1000
hold_above = 100
release_below = 80
hold_overdue = "20d"
release_overdue = "5d"
""")
NORTH = CustomerId("C1")
KINDS = ("credit_hold", "credit_release")


def book(owed: int, overdue_by: int, on: date, done: list[Served]) -> Book:
    invoice = Invoice(
        id=InvoiceId("I1"),
        number="N1",
        customer=NORTH,
        currency="GBP",
        issued_on=date(2026, 1, 1),
        due_on=on - timedelta(days=overdue_by),
        total=max(owed, 1),
        balance=owed,
        status="open" if owed else "paid",
    )
    return Book(
        company=Company(id="acme", base_currency="GBP"),
        as_of=on,
        customers={NORTH: Customer(id=NORTH, name="North Ltd")},
        invoices=[invoice],
        served=list(done),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2_000_00), st.integers(-10, 40)), min_size=3, max_size=25))
def test_holds_and_releases_take_turns(days: list[tuple[int, int]]) -> None:
    done: list[Served] = []
    for number, (owed, overdue_by) in enumerate(days):
        on = START + timedelta(days=number)
        today = book(owed, overdue_by, on, done)
        found = [act for act in acts(decide(today, POLICY, on)) if act.action.kind in KINDS]
        assert len(found) <= 1
        for act in found:
            held = act.action.kind == "credit_hold"
            is_late = owed > 0 and overdue_by > 20
            assert held == (owed > 1000_00 or is_late), "a hold has its ground"
            done = list(with_history(today, [act], on).served)
        again = msgspec.structs.replace(today, served=list(done))
        assert not [a for a in acts(decide(again, POLICY, on)) if a.action.kind in KINDS]
    kinds = [item.kind for item in done]
    assert kinds == [KINDS[place % 2] for place in range(len(kinds))]
    assert len({item.key for item in done}) == len(done)


def test_exposure_counts_what_may_be_lost() -> None:
    on = date(2026, 3, 2)
    full = msgspec.structs.replace(
        book(500_00, 3, on, []),
        payments=[Payment(id=PaymentId("P"), customer=NORTH, currency="GBP", on=on, amount=120_00)],
        estimates=[
            Estimate(
                id=EstimateId(status),
                customer=NORTH,
                currency="GBP",
                on=on,
                total=total,
                status=status,
            )
            for status, total in (("open", 10_00), ("accepted", 200_00), ("declined", 7_00))
        ],
    )
    (account,) = full.accounts()
    for counted, estimates in (("none", 0), ("accepted", 200_00), ("open", 210_00)):
        found = exposures(account, on, counted)["GBP"]
        assert found == Exposure(currency="GBP", open=500_00, credit=120_00, estimates=estimates)
        assert found.total == 380_00 + estimates
