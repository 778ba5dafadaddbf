"""What a busy organisation holds and what befalls it, from the sandbox's Xero to our book."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from connectors.errors import RefusedError
from connectors.port import Page, Prepared, Receipt
from connectors.sandbox.face import Setup
from rules.actions.effects import PostCharge
from rules.actions.keys import vendor_key
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero.sandboxed import Bench, of
from tests.sandbox.books import small_book, wide_book

DAY = "2026-02-05"


@pytest.fixture
def bench() -> Bench:
    return Bench(wide_book(), DAY)


def remarks(pages: list[Page]) -> list[str]:
    return [text for page in pages for text in page.remarks]


def charge(bench: Bench, number: int = 1, **changes: Any) -> PostCharge:
    invoice = bench.id("invoice", "INV-1")
    return PostCharge(
        key=f"late_fee/{number}#0:post_charge",
        customer=CustomerId(bench.id("customer", "C1")),
        number=f"LF-{number:A>16}",
        currency="USD",
        amount=4010,
        issued_on=date(2026, 2, 5),
        due_on=date(2026, 2, 19),
        invoice=InvoiceId(invoice),
        invoice_number="INV-1",
        description="Late fee on INV-1",
        tag=f"arb1 inv={invoice} fee=late through=2026-02-05 key=late_fee/{number}",
        account="270",
        tax="NONE",
    )


def prepared(bench: Bench, *numbers: int) -> list[Prepared]:
    return [bench.connector.prepare(charge(bench, n), date(2026, 2, 5)) for n in numbers]


def batch(bench: Bench, *numbers: int) -> list[Any]:
    members = prepared(bench, *numbers)
    whole = bench.connector.prepare_batch(members)
    key = vendor_key(whole.effect_key, whole.body)
    return list(bench.connector.write_batch(whole, key, members))


def test_quotes_are_estimates(bench: Bench) -> None:
    found = {row.number or row.id: row for row in of(bench.pull(), "estimates").values()}
    accepted = found["Q-7"]
    assert (accepted.total, accepted.status) == (120000, "accepted")
    assert (accepted.on, accepted.expires_on) == (date(2026, 2, 1), date(2026, 2, 20))
    assert accepted.customer == bench.id("customer", "C1")
    statuses = {row.id: row.status for row in found.values()}
    declined, invoiced = (bench.id("estimate", name) for name in ("E2", "E4"))
    assert (statuses[declined], statuses[invoiced]) == ("declined", "invoiced")


def test_a_quote_that_is_answered_is_heard_of(bench: Bench) -> None:
    cursor = bench.pull()[-1].cursor
    bench.clock.advance(timedelta(hours=1))
    bench.sandbox.people.answer_estimate(bench.id("estimate", "E1"), "declined")
    heard: dict[str, Any] = {}
    for _ in range(5):
        pages = bench.pull(cursor)
        cursor = pages[-1].cursor
        heard |= of(pages, "estimates")
        bench.clock.advance(timedelta(minutes=15))
    assert heard[bench.id("estimate", "E1")].status == "declined"


def test_people_to_write_to_and_tags(bench: Bench) -> None:
    pages = bench.pull()
    west = of(pages, "customers")[bench.id("customer", "C4")]
    assert [(one.name, one.email) for one in west.contacts] == [
        ("West Ltd", "ap@west.example"),
        ("Ann Lee", "ann@west.example"),
    ]
    assert west.terms_days == 14
    assert of(pages, "invoices")[bench.id("invoice", "INV-5")].tags == ("Region: East",)


def test_a_merged_customer_s_debts_move_and_lead_to_who_is_left(bench: Bench) -> None:
    pages = bench.pull()
    gone, kept = bench.id("customer", "C4"), bench.id("customer", "C1")
    bench.clock.advance(timedelta(hours=1))
    bench.sandbox.people.merge(gone, kept)
    changed = bench.pull(pages[-1].cursor)
    merged = of(changed, "customers")[gone]
    assert (merged.parent, merged.is_active) == (kept, False)
    moved = of(changed, "invoices")[bench.id("invoice", "INV-5")]
    assert moved.customer == kept
    reading = bench.connector.read_customers([CustomerId(gone), CustomerId(kept)])
    assert {row.id: row.parent for row in reading.customers} == {gone: kept, kept: None}


def test_an_erased_customer_is_no_longer_active(bench: Bench) -> None:
    gone = CustomerId(bench.id("customer", "C4"))
    bench.sandbox.people.erase(gone)
    (read,) = bench.connector.read_customers([gone]).customers
    assert not read.is_active and read.email == ""


def test_a_write_to_a_customer_merged_in_that_moment_is_refused_with_a_remedy() -> None:
    bench = Bench(small_book(), DAY, faults=("merged-contact=1",))
    with pytest.raises(RefusedError, match="merged"):
        bench.connector.write(prepared(bench, 1)[0], "k1")
    assert bench.sandbox.records().fees == ()


def test_the_plan_s_quota_is_foreseen_and_named() -> None:
    bench = Bench(small_book(), DAY, setup=Setup(plan="STARTER", invoices_a_month=1))
    findings = {each.subject: each for each in bench.connector.check().findings}
    assert "STARTER" in findings["plan"].text and "left this month" in findings["plan"].text
    made, refused = batch(bench, 1, 2)
    assert isinstance(made, Receipt)
    assert isinstance(refused, RefusedError) and "Xero plan's monthly number" in str(refused)
    assert "vendor request id" in str(refused)


def test_reminders_of_xero_s_own_are_told() -> None:
    bench = Bench(small_book(), DAY, setup=Setup(sends_reminders=True))
    check = bench.connector.check()
    assert check.company.native_reminders is True and check.company.native_late_fees is False
    assert "invoice reminders" in {each.subject for each in check.findings if each.level != "ok"}


def test_members_of_a_batch_are_judged_one_by_one() -> None:
    bench = Bench(small_book(), DAY, faults=("has-errors=1",))
    outcomes = batch(bench, 1, 2, 3)
    assert [type(one) for one in outcomes].count(Receipt) == 2
    assert [type(one) for one in outcomes].count(RefusedError) == 1
    assert len(bench.sandbox.records().fees) == 2


def test_a_batch_whose_answer_was_lost_is_not_made_twice() -> None:
    bench = Bench(small_book(), DAY, faults=("drop-after-commit=1",))
    assert all(isinstance(one, Receipt) for one in batch(bench, 1, 2))
    bench.clock.advance(timedelta(days=1))  # Xero has forgotten the key
    assert all(isinstance(one, Receipt) and one.was_found for one in batch(bench, 1, 2))
    assert len(bench.sandbox.records().fees) == 2


def test_an_answer_that_ignores_the_watermark_is_told_of() -> None:
    bench = Bench(small_book(), DAY, faults=("watermark-ignored=3",))
    cursor = bench.pull()[-1].cursor
    bench.clock.advance(timedelta(days=1))
    pages = bench.pull(cursor)
    assert "If-Modified-Since" in " ".join(remarks(pages))
    bench.clock.advance(timedelta(days=1))
    assert remarks(bench.pull(pages[-1].cursor)) == []


@pytest.mark.parametrize(
    "fault", ["page-101=9", "null-string=9", "missing-keys=1", "long-name=2", "half-answer=1",
              "gateway-html=1", "throttle-other-status=1", "throttle-concurrent=1"],
)  # fmt: skip
def test_odd_answers_cost_no_record(fault: str) -> None:
    usual, odd = Bench(small_book(), DAY), Bench(small_book(), DAY, faults=(fault,))
    expected, pages = usual.pull(), odd.pull()
    named = {bad.id for page in pages for bad in page.quarantined}
    for entity in ("customers", "invoices", "payments", "credits"):
        assert set(of(expected, entity)) == set(of(pages, entity)) | (
            named & set(of(expected, entity))
        )
    assert len(named) <= 1


def test_a_poll_in_a_fresh_process_costs_three_calls(bench: Bench) -> None:
    from connectors.xero.opening import open_connector

    cursor = bench.pull()[-1].cursor
    bench.clock.advance(timedelta(minutes=15))
    before = bench.sandbox.stats().reads
    known = msgspec.structs.replace(bench.connection, base_currency="USD")
    pages = list(open_connector(known).pull(cursor))
    assert bench.sandbox.stats().reads - before == 3
    assert [record for page in pages for record in page.records] == []
