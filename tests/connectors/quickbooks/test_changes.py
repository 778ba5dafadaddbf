"""What changed since the last time: one call, nothing lost, and doubt said aloud."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ar_bridge.clock import VirtualClock
from connectors.errors import CursorTooOldError, RateLimitedError, RefusedError, StaleError
from connectors.port import Cursor, Page
from tests.connectors.quickbooks.canned import START, CannedCompany, an_invoice, connected
from tests.connectors.quickbooks.connected import Connected
from tests.sandbox.books import noon

CURSOR = Cursor(at=START, state={"names": '{"currency":"USD","fee_items":[]}'})
NOW = "2026-03-02T00:59:00-08:00"
ENTITIES = ("Customer", "Invoice", "Payment", "CreditMemo", "Estimate")


def changed(id: int | str, **fields: Any) -> dict[str, Any]:
    return an_invoice(id, MetaData={"LastUpdatedTime": NOW}, **fields)


def gone(id: str) -> dict[str, Any]:
    return {"Id": id, "domain": "QBO", "status": "Deleted", "MetaData": {"LastUpdatedTime": NOW}}


def pages_of(company: CannedCompany, cursor: Cursor = CURSOR, **options: Any) -> list[Page]:
    return list(connected(company, **options).pull(cursor))


def ids(pages: list[Page], entity: str) -> list[str]:
    return [record.id for page in pages if page.entity == entity for record in page.records]


def removed(pages: list[Page], entity: str) -> list[str]:
    return [id for page in pages if page.entity == entity for id in page.removed]


def remarks(pages: list[Page]) -> str:
    return " ".join(remark for page in pages for remark in page.remarks)


def after(pages: list[Page]) -> Cursor:
    assert [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
    cursor = pages[-1].cursor
    assert cursor is not None
    return cursor


def test_an_unchanged_book_costs_one_call_in_a_fresh_process() -> None:
    company = CannedCompany()
    pages = pages_of(company)
    assert company.paths() == ["cdc"]
    params = company.requests[0].url.params
    assert params["entities"].split(",") == list(ENTITIES)
    assert params["changedSince"] == "2026-03-02T08:50:00+00:00"
    cursor = after(pages)
    assert cursor.at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert not remarks(pages) and not cursor.state.keys() - {"names"}
    pages_of(company, cursor)
    assert company.paths() == ["cdc", "cdc"]


def test_an_unchanged_book_of_the_first_kind_of_cursor_costs_one_call_too() -> None:
    company = CannedCompany()
    pages_of(company, Cursor(at=START), base_currency="USD")
    assert company.paths() == ["cdc"]


def test_a_hundred_changed_invoices_cost_at_most_two_calls_more() -> None:
    company = CannedCompany()
    company.changed = {"Invoice": [changed(n) for n in range(100)]}
    pages = pages_of(company, Cursor(at=START))
    assert len(ids(pages, "invoices")) == 100
    assert company.paths() == ["cdc", "query"]
    pages_of(company, after(pages))
    assert company.paths()[2:] == ["cdc"]


def test_what_the_full_pull_learned_is_not_asked_for_again() -> None:
    customer = {
        "Id": "1",
        "DisplayName": "North",
        "CustomerTypeRef": {"value": "5"},
        "SalesTermRef": {"value": "3"},
    }
    company = CannedCompany(
        Customer=[customer],
        CustomerType=[{"Id": "5", "Name": "vip"}],
        Term=[{"Id": "3", "Name": "On receipt", "DueDays": 0}],
    )
    cursor = after(list(connected(company).pull()))
    company.changed = {"Customer": [{**customer, "MetaData": {"LastUpdatedTime": NOW}}]}
    company.requests.clear()
    (read,) = [r for page in pages_of(company, cursor) for r in page.records]
    assert (read.tags, read.terms_days) == (("vip",), 0)
    assert company.paths() == ["cdc"]


def test_every_kind_of_change_is_told() -> None:
    company = CannedCompany()
    money = {"CustomerRef": {"value": "1"}, "TxnDate": "2026-03-01", "TotalAmt": 5}
    company.changed = {
        "Customer": [{"Id": "1", "DisplayName": "North"}],
        "Invoice": [changed(1, Balance=0), gone("2"), changed(3, TxnDate="soon"), "odd"],
        "Payment": [{"Id": "4", **money}, gone("5")],
        "CreditMemo": [{"Id": "6", **money}, gone("7")],
        "Estimate": [{"Id": "8", "TxnStatus": "Closed", **money}, gone("9")],
    }
    pages = pages_of(company)
    by_entity = {page.entity: page for page in pages}
    assert list(by_entity) == ["customers", "invoices", "payments", "credits", "estimates"]
    assert [len(page.records) for page in by_entity.values()] == [1] * 5
    assert [list(page.removed) for page in by_entity.values()] == [[], ["2"], ["5"], ["7"], ["9"]]
    assert {bad.id for bad in by_entity["invoices"].quarantined} == {"3", ""}


def test_a_returned_payment_is_deleted_or_voided() -> None:
    company = CannedCompany()
    voided = {
        "Id": "4",
        "CustomerRef": {"value": "1"},
        "TxnDate": "2026-03-01",
        "TotalAmt": 0,
        "UnappliedAmt": 0,
        "PrivateNote": "Voided",
        "Line": [],
    }
    company.changed = {"Payment": [voided, gone("5")]}
    pages = pages_of(company)
    (payment,) = [r for page in pages for r in page.records]
    assert (payment.id, payment.amount, payment.allocations) == ("4", 0, ())
    assert removed(pages, "payments") == ["5"]


@pytest.mark.parametrize(
    "customer", [gone("1"), {"Id": "1", "DisplayName": "North (deleted)", "Active": False}]
)
def test_a_customer_that_may_have_been_merged_calls_for_a_full_reading(
    customer: dict[str, Any],
) -> None:
    company = CannedCompany()
    company.changed = {"Customer": [customer]}
    pages = pages_of(company)
    assert removed(pages, "customers") == (["1"] if "status" in customer else [])
    assert "next reading is a full one" in remarks(pages)
    company.requests.clear()
    with pytest.raises(CursorTooOldError, match="merged"):
        pages_of(company, after(pages))
    assert not company.requests
    # The full reading that follows ends with a cursor to go on from.
    following = after(list(connected(company).pull()))
    company.changed = {}
    assert after(pages_of(company, following))


@pytest.mark.parametrize("is_new_process", [False, True])
def test_a_customer_that_left_leads_to_one_full_reading_and_not_to_a_second(
    is_new_process: bool,
) -> None:
    row = {"Id": "1", "Active": False, "MetaData": {"LastUpdatedTime": NOW}}
    company = CannedCompany(Customer=[{"DisplayName": "North (deleted)", **row}])
    company.changed = {"Customer": company.lists["Customer"]}
    connector = connected(company)
    cursor = after(list(connector.pull(CURSOR)))
    for _ in range(3):
        # The row stays in the overlap; a full reading begins with the cursor that asked for it.
        if is_new_process:
            connector = connected(company)
        if "reconcile" in cursor.state:
            with pytest.raises(CursorTooOldError):
                list(connector.pull(cursor))
            cursor = after(list(connector.pull()))
        else:
            cursor = after(list(connector.pull(cursor)))
            assert "reconcile" not in cursor.state
    # The same customer changed once more is news, and so is another.
    later = {**row, "MetaData": {"LastUpdatedTime": "2026-03-02T00:59:30-08:00"}}
    for news in (later, {**gone("2")}):
        company.changed = {"Customer": [news]}
        assert "reconcile" in after(pages_of(company, cursor)).state


@pytest.mark.parametrize("days", [30, 29.1, 400])
def test_a_cursor_older_than_the_vendor_looks_back_costs_no_call(days: float) -> None:
    company = CannedCompany()
    old = Cursor(at=START - timedelta(days=days))
    with pytest.raises(StaleError, match="30 days"):
        pages_of(company, old)
    assert not company.requests
    assert pages_of(company, Cursor(at=START - timedelta(days=28.9)))


def test_a_full_answer_is_asked_for_entity_by_entity() -> None:
    company = CannedCompany()
    company.changed = {
        "Invoice": [changed(n) for n in range(600)],
        "Payment": [
            {"Id": str(n), "CustomerRef": {"value": "1"}, "TxnDate": "2026-03-01", "TotalAmt": 5}
            for n in range(500)
        ],
        "CreditMemo": [gone("7")],
    }
    pages = pages_of(company)
    assert (len(ids(pages, "invoices")), len(ids(pages, "payments"))) == (600, 500)
    assert removed(pages, "credits") == ["7"]
    assert company.paths() == ["cdc"] * 6
    assert "reconcile" not in after(pages).state


def test_an_entity_that_is_full_by_itself_is_queried_in_pages() -> None:
    rows = [changed(n) for n in range(1, 1501)]
    company = CannedCompany(Invoice=rows)
    company.changed = {"Invoice": [gone("9000"), *rows]}
    pages = pages_of(company)
    assert ids(pages, "invoices") == [row["Id"] for row in rows]
    assert removed(pages, "invoices") == ["9000"]
    assert company.paths() == ["cdc"] * 3 + ["query"] * 2 + ["cdc"] * 3
    assert company.queries[0] == (
        "select * from Invoice where MetaData.LastUpdatedTime >= '2026-03-02T08:50:00+00:00' "
        "ORDERBY Id STARTPOSITION 1 MAXRESULTS 1000"
    )
    # Deletions beyond the thousand are not told: the next reading is a full one.
    assert "deleted" in remarks(pages)
    with pytest.raises(CursorTooOldError):
        pages_of(company, after(pages))


def test_exactly_a_thousand_may_be_more() -> None:
    rows = [changed(n) for n in range(1000)]
    company = CannedCompany(Invoice=rows)
    company.changed = {"Invoice": rows}
    assert len(ids(pages_of(company), "invoices")) == 1000
    assert company.paths().count("query") == 2


FAULT = {
    "Fault": {
        "Error": [{"Message": "Bad", "Detail": "no such thing", "code": "2010"}],
        "type": "ValidationFault",
    }
}


def test_a_fault_of_one_entity_is_no_silence() -> None:
    company = CannedCompany(Invoice=[changed(1)])
    company.changed = {"Customer": [{"Id": "1", "DisplayName": "North"}], "Invoice": FAULT}
    pages = pages_of(company)
    assert ids(pages, "invoices") == ["1"] and ids(pages, "customers") == ["1"]
    assert company.paths() == ["cdc", "cdc", "query"]
    assert "reconcile" in after(pages).state


def test_a_fault_that_cannot_be_told_whose_it_is_counts_for_all_that_said_nothing() -> None:
    company = CannedCompany(Invoice=[changed(1)], Payment=[])
    company.changed = {"Customer": [{"Id": "1", "DisplayName": "North"}]}
    whole = company._changes

    def jumbled(request: Any) -> Any:
        if "," not in request.url.params["entities"]:
            return whole(request)
        from tests.connectors.quickbooks.canned import answer

        parts = [{"Customer": company.changed["Customer"]}, FAULT]
        return answer({"CDCResponse": [{"QueryResponse": parts}]})

    company._changes = jumbled
    company.changed["Invoice"] = [changed(1)]
    pages = pages_of(company)
    assert ids(pages, "invoices") == ["1"]
    assert company.paths() == ["cdc"] * 5


BROKEN = {"Fault": {"Error": [{"Message": "An application error", "code": "10000"}]}}


def test_a_part_that_stays_a_fault_is_queried_and_said_aloud() -> None:
    company = CannedCompany(Invoice=[changed(1)])
    company.changed = {"Customer": [{"Id": "1", "DisplayName": "North"}], "Invoice": BROKEN}
    cursor = CURSOR
    for _ in range(2):
        pages = pages_of(company, cursor)
        assert ids(pages, "invoices") == ["1"] and ids(pages, "customers") == ["1"]
        assert "what was deleted of Invoice" in remarks(pages)
        assert "An application error" in remarks(pages)
        cursor = after(pages)
        assert "reconcile" not in cursor.state
    assert company.paths() == ["cdc", "cdc", "query"] * 2


def test_a_part_that_was_a_fault_once_costs_one_call_more() -> None:
    company = CannedCompany()
    company.changed = {"Invoice": BROKEN}
    whole = company._changes

    def mended(request: Any) -> Any:
        shown = whole(request)
        company.changed = {"Invoice": [changed(1), gone("2")]}
        return shown

    company._changes = mended
    pages = pages_of(company)
    assert (ids(pages, "invoices"), removed(pages, "invoices")) == (["1"], ["2"])
    assert company.paths() == ["cdc", "cdc"] and not remarks(pages)


@pytest.mark.parametrize(
    ("code", "error"), [("3001", RateLimitedError), ("003001", RateLimitedError)]
)
def test_a_throttled_part_stops_the_reading(code: str, error: type[Exception]) -> None:
    company = CannedCompany()
    fault = {"Fault": {"Error": [{"Message": "ThrottleExceeded", "code": code}]}}
    company.changed = {"Payment": fault}
    with pytest.raises(error, match="tid-1"):
        pages_of(company)


def test_a_ledger_that_does_not_know_estimates_costs_a_call_less_from_then_on() -> None:
    company = CannedCompany()
    company.refuse_changes = lambda entities: "Estimate" in entities
    company.refuse = lambda entity, where: entity == "Estimate"
    pages = pages_of(company)
    assert company.paths() == ["cdc", "cdc", "query"]
    assert "estimates cannot be read" in remarks(pages)
    company.requests.clear()
    assert "reconcile" not in after(pages_of(company, after(pages))).state
    assert company.paths() == ["cdc", "query"]


def test_without_change_data_capture_everything_is_queried() -> None:
    company = CannedCompany(Invoice=[changed(1)])
    company.refuse_changes = lambda entities: True
    pages = pages_of(company)
    assert ids(pages, "invoices") == ["1"] and "reconcile" in after(pages).state
    company.refuse = lambda entity, where: entity == "Payment"
    with pytest.raises(RefusedError):
        pages_of(company)


def test_an_answer_older_than_asked_for_is_said_aloud() -> None:
    company = CannedCompany()
    old = {"MetaData": {"LastUpdatedTime": "2026-01-01T00:00:00-08:00"}}
    company.changed = {"Invoice": [an_invoice(1, **old), an_invoice(2, **old), changed(3)]}
    assert "2 of 3 records that are older" in remarks(pages_of(company))
    company.changed = {"Invoice": [an_invoice(1, **old), changed(2), changed(3)]}
    assert not remarks(pages_of(company))


def test_a_clock_behind_does_not_take_the_cursor_back() -> None:
    company = CannedCompany()
    late = Cursor(at=START + timedelta(hours=2), state=CURSOR.state)
    pages = pages_of(company, late, clock=VirtualClock(START + timedelta(hours=3)))
    assert after(pages).at == late.at
    assert "before what it was asked for" in remarks(pages)


def test_items_of_native_late_fees_are_learned_and_then_everything_read_with_them() -> None:
    line = {
        "Amount": 15,
        "Description": "Penalty",
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "44", "name": "Penalty"}},
    }
    company = CannedCompany(
        Account=[{"Id": "90", "Name": "Late fee income"}],
        Item=[{"Id": "44", "Name": "Penalty", "IncomeAccountRef": {"value": "90"}}],
        Invoice=[an_invoice(1, Line=[line])],
    )
    company.changed = {"Invoice": [changed(1, Line=[line])]}
    connector = connected(company, base_currency="USD")
    pages = list(connector.pull(Cursor(at=START)))
    (invoice,) = [r for page in pages for r in page.records]
    assert invoice.fee_lines == 1500 and invoice.is_fee
    with pytest.raises(CursorTooOldError):
        list(connector.pull(after(pages)))
    company.queries.clear()
    (invoice, *_) = [r for page in connector.pull() for r in page.records]
    assert invoice.fee_lines == 1500
    assert not [q for q in company.queries if "Account" in q or "Item" in q]


def test_a_new_book_with_the_account_of_native_late_fees_is_read_whole_once() -> None:
    detail = {"ItemRef": {"value": "44", "name": "Penalty"}}
    line = {"Amount": 15, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    company = CannedCompany(
        Account=[{"Id": "90", "Name": "Late fee income"}],
        Item=[{"Id": "44", "Name": "Penalty", "IncomeAccountRef": {"value": "90"}}],
        Invoice=[an_invoice(1, Line=[line])],
    )
    pages = list(connected(company).pull())
    (invoice,) = [r for page in pages for r in page.records]
    assert invoice.fee_lines == 1500
    # A page each of fees, customers, invoices, payments, credits, estimates; account and items.
    assert len(company.requests) == 8
    company.changed = {"Invoice": [changed(1, Line=[line])]}
    following = after(pages_of(company, after(pages)))
    assert "reconcile" not in following.state and company.paths()[8:] == ["cdc"]


def test_a_day_on_the_sandbox_is_told_in_one_call() -> None:
    clock = VirtualClock(noon("2026-03-10"))
    office = Connected(clock)
    cursor = after(list(office.connector.pull()))
    clock.advance(timedelta(hours=1))
    before = office.sandbox.stats().reads
    quiet = list(office.connector.pull(cursor))
    assert office.sandbox.stats().reads - before <= 3
    assert not [r for page in quiet for r in page.records]
    clock.advance(timedelta(hours=1))
    invoice = office.sandbox.vendor_id("invoice", "INV-1")
    office.sandbox.ledger.delete("invoice", invoice)
    assert removed(list(office.connector.pull(after(quiet))), "invoices") == [invoice]
