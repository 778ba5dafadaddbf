"""The sandbox's ledger shows what the folded book shows, day by day."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.bookevents import read_facts
from connectors.sandbox.ids import QuickBooksIds, VendorIds, XeroIds
from connectors.sandbox.ledger import Ledger
from rules.model.events import EventLog
from tests.sandbox.books import COMPANY, grocers, noon, small_book


def ledger_on(events: list[dict[str, Any]], day: str, ids: VendorIds | None = None) -> Ledger:
    ledger = Ledger(read_facts(events), ids or QuickBooksIds())
    ledger.advance(noon(day))
    return ledger


@pytest.mark.parametrize("make", [QuickBooksIds, lambda: XeroIds("tenant")])
def test_balances_equal_the_folded_book_on_any_day(make: Any) -> None:
    events = grocers()
    log = EventLog(events)
    ids = make()
    ledger = Ledger(read_facts(events), ids)
    clock = VirtualClock(noon("2019-01-01"))
    for _ in range(28):
        now = clock.advance(timedelta(days=13))
        ledger.advance(now)
        book = log.as_of(ledger.today).book
        assert {ids.of_book("invoice", i.id): i.balance for i in book.invoices} == {
            i.id: i.balance for i in ledger.invoices.values()
        }
        unapplied: dict[str, int] = defaultdict(int)
        for payment in book.payments:
            unapplied[ids.of_book("customer", payment.customer)] += payment.unapplied
        owed: dict[str, int] = defaultdict(int)
        for invoice in book.invoices:
            owed[ids.of_book("customer", invoice.customer)] += invoice.balance
        for credit in book.credits:
            owed[ids.of_book("customer", credit.customer)] -= credit.remaining
        for customer in ledger.customers:
            assert ledger.owed(customer) == owed[customer] - unapplied[customer]


@pytest.mark.parametrize("day", ["2026-01-11", "2026-02-02", "2026-02-04", "2026-02-07",
                                 "2026-02-11", "2026-02-13", "2026-03-05"])  # fmt: skip
def test_small_book_equals_the_folded_book(day: str) -> None:
    ledger = ledger_on(small_book(), day)
    book = EventLog(small_book()).as_of(ledger.today).book
    assert {i.number: (i.balance, i.status) for i in book.invoices} == {
        i.number: (i.balance, i.status) for i in ledger.invoices.values()
    }


def test_a_payment_shows_on_the_day_it_is_known() -> None:
    assert ledger_on(small_book(), "2026-02-02").payments == {}
    assert len(ledger_on(small_book(), "2026-02-03").payments) == 1


def test_the_day_is_the_company_s_own() -> None:
    ledger = Ledger(read_facts(small_book()), QuickBooksIds())
    ledger.advance(noon("2026-01-10").replace(hour=4, minute=59))
    assert ledger.invoices == {}
    ledger.advance(noon("2026-01-10").replace(hour=5))
    assert len(ledger.invoices) == 1


def test_every_change_gives_a_new_version_and_instant() -> None:
    ids = QuickBooksIds()
    ledger = ledger_on(small_book(), "2026-02-02", ids)
    key = ids.of_book("invoice", "INV-1")
    before = ledger.invoices[key]
    ledger.advance(noon("2026-02-03"))
    after = ledger.invoices[key]
    assert (before.version, before.balance) == (0, 120000)
    assert (after.version, after.balance) == (1, 80000)
    assert after.updated_at == noon("2026-02-03").replace(hour=5)


def test_a_void_invoice_gives_the_money_back_to_the_customer() -> None:
    events = [*small_book(), {"t": "void", "date": "2026-02-09", "invoice": "INV-1"}]
    ids = QuickBooksIds()
    ledger = ledger_on(events, "2026-02-09", ids)
    payment = ledger.payments[ids.of_book("payment", "P1")]
    assert (payment.allocations, payment.unapplied) == ((), 50000)


def test_deleting_a_payment_opens_its_invoice_again() -> None:
    ids = QuickBooksIds()
    ledger = ledger_on(small_book(), "2026-02-03", ids)
    ledger.delete("payment", ids.of_book("payment", "P1"))
    assert ledger.invoices[ids.of_book("invoice", "INV-1")].balance == 120000
    assert [(gone.kind, gone.id) for gone in ledger.deletions] == [
        ("payment", ids.of_book("payment", "P1"))
    ]


def test_a_payment_may_be_known_before_its_invoice() -> None:
    events = [
        COMPANY,
        {"t": "payment", "id": "P", "date": "2026-01-02", "customer": "C", "currency": "USD",
         "amount": "10.00", "alloc": [{"invoice": "I", "amount": "10.00"}]},
        {"t": "invoice", "id": "I", "date": "2026-01-04", "due": "2026-01-05", "customer": "C",
         "currency": "USD", "total": "10.00"},
    ]  # fmt: skip
    ledger = ledger_on(events, "2026-01-03")
    assert [payment.unapplied for payment in ledger.payments.values()] == [1000]
    ledger.advance(noon("2026-01-04"))
    assert [invoice.status for invoice in ledger.invoices.values()] == ["paid"]
    assert [payment.unapplied for payment in ledger.payments.values()] == [0]


def test_an_event_that_cannot_be_read_is_named_and_stops_nothing() -> None:
    events = [*small_book(), {"t": "invoice", "id": "BAD", "date": "2026-01-40", "customer": "C1",
                              "currency": "USD", "total": "1.00"}]  # fmt: skip
    facts = read_facts(events)
    assert len(facts.problems) == 1
    assert "event 14 (invoice)" in facts.problems[0]
    assert len(facts.facts) == len(read_facts(small_book()).facts)


def test_ids_do_not_depend_on_what_is_asked_first() -> None:
    first, second = QuickBooksIds(), QuickBooksIds()
    Ledger(read_facts(small_book()), first)
    ledger_on(small_book(), "2026-03-05", second)
    for book_id in ("INV-1", "INV-2", "INV-3", "INV-4"):
        assert first.of_book("invoice", book_id) == second.of_book("invoice", book_id)
        assert first.book_id("invoice", first.of_book("invoice", book_id)) == book_id
