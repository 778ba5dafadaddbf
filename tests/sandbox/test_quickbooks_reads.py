"""What QuickBooks serves: rows, pages, queries, changes."""

from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.clock import VirtualClock
from rules.model.events import EventLog
from rules.model.money import parse_minor
from tests.sandbox.books import grocers, noon, small_book
from tests.sandbox.qbo import Caller, caller, code, fee


@pytest.fixture
def small() -> Caller:
    return caller()


def test_an_invoice_shows_its_balance_after_payments(small: Caller) -> None:
    key = small.sandbox.vendor_id("invoice", "INV-1")
    shown = small.get(f"invoice/{key}").json()["Invoice"]
    assert (shown["TotalAmt"], shown["Balance"]) == (1200.00, 800.00)
    assert shown["EmailStatus"] == "EmailSent"
    assert shown["LinkedTxn"] == [
        {"TxnId": small.sandbox.vendor_id("payment", "P1"), "TxnType": "Payment"}
    ]
    assert (shown["SyncToken"], shown["DocNumber"]) == ("1", "INV-1")
    assert shown["MetaData"]["LastUpdatedTime"] == "2026-02-03T00:00:00-05:00"
    assert "CurrencyRef" not in shown


def test_what_is_not_known_to_be_sent_is_not_set(small: Caller) -> None:
    rows = small.rows("select * from Invoice orderby Id")
    assert [row["EmailStatus"] for row in rows] == ["EmailSent", "NotSet", "NotSet"]
    assert rows[2]["DeliveryInfo"]["DeliveryErrorType"] == "Missing Info"


def test_a_credit_is_applied_by_a_payment_of_zero(small: Caller) -> None:
    credit = small.rows("select * from CreditMemo")[0]
    assert (credit["TotalAmt"], credit["RemainingCredit"]) == (30.00, 10.00)
    applying = next(row for row in small.rows("select * from Payment") if row["TotalAmt"] == 0)
    assert applying["UnappliedAmt"] == 0
    assert [(line["Amount"], line["LinkedTxn"][0]) for line in applying["Line"]] == [
        (20.00, {"TxnId": small.sandbox.vendor_id("invoice", "INV-2"), "TxnType": "Invoice"}),
        (20.00, {"TxnId": credit["Id"], "TxnType": "CreditMemo"}),
    ]


def test_a_returned_payment_is_void() -> None:
    later = caller("2026-02-11")
    payment = later.get(f"payment/{later.sandbox.vendor_id('payment', 'P1')}").json()["Payment"]
    assert (payment["TotalAmt"], payment["Line"], payment["PrivateNote"]) == (0, [], "Voided")
    invoice = later.sandbox.vendor_id("invoice", "INV-1")
    assert later.get(f"invoice/{invoice}").json()["Invoice"]["Balance"] == 1200.00


def test_a_void_invoice_stays_at_zero() -> None:
    later = caller("2026-02-12")
    key = later.sandbox.vendor_id("invoice", "INV-3")
    shown = later.get(f"invoice/{key}").json()["Invoice"]
    assert (shown["TotalAmt"], shown["Balance"], shown["PrivateNote"]) == (0, 0, "Voided")


def test_a_child_names_its_parent(small: Caller) -> None:
    rows = {row["DisplayName"]: row for row in small.rows("select * from Customer")}
    child = rows["South Depot"]
    assert child["ParentRef"] == {"value": rows["South Inc"]["Id"]}
    assert child["FullyQualifiedName"] == "South Inc:South Depot"
    assert rows["South Inc"]["BalanceWithJobs"] == rows["South Inc"]["Balance"] + 50.00
    assert rows["North Ltd"]["CustomerTypeRef"]["name"] == "vip"
    assert rows["North Ltd"]["BillAddr"]["Country"] == "USA"


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("Balance > '0'", ["INV-1", "INV-2", "INV-3"]),
        ("Balance >= '800' AND DueDate < '2026-02-10'", ["INV-1"]),
        ("DocNumber IN ('INV-2', 'INV-3')", ["INV-2", "INV-3"]),
        ("DocNumber LIKE '%-2'", ["INV-2"]),
        ("DocNumber = 'INV\\'1'", []),
        ("MetaData.LastUpdatedTime >= '2026-02-03T00:00:00-05:00'", ["INV-1", "INV-2"]),
        ("MetaData.LastUpdatedTime > '2026-02-03T05:00:00Z'", ["INV-2"]),
        ("CustomerRef = '1'", ["INV-1"]),
        ("Id IN ('1','2')", ["INV-1", "INV-2"]),
    ],
)
def test_conditions(small: Caller, where: str, numbers: list[str]) -> None:
    rows = small.rows(f"select * from Invoice where {where} ORDERBY Id STARTPOSITION 1")
    assert [row["DocNumber"] for row in rows] == numbers


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("select * from Invoice where Balance > '0' or Balance < '9'", "4000"),
        ("select Id from Invoice", "4000"),
        ("select * from Invoice where DueDate is null", "4000"),
        ("select * from Invoice where DocNumber = 'open", "4000"),
        ("update Invoice", "4000"),
        ("select * from Invoice where PrivateNote = 'x'", "4001"),
        ("select * from Invoice where EmailStatus = 'NotSet'", "4001"),
        ("select * from invoice", "4001"),
        ("select * from Invoice where Balance > 'much'", "4001"),
        ("select * from Invoice where TxnDate > '05/02/2026'", "4001"),
        ("select * from Invoice orderby PrivateNote", "4001"),
        ("select * from Invoice maxresults 1001", "4001"),
        ("", "2020"),
    ],
)
def test_what_the_query_language_lacks_is_refused(small: Caller, text: str, refusal: str) -> None:
    answer = small.query(text)
    assert (answer.status_code, code(answer)) == (400, refusal)


def test_a_query_by_get_is_the_same(small: Caller) -> None:
    text = "select count(*) from Invoice"
    assert small.get("query", query=text).json()["QueryResponse"] == {"totalCount": 3}
    assert small.query(text).json()["QueryResponse"] == {"totalCount": 3}


def test_pages_are_cut_where_asked_and_empty_ones_have_no_rows(small: Caller) -> None:
    page = small.query("select * from Invoice orderby Id startposition 2 maxresults 1").json()
    found = page["QueryResponse"]
    assert (found["startPosition"], found["maxResults"]) == (2, 1)
    assert [row["DocNumber"] for row in found["Invoice"]] == ["INV-2"]
    beyond = small.query("select * from Invoice orderby Id startposition 9").json()
    assert beyond["QueryResponse"] == {}


def test_hundred_rows_come_unless_more_are_asked() -> None:
    books = caller("2019-10-31", grocers())
    assert len(books.rows("select * from Invoice")) == 100
    assert len(books.rows("select * from Invoice maxresults 1000")) == 1000
    assert len(books.rows("select * from Invoice startposition 1001 maxresults 1000")) == 42


def test_inactive_customers_are_listed_only_when_asked(small: Caller) -> None:
    row = small.rows("select * from Customer orderby Id")[1]
    change = {"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True, "Active": False}
    assert small.post("customer", change).status_code == 200
    assert len(small.rows("select * from Customer")) == 2
    assert len(small.rows("select * from Customer where Active IN (true,false)")) == 3


def test_company_and_preferences(small: Caller) -> None:
    info = small.get(f"companyinfo/{small.sandbox.company_id}").json()["CompanyInfo"]
    assert (info["CompanyName"], info["DefaultTimeZone"]) == ("Acme Ltd", "America/New_York")
    prefs = small.get("preferences").json()["Preferences"]
    assert prefs["CurrencyPrefs"] == {
        "MultiCurrencyEnabled": False,
        "HomeCurrency": {"value": "USD"},
    }
    assert "BookCloseDate" not in prefs["AccountingInfoPrefs"]
    item = small.rows("select * from Item where Name = 'Late fee'")[0]
    assert item["IncomeAccountRef"]["name"] == "Late fee income"


def test_a_book_of_two_currencies_serves_them() -> None:
    rate = {"t": "rate", "currency": "CAD", "date": "2019-06-01", "to_base": "0.74"}
    books = caller("2019-06-03", [*grocers(), rate])
    foreign = [
        row
        for row in books.rows("select * from Invoice maxresults 1000")
        if row["CurrencyRef"]["value"] == "CAD"
    ]
    assert {row["ExchangeRate"] for row in foreign} == {0.74}
    assert all("HomeBalance" in row for row in foreign)


def test_changes_since_and_deletions(small: Caller) -> None:
    since = "2026-02-05T11:00:00+00:00"
    made = small.post("invoice", fee("1")).json()["Invoice"]
    body = {"Id": made["Id"], "SyncToken": made["SyncToken"]}
    assert small.post("invoice", body, operation="delete").json()["Invoice"]["status"] == "Deleted"
    answer = small.get("cdc", entities="Invoice,CreditMemo,Payment", changedSince=since).json()
    invoices, credits, payments = answer["CDCResponse"][0]["QueryResponse"]
    assert invoices["Invoice"] == [{"domain": "QBO", "status": "Deleted", "Id": made["Id"]}]
    assert (credits, payments) == ({}, {})
    wider = small.get("cdc", entities="Invoice,Payment", changedSince="2026-02-03T00:00:00-05:00")
    found = wider.json()["CDCResponse"][0]["QueryResponse"]
    assert [row.get("DocNumber") for row in found[0]["Invoice"]] == ["INV-1", "INV-2", None]
    assert len(found[1]["Payment"]) == 2


def test_changes_reach_back_thirty_days_and_a_thousand_rows() -> None:
    books = caller("2019-10-31", grocers())
    answer = books.get("cdc", entities="Invoice", changedSince="2019-09-30T00:00:00Z")
    assert code(answer) == "2010"
    busy: list[dict[str, Any]] = [
        {"t": "invoice", "id": f"I{n}", "date": "2026-02-04", "due": "2026-03-04",
         "customer": "C1", "currency": "USD", "total": "1.00"}
        for n in range(1200)
    ]  # fmt: skip
    full = caller("2026-02-05", [*small_book(), *busy])
    answer = full.get("cdc", entities="Invoice,Payment", changedSince="2026-02-04T00:00:00Z")
    found = answer.json()["CDCResponse"][0]["QueryResponse"]
    assert (len(found[0]["Invoice"]), found[1]) == (1000, {})


def test_balances_served_equal_the_folded_book_day_after_day() -> None:
    events = grocers()
    log = EventLog(events)
    clock = VirtualClock(noon("2019-06-03"))
    books = caller(events=events, clock=clock)
    for _ in range(13):
        books.renew()
        today = books.sandbox.ledger.today
        served: dict[str, int] = {}
        for start in (1, 1001):
            for row in books.rows(
                f"select * from Invoice where Balance > '0' orderby Id "
                f"startposition {start} maxresults 1000"
            ):
                currency = row["CurrencyRef"]["value"]
                served[row["DocNumber"]] = parse_minor(str(row["Balance"]), currency)
        book = log.as_of(today).book
        assert served == {i.number: i.balance for i in book.invoices if i.balance > 0}
        clock.advance(timedelta(days=7))
    assert books.sandbox.stats().throttled == 0


def test_the_answer_key_is_never_served() -> None:
    books = caller("2019-06-03", grocers())
    for entity in ("Invoice", "Payment", "Customer", "CreditMemo"):
        text = books.query(f"select * from {entity} maxresults 1000").text
        assert "settled" not in text


def test_an_unknown_address_or_record_is_refused(small: Caller) -> None:
    assert code(small.get("invoice/99")) == "610"
    assert code(small.get("bill/1")) == "500"
    assert code(small.get("estimate/1")) == "610"
    other = small.client.get("/v3/company/123/invoice/1")
    assert (other.status_code, code(other)) == (403, "003100")


def test_every_answer_names_its_request(small: Caller) -> None:
    ids = {small.get("invoice/1").headers["intuit_tid"] for _ in range(3)}
    ids.add(small.get("invoice/99").headers["intuit_tid"])
    assert len(ids) == 4


def test_pdf_and_payment_link(small: Caller) -> None:
    assert small.get("invoice/1/pdf").content.startswith(b"%PDF")
    assert "InvoiceLink" in small.get("invoice/1", include="invoiceLink").json()["Invoice"]
    assert "InvoiceLink" not in small.get("invoice/1").json()["Invoice"]
