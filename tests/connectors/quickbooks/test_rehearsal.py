"""What goes wrong between us and QuickBooks, rehearsed on the sandbox."""

from datetime import date, timedelta

import pytest

from ar_bridge.clock import VirtualClock
from connectors.errors import AuthorizationError, OutcomeUnknownError, RefusedError
from connectors.port import Receipt
from rules.actions.effects import PostCharge
from rules.actions.keys import charge_tag, fee_item, fee_number, vendor_key
from rules.model.customer import Customer
from rules.model.ids import CustomerId, FeeId, InvoiceId
from rules.model.invoice import Invoice
from tests.connectors.quickbooks.connected import Connected
from tests.sandbox.books import grocers, noon

TODAY = date(2026, 3, 10)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(noon("2026-03-10"))


def a_charge(connected: Connected, slot: str = "1") -> PostCharge:
    invoice = InvoiceId(connected.sandbox.vendor_id("invoice", "INV-1"))
    key = fee_item(invoice, FeeId("late"), slot)
    return PostCharge(
        key=f"{key}#0:post_charge",
        customer=CustomerId(connected.sandbox.vendor_id("customer", "C1")),
        number=fee_number(connected.sandbox.company_id, key),
        currency="USD",
        amount=950,
        issued_on=TODAY,
        due_on=TODAY,
        invoice=invoice,
        invoice_number="INV-1",
        description="Late fee on invoice INV-1",
        tag=charge_tag(invoice, FeeId("late"), TODAY, key),
        account="",
        tax="",
    )


def written(connected: Connected) -> Receipt:
    charge = a_charge(connected)
    prepared = connected.connector.prepare(charge, TODAY)
    return connected.connector.write(prepared, vendor_key(charge.key, prepared.body))


@pytest.mark.parametrize(
    "fault",
    [
        "drop-before-commit=2",
        "drop-after-commit=2",
        "http-500-after-commit=2",
        "http-500=2@3",
        "throttle-next=2@3",
        "unauthorized=1@3",
        "down=2@3",
        "unreachable=2@5",
    ],
)
def test_one_charge_whatever_happens_on_the_way(clock: VirtualClock, fault: str) -> None:
    connected = Connected(clock, fault)
    receipt = written(connected)
    fees = connected.sandbox.records().fees
    assert [(fee.id, fee.number, fee.amount) for fee in fees] == [(receipt.id, receipt.number, 950)]
    assert connected.sandbox.stats().faults, "the fault never struck"


def test_what_was_done_before_its_answer_was_lost_is_found_and_not_sent_again(
    clock: VirtualClock,
) -> None:
    connected = Connected(clock, "drop-after-commit=99")
    found = written(connected)
    assert found.was_found and connected.sandbox.stats().writes == 1
    again = connected.connector.find(a_charge(connected))
    assert again is not None and again.id == found.id
    assert [fee.id for fee in connected.sandbox.records().fees] == [found.id]


def test_a_charge_that_never_arrived_is_not_found(clock: VirtualClock) -> None:
    connected = Connected(clock, "drop-before-commit=99")
    with pytest.raises(OutcomeUnknownError):
        written(connected)
    assert connected.connector.find(a_charge(connected)) is None


def test_somebody_else_s_document_under_our_number_is_not_adopted(clock: VirtualClock) -> None:
    connected = Connected(clock, "duplicate-number=1")
    with pytest.raises(RefusedError, match="not ours"):
        written(connected)
    assert connected.sandbox.records().fees == ()


def test_a_closed_period_moves_the_charge_behind_it(clock: VirtualClock) -> None:
    connected = Connected(clock, "closed-period=2026-03-31")
    written(connected)
    assert connected.sandbox.records().fees[0].issued_on == date(2026, 4, 1)


def test_books_closed_after_we_looked_refuse(clock: VirtualClock) -> None:
    connected = Connected(clock)
    charge = a_charge(connected)
    prepared = connected.connector.prepare(charge, TODAY)
    connected.sandbox.order("closed-period=2026-03-31")
    with pytest.raises(RefusedError, match="closed period") as caught:
        connected.connector.write(prepared, "k")
    assert caught.value.code == "6210"


def test_an_expired_token_is_refreshed_on_the_way(clock: VirtualClock) -> None:
    connected = Connected(clock)
    for _ in range(3):
        clock.advance(timedelta(hours=2))
        assert connected.connector.check().company.base_currency == "USD"
    assert connected.sandbox.stats().unauthorized == 0


def test_a_refresh_that_was_done_but_never_answered_asks_for_a_person(
    clock: VirtualClock,
) -> None:
    connected = Connected(clock, "refresh-answer-lost=1")
    clock.advance(timedelta(hours=2))
    with pytest.raises(AuthorizationError, match="connect the book again"):
        connected.connector.check()


def test_a_connection_that_ended_says_connect_again(clock: VirtualClock) -> None:
    connected = Connected(clock)
    clock.advance(timedelta(days=101))
    with pytest.raises(AuthorizationError, match="connect the book again"):
        connected.connector.check()


def test_bad_rows_are_named_and_odd_rows_are_read(clock: VirtualClock) -> None:
    connected = Connected(clock, "malformed-row=1", "unknown-enum=1@2", "null-due-date=1@2")
    pages = list(connected.connector.pull())
    bad = [row for page in pages for row in page.quarantined]
    assert [row.entity for row in bad] == ["invoices"] and bad[0].id and bad[0].reason
    invoices = [r for page in pages for r in page.records if isinstance(r, Invoice)]
    assert any(invoice.due_on is None for invoice in invoices)


def test_a_real_book_in_the_fewest_calls_and_no_row_lost() -> None:
    clock = VirtualClock(noon("2019-08-30"))
    connected = Connected(clock, book=grocers())
    before = connected.sandbox.stats().reads
    pages = list(connected.connector.pull())
    counts = {
        entity: sum(len(page.records) for page in pages if page.entity == entity)
        for entity in ("customers", "invoices", "payments", "credits")
    }
    calls = connected.sandbox.stats().reads - before
    assert calls <= sum(-(-count // 1000) for count in counts.values()) + 6
    assert connected.sandbox.stats().throttled == 0
    assert not [row for page in pages for row in page.quarantined]
    open_on_the_day = sum(
        1 for row in connected.sandbox.ledger.invoices.values() if row.balance > 0
    )
    assert counts["invoices"] == open_on_the_day > 50
    assert counts["payments"] > 500
    assert all(r.parent is None for p in pages for r in p.records if isinstance(r, Customer))
