"""Reading a company to its end: every row once, few calls, bad rows named."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.errors import RefusedError
from connectors.port import Cursor, Page
from connectors.quickbooks.client import QuickBooksConnector
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.quickbooks.canned import START, CannedCompany, an_invoice, connected, fault


def open_only(entity: str, where: str, row: Any) -> bool:
    """What the conditions of a full pull keep."""
    if "Balance > '0'" in where:
        return not isinstance(row, dict) or row.get("Balance", 0) != 0
    if "Balance = '0'" in where:
        return (
            isinstance(row, dict)
            and row.get("Balance") == 0
            and str(row["DocNumber"]).startswith("LF-")
        )
    return True


def a_company(invoices: int = 3, **lists: list[Any]) -> CannedCompany:
    company = CannedCompany(
        Customer=[{"Id": "1", "DisplayName": "North"}],
        Invoice=[an_invoice(number) for number in range(1, invoices + 1)],
        **lists,
    )
    company.keep = open_only
    return company


def pulled(connector: QuickBooksConnector, cursor: Cursor | None = None) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"bad": []}
    for page in connector.pull(cursor):
        found.setdefault(page.entity, []).extend(page.records)
        found["bad"].extend(page.quarantined)
    return found


@pytest.mark.parametrize("count", [0, 1, 99, 100, 999, 1000, 1001, 2000, 2345])
def test_every_row_comes_once_in_few_calls(count: int) -> None:
    company = a_company(count)
    connector = connected(company, base_currency="USD")
    found = pulled(connector)
    assert [invoice.id for invoice in found["invoices"]] == [str(n + 1) for n in range(count)]
    assert not found["bad"]
    pages = -(-count // 1000)
    assert len(company.requests) <= 1 + pages + 6
    if 0 < count < 1000:
        # Closed fees, customers, invoices, payments, credits, estimates.
        assert len(company.requests) == (6 if count % 100 else 7)


def test_the_worst_case_stays_within_six_calls_more_than_the_pages() -> None:
    def rows(**fields: Any) -> list[Any]:
        return [
            {"Id": str(n), "CustomerRef": {"value": "1"}, "TxnDate": "2026-01-01", **fields}
            for n in range(1000)
        ]

    company = CannedCompany(
        Customer=[{"Id": str(n), "DisplayName": "North"} for n in range(1000)],
        Invoice=[an_invoice(n) for n in range(1000)],
        Payment=rows(TotalAmt=1),
        CreditMemo=rows(TotalAmt=1, RemainingCredit=1),
        Estimate=rows(TotalAmt=1, TxnStatus="Pending"),
    )
    company.keep = open_only
    found = pulled(connected(company, base_currency="USD"))
    entities = ("customers", "invoices", "payments", "credits", "estimates")
    assert [len(found[e]) for e in entities] == [1000] * 5
    assert len(company.requests) <= 5 + 6


def test_a_page_with_a_row_too_many_repeats_nothing() -> None:
    company = a_company(2500)
    company.page_surplus = 1
    ids = [invoice.id for invoice in pulled(connected(company))["invoices"]]
    assert len(ids) == len(set(ids)) == 2500


def test_the_last_page_carries_the_cursor_in_the_vendor_s_time() -> None:
    pages: list[Page] = list(connected(a_company()).pull())
    assert [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
    assert pages[-1].cursor is not None
    assert pages[-1].cursor.at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_closed_late_fees_of_ours_are_read_too() -> None:
    company = a_company(1)
    company.lists["Invoice"].append(
        an_invoice(8, Balance=0, DocNumber="LF-ABCDEFGHIJKLMNOP", PrivateNote="arb1 inv=1 x")
    )
    company.lists["Invoice"].append(an_invoice(9, Balance=0))
    found = pulled(connected(company))["invoices"]
    assert sorted((row.id, row.status, row.fee_of) for row in found) == [
        ("1", "open", None),
        ("8", "paid", "1"),
    ]


def test_a_bad_row_is_named_and_nothing_else_is_lost() -> None:
    company = a_company(3)
    company.lists["Invoice"][1]["TxnDate"] = "soon"
    company.lists["Invoice"].append("not an object")
    found = pulled(connected(company))
    assert [invoice.id for invoice in found["invoices"]] == ["1", "3"]
    assert {row.id for row in found["bad"]} == {"2", ""}


def test_what_is_refused_for_odd_reasons_is_asked_plainly() -> None:
    company = a_company(1)
    company.refuse = lambda entity, where: "Active" in where or "LF-" in where
    found = pulled(connected(company))
    assert [row.id for row in found["customers"]] == ["1"]
    assert [row.id for row in found["invoices"]] == ["1"]
    assert "closed late fees could not be listed" in found["bad"][0].reason


def test_types_and_terms_are_looked_up_once_and_only_where_used() -> None:
    company = a_company(0)
    pulled(connected(company))
    assert not [q for q in company.queries if "CustomerType" in q or "Term" in q]
    company.lists["Customer"] = [
        {
            "Id": str(n),
            "DisplayName": "N",
            "CurrencyRef": {"value": "USD"},
            "CustomerTypeRef": {"value": "5"},
            # Terms that are referred to and not listed are not asked for again.
            "SalesTermRef": {"value": "3" if n else "77"},
        }
        for n in range(1500)
    ]
    company.lists["CustomerType"] = [{"Id": "5", "Name": "vip"}]
    company.lists["Term"] = [{"Id": "3", "Name": "Net 30", "DueDays": 30}]
    company.queries.clear()
    customers = pulled(connected(company))["customers"]
    assert {(row.tags, row.terms_days) for row in customers} == {(("vip",), 30), (("vip",), None)}
    assert len([q for q in company.queries if "CustomerType" in q or "Term" in q]) == 2
    assert len(company.queries) == 2 + 7


def test_queries_are_reads_and_are_repeated_without_hidden_sleeps() -> None:
    clock = VirtualClock(START)
    company = a_company(1)
    company.next = [
        httpx.ReadTimeout("slow"),
        httpx.Response(503, content=b"<html>Service Unavailable</html>"),
        fault("003001", "ThrottleExceeded", status=429, lower=True),
        fault("3001", "ThrottleExceeded", status=400),
    ]
    assert len(pulled(connected(company, clock))["invoices"]) == 1
    # Only the injected clock moved: 1 + 2 seconds of backing off and twice a minute of pause.
    assert timedelta(seconds=120) < clock.now() - START < timedelta(seconds=140)


def test_reading_again_names_what_is_gone() -> None:
    company = a_company(3)
    company.keep = lambda entity, where, row: f"'{row['Id']}'" in where
    company.lists["Invoice"][2]["Balance"] = 0
    reading = connected(company).read([InvoiceId(id) for id in ("1", "3", "1", "77")])
    assert [(row.id, row.status) for row in reading.invoices] == [("1", "open"), ("3", "paid")]
    assert reading.missing == ["77"]
    assert company.queries[1:] == [
        "select * from Invoice where Id in ('1', '3', '77') "
        "ORDERBY Id STARTPOSITION 1 MAXRESULTS 1000"
    ]


def test_reading_again_takes_a_call_for_every_hundred() -> None:
    company = a_company(250)
    company.keep = lambda entity, where, row: f"'{row['Id']}'" in where
    connector = connected(company)
    for calls in (4, 7):  # the items of native late fees are asked for once
        reading = connector.read([InvoiceId(str(n)) for n in range(1, 251)])
        assert len(reading.invoices) == 250 and len(company.queries) == calls


def test_credits_of_some_customers() -> None:
    company = CannedCompany(
        Payment=[
            {"Id": "4", "CustomerRef": {"value": "1"}, "TxnDate": "2026-03-01", "TotalAmt": 5}
        ],
        CreditMemo=[
            {"Id": "5", "CustomerRef": {"value": "1"}, "TxnDate": "2026-03-01", "TotalAmt": 7}
        ],
    )
    found = connected(company).read_credits([CustomerId("1"), CustomerId("o'2")], START)
    assert [row.id for row in found] == ["4", "5"]
    assert r"CustomerRef in ('1', 'o\'2') and MetaData" in company.queries[0]


def test_the_company_and_its_set_up() -> None:
    company = CannedCompany()
    company.preferences["AccountingInfoPrefs"] = {"BookCloseDate": "2025-12-31"}
    company.info["Country"] = "USA"
    seen = connected(company).check()
    assert seen.company.timezone == "America/Los_Angeles"
    assert (seen.company.base_currency, seen.company.country) == ("USD", "US")
    assert seen.company.locked_through == date(2025, 12, 31)
    assert [(f.level, f.subject) for f in seen.findings] == [
        ("ok", "company"),
        ("ok", "currencies"),
        ("ok", "closing date"),
    ]


def test_set_up_that_stands_in_the_way_is_found_all_at_once() -> None:
    company = CannedCompany(Account=[{"Id": "9", "Name": "Late fee income"}])
    company.info["DefaultTimeZone"] = "Mars/Olympus"
    company.preferences = {"SalesFormsPrefs": {"CustomTxnNumbers": False}}
    company.lists["Item"] = [{"Id": "1", "Name": "Goods"}]
    seen = connected(company, fee_account="Late fee").check()
    assert [(f.level, f.subject) for f in seen.findings] == [
        ("warning", "time zone"),
        ("warning", "currency"),
        ("warning", "document numbers"),
        ("error", "fee account"),
        ("warning", "late fees"),
    ]
    assert seen.company.timezone == "UTC"


def test_the_company_is_queried_where_it_cannot_be_read() -> None:
    company = CannedCompany(
        Preferences=[{"CurrencyPrefs": {"HomeCurrency": {"value": "GBP"}}}],
        CompanyInfo=[{"CompanyName": "Acme", "Country": "GBR", "DefaultTimeZone": "Europe/London"}],
    )
    company.next = [fault("500", "Unsupported Operation")]
    assert connected(company).check().company.base_currency == "GBP"
    company.next = [httpx.Response(404, content=b"<html>")]
    with pytest.raises(RefusedError):
        # Neither way: that is an error, not a company without currency.
        company.lists["Preferences"] = []
        connected(company).check()
