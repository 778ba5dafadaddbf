"""The sample book is whole, always the same, and has what a credit controller meets."""

import subprocess
import sys
from collections import Counter
from datetime import date
from functools import cache
from typing import Any

import msgspec
import pytest

from ar_bridge.sample_book import DEMO_FROM, DEMO_TO, sample_events
from rules.model.book import Book
from rules.model.commitment import Dispute, Instalments, Pause, Promise, Stop, Withheld
from rules.model.events import EventLog


@cache
def events() -> list[dict[str, Any]]:
    return list(sample_events())


@cache
def book(on: date) -> Book:
    return EventLog(events(), source="sample").as_of(on).book


def test_it_folds_without_a_problem() -> None:
    assert EventLog(events(), source="sample").problems == ()


def test_it_is_the_same_every_time() -> None:
    assert events() == list(sample_events())
    printed = subprocess.run(
        [sys.executable, "-m", "ar_bridge.sample_book"], capture_output=True, check=True
    )
    assert [msgspec.json.decode(line) for line in printed.stdout.splitlines()] == events()


def test_until_is_a_prefix_of_what_became_known() -> None:
    some = list(sample_events(date(2026, 3, 31)))
    assert some == events()[: len(some)]
    assert len(some) < len(events())
    assert EventLog(some, source="sample").problems == ()


def test_size_and_span() -> None:
    kinds = Counter(event["t"] for event in events())
    assert kinds["customer"] >= 60
    assert 850 <= kinds["invoice"] <= 1050
    days = sorted(event["date"] for event in events() if event["t"] == "invoice")
    assert days[0] < "2025-04"
    assert days[-1] > "2026-09-15"
    assert date(2026, 8, 3) == DEMO_FROM
    assert date(2026, 9, 30) == DEMO_TO


def test_addresses_belong_to_nobody_and_are_not_shared() -> None:
    addresses = [event["email"] for event in events() if event["t"] == "customer"]
    written = [address for address in addresses if address]
    assert all(address.endswith(".example") for address in written)
    assert len(set(written)) == len(written)
    assert addresses.count("") >= 1


def test_customers_of_every_sort() -> None:
    customers = [event for event in events() if event["t"] == "customer"]
    entities = {event["entity_type"] for event in customers}
    assert entities >= {"company", "sole_trader", "partnership", "public_body", "unknown"}
    assert {event["currency"] for event in customers} == {"GBP", "EUR"}
    assert {event["terms_days"] for event in customers} == {14, 30, 60}
    assert sum(event["parent"] is not None for event in customers) >= 4
    billed = Counter(event["customer"] for event in events() if event["t"] == "invoice")
    assert billed.most_common(1)[0][1] > 0.15 * sum(billed.values())


@pytest.mark.parametrize("kind", [Dispute, Promise, Instalments, Pause, Stop, Withheld])
def test_people_told_us_things(kind: type) -> None:
    assert [each for each in book(DEMO_TO).commitments if isinstance(each, kind)]


def test_disputes_end_both_ways_and_some_stand() -> None:
    disputes = [each for each in book(DEMO_TO).commitments if isinstance(each, Dispute)]
    assert {each.won_by for each in disputes} == {"customer", "us", ""}
    assert [each for each in disputes if each.stands_on(DEMO_FROM)]


def test_promises_are_kept_and_broken() -> None:
    balance = {invoice.id: invoice.balance for invoice in book(DEMO_TO).invoices}
    promises = [each for each in book(DEMO_TO).commitments if isinstance(each, Promise)]
    left = [balance[each.invoices[0]] for each in promises if each.due_on < DEMO_TO]
    assert any(left)
    assert not all(left)


def test_money_in_every_shape() -> None:
    whole = book(DEMO_TO)
    assert [each for each in whole.payments if each.reversed_on]
    assert [each for each in whole.payments if each.unapplied and not each.reversed_on]
    assert [each for each in whole.payments if len(each.allocations) > 1]
    assert [each for each in whole.credits if each.remaining]
    assert [each for each in whole.credits if not each.remaining]
    assert [each for each in whole.invoices if 0 < each.balance < each.total]
    assert [each for each in whole.invoices if 0 < each.balance < 500]
    assert {each.sent for each in whole.invoices} == {True, False, None}
    assert "void" in {each.status for each in whole.invoices}
    assert [each for each in whole.invoices if each.pays_by_itself]


def test_payers_of_every_habit() -> None:
    due = {each.id: each.due_on for each in book(DEMO_TO).invoices}
    late = [
        (payment.on - due_on).days
        for payment in book(DEMO_TO).payments
        for part in payment.allocations
        if (due_on := due[part.invoice]) is not None
    ]
    assert sum(days < 0 for days in late) > 50
    assert sum(0 <= days <= 3 for days in late) > 50
    assert sum(days > 20 for days in late) > 50


@pytest.mark.parametrize("on", [DEMO_FROM, DEMO_TO])
def test_there_is_work_on_the_first_day_and_on_the_last(on: date) -> None:
    overdue = [
        each for each in book(on).invoices if each.balance and each.due_on and each.due_on < on
    ]
    assert 25 <= len(overdue) <= 90
    assert {each.currency for each in overdue} == {"GBP", "EUR"}


def test_nothing_is_settled_beyond_its_total() -> None:
    for day in (date(2025, 12, 31), DEMO_FROM, DEMO_TO):
        settled: Counter[str] = Counter()
        for payment in book(day).payments:
            if payment.reversed_on is None:
                for part in payment.allocations:
                    settled[part.invoice] += part.amount
        for credit in book(day).credits:
            for part in credit.allocations:
                settled[part.invoice] += part.amount
        for invoice in book(day).invoices:
            if invoice.status != "void":
                assert settled[invoice.id] + invoice.balance == invoice.total, invoice.number
