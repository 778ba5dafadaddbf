"""Marks found again, customers read again, and where a customer can see an invoice."""

from datetime import date
from typing import Any

import httpx
import pytest

from connectors.errors import TransientError
from connectors.port import FindsMarks, Mark, ReadsCustomers, ShowsInvoices
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.quickbooks.canned import CannedCompany, an_invoice, answer, connected, fault


def a_note(id: int, text: str, *targets: tuple[str, str], on: str = "2026-03-01") -> dict[str, Any]:
    refs = [{"EntityRef": {"type": kind, "value": value}} for kind, value in targets]
    made = {"CreateTime": f"{on}T23:30:00-08:00"}
    return {"Id": str(id), "Note": text, "AttachableRef": refs, "MetaData": made}


def test_all_marks_of_a_company_are_found_in_one_query() -> None:
    company = CannedCompany(
        Attachable=[
            a_note(10, "[arb:AAAA] reminder", ("Invoice", "7"), ("Invoice", "8")),
            a_note(9, "[arb:BBBB] Credit hold", ("Customer", "1")),
            a_note(11, "[arb:CCCC] earlier", ("Invoice", "9"), on="2026-02-01"),
            a_note(12, "[ARB: somebody's own"),
            {"Id": "13", "FileName": "letter.pdf"},
        ]
    )
    connector = connected(company)
    assert isinstance(connector, FindsMarks)
    assert list(connector.find_marks([])) == [
        Mark(text="[arb:CCCC] earlier", invoices=(InvoiceId("9"),), on=date(2026, 2, 1)),
        Mark(text="[arb:BBBB] Credit hold", customer=CustomerId("1"), on=date(2026, 3, 1)),
        Mark(
            text="[arb:AAAA] reminder",
            invoices=(InvoiceId("7"), InvoiceId("8")),
            on=date(2026, 3, 1),
        ),
    ]
    (query,) = company.queries
    assert query.startswith("select * from Attachable where Note like '[arb:%' ORDERBY")


def test_marks_come_in_pages() -> None:
    company = CannedCompany(Attachable=[a_note(n, f"[arb:{n}]") for n in range(1, 2346)])
    assert len(connected(company).find_marks([])) == 2345
    assert len(company.queries) == 3


def test_a_mark_that_cannot_be_read_is_not_passed_over() -> None:
    company = CannedCompany(Attachable=[{"Id": "5", "Note": {"odd": 1}}])
    with pytest.raises(TransientError, match="note 5"):
        connected(company).find_marks([])


def test_customers_are_read_again_active_or_not() -> None:
    company = CannedCompany(
        Customer=[
            {"Id": str(n), "DisplayName": f"C{n}", "Active": n % 2 == 0} for n in range(1, 251)
        ]
    )
    company.keep = lambda entity, where, row: entity != "Customer" or f"'{row['Id']}'" in where
    connector = connected(company, base_currency="USD")
    assert isinstance(connector, ReadsCustomers)
    asked = [CustomerId(str(n)) for n in range(1, 252)]
    reading = connector.read_customers([*asked, *asked[:5]])
    assert len(reading.customers) == 250 and list(reading.missing) == ["251"]
    assert not reading.customers[0].is_active and reading.customers[1].is_active
    assert len(company.queries) == 3 and "Active in (true, false)" in company.queries[0]
    company.refuse = lambda entity, where: "Active" in where
    assert len(connector.read_customers(asked[:3]).customers) == 3
    assert not connector.read_customers([]).customers


def test_the_online_link_is_asked_for() -> None:
    company = CannedCompany()
    connector = connected(company)
    assert isinstance(connector, ShowsInvoices)
    link = "https://connect.intuit.example/portal/7?a=1"
    company.next = [answer({"Invoice": an_invoice(7, InvoiceLink=link)})]
    assert connector.online_link(InvoiceId("7")) == link
    assert company.paths() == ["invoice/7"]
    assert company.requests[0].url.params["include"] == "invoiceLink"


@pytest.mark.parametrize(
    "shown",
    [
        answer({"Invoice": an_invoice(7)}),
        answer({"Invoice": an_invoice(7, InvoiceLink="javascript:alert(1)")}),
        fault("610", "Object Not Found"),
        fault("6000", "Online payment is off"),
    ],
)
def test_no_link_is_no_trouble(shown: httpx.Response) -> None:
    company = CannedCompany()
    company.next = [shown]
    assert connected(company).online_link(InvoiceId("7")) == ""


def test_the_print_of_an_invoice() -> None:
    company = CannedCompany()
    company.next = [httpx.Response(200, content=b"%PDF-1.4 ...")]
    assert connected(company).pdf(InvoiceId("7")) == b"%PDF-1.4 ..."
    assert company.paths() == ["invoice/7/pdf"]
    assert "application/pdf" in company.requests[0].headers["Accept"]


@pytest.mark.parametrize(
    "shown", [fault("610", "Object Not Found"), httpx.Response(200, content=b"<html>")]
)
def test_no_print_is_no_trouble(shown: httpx.Response) -> None:
    company = CannedCompany()
    company.next = [shown]
    assert connected(company).pdf(InvoiceId("7")) == b""
