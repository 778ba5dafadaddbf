"""A book file folded into a book as of a day: what is known, what replaces what, what is wrong."""

import gzip
import json
from datetime import date, timedelta
from typing import Any

import pytest

from rules.model.commitment import Dispute, Stop
from rules.model.events import EventLog, fold
from rules.model.ids import CustomerId
from tests.shared_material import shared

COMPANY = {"t": "company", "id": "acme", "base_currency": "GBP"}
CUSTOMER = {"t": "customer", "id": "C1", "date": "2026-01-01", "name": "North"}
INVOICE = {
    "t": "invoice",
    "id": "I1",
    "date": "2026-01-10",
    "due": "2026-02-09",
    "customer": "C1",
    "total": "100.00",
}


def paid(on: str, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "t": "payment",
        "id": "P1",
        "date": on,
        "customer": "C1",
        "amount": amount,
        "alloc": [{"invoice": "I1", "amount": amount}],
    } | more


def book(*events: dict[str, Any], on: str = "2026-03-01") -> Any:
    folded = fold([COMPANY, CUSTOMER, INVOICE, *events], date.fromisoformat(on))
    assert folded.problems == ()
    return folded.book


def test_defaults_of_missing_fields() -> None:
    found = book()
    (invoice,) = found.invoices
    assert invoice.sent is True
    assert invoice.number == "I1"
    assert invoice.currency == "GBP"
    assert found.company.timezone == "UTC"
    assert found.customers[CustomerId("C1")].entity_type == "unknown"


def test_sent_can_be_unknown() -> None:
    (invoice,) = book({**INVOICE, "sent": None, "known": "2026-01-11"}).invoices
    assert invoice.sent is None


@pytest.mark.parametrize(
    ("on", "balance", "status"),
    [("2026-02-19", 10000, "open"), ("2026-02-20", 10000, "open"), ("2026-02-21", 0, "paid")],
)
def test_a_payment_counts_from_the_day_it_is_known(on: str, balance: int, status: str) -> None:
    (invoice,) = book(paid("2026-02-20", "100.00", known="2026-02-21"), on=on).invoices
    assert (invoice.balance, invoice.status) == (balance, status)


def test_a_payment_of_the_future_is_not_seen() -> None:
    (invoice,) = book(paid("2026-03-05", "100.00", known="2026-02-01")).invoices
    assert invoice.balance == 10000


def test_a_reversed_payment_opens_the_invoice_again() -> None:
    reversal = {"t": "payment_reversed", "date": "2026-02-25", "payment": "P1", "reason": "bounced"}
    found = book(paid("2026-02-20", "100.00"), reversal)
    assert found.invoices[0].balance == 10000
    assert found.payments[0].reversed_on == date(2026, 2, 25)
    assert found.payments[0].unapplied == 0
    assert book(paid("2026-02-20", "100.00"), reversal, on="2026-02-24").invoices[0].balance == 0


def test_what_is_not_allocated_stays_unapplied() -> None:
    found = book(
        paid("2026-02-20", "150.00", alloc=[{"invoice": "I1", "amount": "100.00"}]),
        {"t": "credit_note", "id": "N1", "date": "2026-02-21", "customer": "C1", "total": "30.00"},
    )
    assert found.payments[0].unapplied == 5000
    assert found.credits[0].remaining == 3000


def test_a_later_version_replaces_from_its_day() -> None:
    moved = {**INVOICE, "due": "2026-03-09", "known": "2026-02-01"}
    assert book(moved, on="2026-01-31").invoices[0].due_on == date(2026, 2, 9)
    assert book(moved, on="2026-02-01").invoices[0].due_on == date(2026, 3, 9)


def test_void_ends_an_invoice() -> None:
    (invoice,) = book({"t": "void", "date": "2026-02-01", "invoice": "I1"}).invoices
    assert (invoice.status, invoice.balance) == ("void", 0)


def test_disputes_and_stops_end() -> None:
    events = (
        {"t": "dispute", "date": "2026-02-01", "invoice": "I1", "customer": "C1", "amount": None},
        {"t": "dispute_end", "date": "2026-02-10", "invoice": "I1", "won_by": "us"},
        {"t": "stop", "date": "2026-02-02", "customer": "C1", "because": "lawyer"},
        {"t": "resume", "date": "2026-02-12", "customer": "C1"},
    )
    dispute, stop = book(*events).commitments
    assert isinstance(dispute, Dispute) and isinstance(stop, Stop)
    assert (dispute.ended_on, dispute.won_by) == (date(2026, 2, 10), "us")
    assert stop.ended_on == date(2026, 2, 12)
    standing = book(*events, on="2026-02-09").commitments
    assert [told.ended_on for told in standing] == [None, None]


def test_the_order_of_lines_does_not_matter() -> None:
    events = [COMPANY, CUSTOMER, INVOICE, paid("2026-02-20", "40.00")]
    forward = fold(events, date(2026, 3, 1))
    assert fold(reversed(events), date(2026, 3, 1)) == forward
    assert forward.book.invoices[0].balance == 6000


def test_unknown_fields_are_ignored() -> None:
    assert fold([{**COMPANY, "colour": "red"}], date(2026, 1, 1)).problems == ()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"t": "invoce", "id": "X"}, "is no kind of event"),
        ({**INVOICE, "id": "I2", "customer": "C9"}, "customer C9 is not in the book"),
        ({**INVOICE, "id": "I2", "due": "31/12/2026"}, "is not a date"),
        ({**INVOICE, "id": "I2", "total": "12,50"}, "is not an amount"),
        ({**INVOICE, "id": "I2", "total": "1.005"}, "more decimals than GBP allows"),
        ({**INVOICE, "id": "I2", "total": "-5"}, "is negative"),
        ({"t": "invoice", "id": "I2", "date": "2026-01-01", "customer": "C1"}, "total is missing"),
        (
            paid("2026-02-01", "5", alloc=[{"invoice": "I9", "amount": "5"}]),
            "I9 is not in the book",
        ),
        (paid("2026-02-01", "5", alloc=[{"invoice": "I1", "amount": "6"}]), "adds up to more"),
        ({"t": "void", "date": "2026-02-01", "invoice": "I9"}, "I9 is not in the book"),
        ({"t": "payment_reversed", "date": "2026-02-01", "payment": "P9"}, "P9 is not in the book"),
        ({"t": "stop", "date": "2026-02-01", "customer": "C1", "because": "x"}, "is not known"),
        ({"t": "waiver", "date": "2026-02-01", "document": "LF-9"}, "LF-9 is not in the book"),
        ({**CUSTOMER, "id": "C2", "parent": "C9"}, "parent C9 is not in the book"),
    ],
)
def test_a_bad_record_is_named_and_the_others_go_on(event: dict[str, Any], words: str) -> None:
    folded = fold([COMPANY, CUSTOMER, event, INVOICE], date(2026, 3, 1), source="book.jsonl")
    (problem,) = folded.problems
    assert words in str(problem)
    assert str(problem).startswith("book.jsonl:3: ")
    assert [invoice.id for invoice in folded.book.invoices] == ["I1"]


def test_real_receivables_fold_on_every_day() -> None:
    with gzip.open(shared("data/book_grocers_small.jsonl.gz"), "rt", encoding="utf-8") as lines:
        log = EventLog(json.loads(line) for line in lines)
    assert log.problems == ()
    day = date(2019, 6, 3)
    while day < date(2019, 8, 30):
        found = log.as_of(day).book
        owed = sum(invoice.total for invoice in found.invoices)
        settled = sum(
            part.amount
            for document in (*found.payments, *found.credits)
            for part in document.allocations
        )
        assert sum(invoice.balance for invoice in found.invoices) == owed - settled
        assert all(invoice.issued_on <= day for invoice in found.invoices)
        day += timedelta(days=7)


def test_an_estimate_is_what_its_last_event_says() -> None:
    estimate = {
        "t": "estimate",
        "id": "E1",
        "number": "Q-7",
        "date": "2026-01-15",
        "customer": "C1",
        "total": "1200.00",
        "expires": "2026-02-15",
        "deposit": "300.00",
    }
    accepted = {**estimate, "known": "2026-01-20", "status": "accepted"}
    assert book(estimate, accepted, on="2026-01-14").estimates == []
    (first,) = book(estimate, accepted, on="2026-01-19").estimates
    assert (first.status, first.total, first.deposit) == ("open", 120_000, 30_000)
    assert (first.expires_on, first.currency) == (date(2026, 2, 15), "GBP")
    (second,) = book(estimate, accepted).estimates
    assert (second.number, second.status) == ("Q-7", "accepted")


def test_an_estimate_in_an_unknown_state_is_kept_out() -> None:
    odd = {"t": "estimate", "id": "E1", "date": "2026-01-15", "customer": "C1", "total": "1"}
    folded = fold([COMPANY, CUSTOMER, {**odd, "status": "lost"}], date(2026, 3, 1))
    assert folded.book.estimates == []
    (problem,) = folded.problems
    assert "estimate E1" in str(problem)
