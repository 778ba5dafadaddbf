"""A book as it is known today tells of earlier days what a file with all its dates tells."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from rules.model.events import EventLog
from rules.model.past import PastBook
from rules.replay import replay_accounts
from tests.rules.test_replay_accounts import FIRST, LAST, POLICY, books


def _done(history: EventLog | PastBook) -> list[tuple[date, list[str]]]:
    days = replay_accounts(history, POLICY, FIRST, LAST)
    return [(one.day, sorted(act.action.key for act in one.acts)) for one in days]


@settings(max_examples=15, deadline=None)
@given(books())
def test_what_carries_its_day_is_unwound(events: list[dict[str, Any]]) -> None:
    log = EventLog(events)
    now = log.as_of(LAST + timedelta(days=120)).book
    assert _done(PastBook(now, FIRST)) == _done(log)
    past = PastBook(now, FIRST)
    for back in range(0, 60, 7):
        day = LAST - timedelta(days=back)
        book, told = past.book(day), log.as_of(day).book
        assert [(one.id, one.balance, one.status) for one in book.invoices] == [
            (one.id, one.balance, one.status) for one in told.invoices
        ]


@pytest.mark.parametrize("is_paid", [True, False])
def test_a_fee_of_ours_and_what_paid_it_are_left_out(is_paid: bool) -> None:
    events: list[dict[str, Any]] = [
        {"t": "company", "id": "acme", "base_currency": "GBP"},
        {"t": "customer", "id": "A", "date": "2026-01-01", "name": "A", "email": "a@a.example"},
        {"t": "invoice", "id": "I", "date": "2026-05-01", "due": "2026-06-01", "customer": "A",
         "total": "100.00"},
        {"t": "invoice", "id": "LF", "date": "2026-06-20", "due": "2026-06-20", "customer": "A",
         "total": "10.00", "fee_of": "I"},
        {"t": "fee", "invoice": "I", "customer": "A", "date": "2026-06-20", "fee": "flat",
         "amount": "10.00", "document": "LF"},
    ]  # fmt: skip
    if is_paid:
        events.append(
            {"t": "payment", "id": "P", "date": "2026-06-25", "customer": "A", "amount": "110.00",
             "alloc": [{"invoice": "I", "amount": "100.00"}, {"invoice": "LF", "amount": "10.00"}]}
        )  # fmt: skip
    now = EventLog(events).as_of(date(2026, 7, 1)).book
    book = PastBook(now, date(2026, 6, 1)).book(date(2026, 7, 1))
    assert [one.id for one in book.invoices] == ["I"] and not book.fees
    assert [one.unapplied for one in book.payments] == ([0] if is_paid else [])
    assert [one.balance for one in book.invoices] == [0 if is_paid else 10000]
    kept = PastBook(now, date(2026, 7, 1)).book(date(2026, 7, 1))
    assert len(kept.invoices) == 2 and len(kept.fees) == 1
