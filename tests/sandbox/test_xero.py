"""The sandbox's Xero keeps to the published contract and refuses what Xero refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.service import Sandbox
from connectors.sandbox.xero.parties import windows_zone
from tests.sandbox.books import grocers, small_book
from tests.sandbox.xero_contract import complaints


class Xero:
    """A client with a token, and the sandbox behind it."""

    def __init__(self, events: list[dict[str, Any]], day: str, *faults: str) -> None:
        self.clock = VirtualClock(datetime.fromisoformat(f"{day}T17:00:00").replace(tzinfo=UTC))
        self.sandbox = Sandbox(events, ledger="xero", clock=self.clock, faults=faults)
        self.http = httpx.Client(
            transport=self.sandbox.transport(), base_url=self.sandbox.addresses().api_url
        )
        self.renew()

    def renew(self) -> None:
        token = self.sandbox.oauth.grant()["access_token"]
        self.http.headers = httpx.Headers(
            {"Authorization": f"Bearer {token}", "xero-tenant-id": self.sandbox.company_id}
        )

    def get(self, path: str, **params: str) -> Any:
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return self.http.put(path, json=body, **options)

    def id(self, kind: str, book_id: str) -> str:
        return self.sandbox.vendor_id(kind, book_id)

    def invoice(self, **changes: Any) -> dict[str, Any]:
        return {
            "Type": "ACCREC",
            "InvoiceNumber": "LF-1",
            "Contact": {"ContactID": self.id("customer", "C1")},
            "Date": "2026-03-05",
            "DueDate": "2026-03-19",
            "LineAmountTypes": "NoTax",
            "Status": "AUTHORISED",
            "LineItems": [
                {"Description": "Late fee", "Quantity": 1, "UnitAmount": 40.10,
                 "AccountCode": "270"}
            ],
        } | changes  # fmt: skip

    def refused(self, **changes: Any) -> list[str]:
        """Messages of the refusal of an invoice."""
        answer = self.put("/Invoices", {"Invoices": [self.invoice(**changes)]})
        assert answer.status_code == 400, answer.text
        assert complaints("Error", answer.content) == []
        (element,) = answer.json()["Elements"]
        return [error["Message"] for error in element["ValidationErrors"]]


@pytest.fixture
def xero() -> Xero:
    return Xero(small_book(), "2026-03-05")


LISTS = [
    ("Organisation", "Organisations"), ("Accounts", "Accounts"), ("TaxRates", "TaxRates"),
    ("Organisation/Actions", "Actions"), ("InvoiceReminders/Settings", "InvoiceReminders"),
    ("ContactGroups", "ContactGroups"), ("Contacts?page=1&pageSize=1000", "Contacts"),
    ("Invoices?page=1&pageSize=1000", "Invoices"), ("Invoices", "Invoices"),
    ("Payments?page=1&pageSize=1000", "Payments"),
    ("CreditNotes?page=1&pageSize=1000", "CreditNotes"),
    ("Overpayments?page=1&pageSize=1000", "Overpayments"), ("Prepayments?page=1", "Prepayments"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "schema"), LISTS)
@pytest.mark.parametrize("day", ["2026-02-06", "2026-03-05"])
def test_answers_have_nothing_that_the_contract_lacks(path: str, schema: str, day: str) -> None:
    answer = Xero(small_book(), day).http.get(f"/{path}")
    assert answer.status_code == 200
    assert schema in answer.json()
    assert complaints(schema, answer.content) == []


@pytest.mark.parametrize(("path", "schema"), LISTS)
def test_answers_about_real_receivables_keep_to_the_contract(path: str, schema: str) -> None:
    answer = Xero(grocers(), "2019-08-30").http.get(f"/{path}".replace("=1000", "=150"))
    assert complaints(schema, answer.content) == []


def test_answers_to_writes_keep_to_the_contract(xero: Xero) -> None:
    invoice = xero.id("invoice", "INV-1")
    contact = {"ContactID": xero.id("customer", "C1")}
    created = xero.put("/Invoices", {"Invoices": [xero.invoice()]})
    assert complaints("Invoices", created.content) == []
    mixed = xero.put(
        "/Invoices?summarizeErrors=false",
        {"Invoices": [xero.invoice(), xero.invoice(InvoiceNumber="LF-2")]},
    )
    assert mixed.status_code == 200
    assert complaints("Invoices", mixed.content) == []
    first, second = mixed.json()["Invoices"]
    assert (first["HasErrors"], first["StatusAttributeString"]) == (True, "ERROR")
    assert (second["HasErrors"], second["StatusAttributeString"]) == (False, "OK")
    note = xero.put(f"/Invoices/{invoice}/History", {"HistoryRecords": [{"Details": "Called"}]})
    assert complaints("HistoryRecords", note.content) == []
    history = xero.http.get(f"/Invoices/{invoice}/History")
    assert complaints("HistoryRecords", history.content) == []
    assert history.json()["HistoryRecords"][0]["Details"] == "Called"
    group = xero.put("/ContactGroups", {"ContactGroups": [{"Name": "Credit hold"}]})
    assert complaints("ContactGroups", group.content) == []
    key = group.json()["ContactGroups"][0]["ContactGroupID"]
    joined = xero.put(f"/ContactGroups/{key}/Contacts", {"Contacts": [contact]})
    assert complaints("Contacts", joined.content) == []
    assert complaints("ContactGroups", xero.http.get(f"/ContactGroups/{key}").content) == []
    online = xero.http.get(f"/Invoices/{invoice}/OnlineInvoice")
    assert complaints("OnlineInvoices", online.content) == []


def test_dates_are_spelt_as_the_service_spells_them(xero: Xero) -> None:
    key = xero.id("invoice", "INV-1")
    (invoice,) = xero.get(f"/Invoices/{key}")["Invoices"]
    assert invoice["Date"] == "/Date(1768003200000+0000)/"
    assert invoice["DateString"] == "2026-01-10T00:00:00"
    assert "DueDate" in invoice and "DueDateString" in invoice


def test_money_received_is_a_payment_for_each_invoice_and_an_overpayment() -> None:
    xero = Xero(small_book(), "2026-02-06")
    (payment,) = xero.get("/Payments")["Payments"]
    (over,) = xero.get("/Overpayments")["Overpayments"]
    assert (payment["Amount"], payment["Status"]) == (400, "AUTHORISED")
    assert (over["Total"], over["RemainingCredit"], over["Status"]) == (100, 100, "AUTHORISED")
    (invoice,) = xero.get(f"/Invoices/{xero.id('invoice', 'INV-1')}")["Invoices"]
    assert (invoice["AmountPaid"], invoice["AmountDue"]) == (400, 800)
    assert invoice["Payments"][0]["PaymentID"] == payment["PaymentID"]
    (credited,) = xero.get(f"/Invoices/{xero.id('invoice', 'INV-2')}")["Invoices"]
    assert (credited["AmountCredited"], credited["AmountDue"]) == (20, 60)
    xero.clock.advance(timedelta(days=10))
    xero.renew()
    assert xero.get("/Payments")["Payments"][0]["Status"] == "DELETED"
    assert xero.get("/Overpayments")["Overpayments"][0]["Status"] == "VOIDED"


def test_money_applied_later_is_an_allocation_of_the_overpayment() -> None:
    book = [
        *small_book()[:5],
        {"t": "payment", "id": "P9", "date": "2026-01-20", "customer": "C1", "currency": "USD",
         "amount": "300.00",
         "alloc": [{"invoice": "INV-1", "amount": "100.00"},
                   {"invoice": "INV-1", "amount": "150.00", "on": "2026-02-01"}]},
    ]  # fmt: skip
    xero = Xero(book, "2026-02-03")
    (payment,) = xero.get("/Payments")["Payments"]
    (over,) = xero.get("/Overpayments")["Overpayments"]
    assert payment["Amount"] == 100
    assert (over["Total"], over["RemainingCredit"]) == (200, 50)
    assert [part["Amount"] for part in over["Allocations"]] == [150]
    (invoice,) = xero.get(f"/Invoices/{xero.id('invoice', 'INV-1')}")["Invoices"]
    assert (invoice["AmountPaid"], invoice["AmountCredited"], invoice["AmountDue"]) == (
        100, 150, 950,
    )  # fmt: skip


def test_pages_say_how_many_there_are() -> None:
    xero = Xero(grocers(), "2019-06-03")
    answer = xero.get("/Contacts", page="2", pageSize="40")
    total = answer["pagination"]["itemCount"]
    assert answer["pagination"] == {
        "page": 2,
        "pageSize": 40,
        "pageCount": -(-total // 40),
        "itemCount": total,
    }
    assert len(answer["Contacts"]) == 40
    assert xero.get("/Contacts", page="1", pageSize="5000")["pagination"]["pageSize"] == 1000
    assert xero.get("/Contacts", page="1")["pagination"]["pageSize"] == 100
    assert "pagination" not in xero.get("/Contacts")


def numbers(answer: Any) -> list[str]:
    return [row["InvoiceNumber"] for row in answer["Invoices"]]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('Type=="ACCREC"', ["INV-1", "INV-2", "INV-3", "2026/4"]),
        ('Type=="ACCREC" AND Status=="VOIDED"', ["INV-3"]),
        ("AmountDue>100", ["INV-1"]),
        ("AmountDue >= 10 && Total < 100", ["INV-2", "2026/4"]),
        ("DueDate<DateTime(2026, 2, 10)", ["INV-1"]),
        ("DueDate==null", ["INV-3"]),
        ('InvoiceNumber.StartsWith("INV-")', ["INV-1", "INV-2", "INV-3"]),
        ('Contact.Name=="North Ltd" and Total==10', ["2026/4"]),
    ],
)
def test_where(xero: Xero, where: str, found: list[str]) -> None:
    assert sorted(numbers(xero.get("/Invoices", where=where))) == sorted(found)


@pytest.mark.parametrize(
    "query",
    [
        {"where": "Colour==1"},
        {"where": 'Type=="ACCREC" OR Status=="PAID"'},
        {"where": "Status>5"},
        {"where": 'Type=="ACCREC'},
        {"order": "Colour"},
        {"order": "Date SIDEWAYS"},
        {"page": "first"},
    ],
)
def test_queries_that_cannot_be_answered_are_refused(xero: Xero, query: dict[str, str]) -> None:
    answer = xero.http.get("/Invoices", params=query)
    assert answer.status_code == 400
    assert answer.json()["Type"] == "QueryParseException"


def test_filters_order_and_lines(xero: Xero) -> None:
    wanted = [xero.id("invoice", "INV-1"), xero.id("invoice", "INV-3")]
    answer = xero.get("/Invoices", IDs=",".join(wanted), order="InvoiceNumber DESC")
    assert numbers(answer) == ["INV-3", "INV-1"]
    assert all(row["LineItems"] for row in answer["Invoices"])
    assert numbers(xero.get("/Invoices", InvoiceNumbers="INV-2,2026/4", order="Total")) == [
        "2026/4",
        "INV-2",
    ]
    assert numbers(xero.get("/Invoices", Statuses="VOIDED")) == ["INV-3"]
    assert numbers(xero.get("/Invoices", ContactIDs=xero.id("customer", "C2"))) == ["INV-2"]
    assert numbers(xero.get("/Invoices", searchTerm="2026/")) == ["2026/4"]
    assert not any(row["LineItems"] for row in xero.get("/Invoices")["Invoices"])
    assert all(row["LineItems"] for row in xero.get("/Invoices", page="1")["Invoices"])


def test_changes_since(xero: Xero) -> None:
    since = {"If-Modified-Since": "2026-02-25T00:00:00Z"}
    answer = xero.http.get("/Invoices", headers=since)
    assert numbers(answer.json()) == ["2026/4"]
    # What Xero cannot read it ignores, and everything comes.
    answer = xero.http.get("/Invoices", headers={"If-Modified-Since": "yesterday"})
    assert len(numbers(answer.json())) == 4


def test_refusals_of_an_invoice(xero: Xero) -> None:
    assert "Invoice # must be unique." in xero.refused(InvoiceNumber="INV-1")
    assert xero.refused(DueDate=None) == ["Due Date cannot be empty"]
    assert xero.refused(LineItems=[]) == ["One or more line items must be specified"]
    assert "Contact" in xero.refused(Contact={})[0]
    assert "XYZ" in xero.refused(CurrencyCode="XYZ")[0]
    assert "Date" in xero.refused(Date="soon")[0]
    bad = {"Description": "", "UnitAmount": 1, "AccountCode": "999", "TaxType": "ODD"}
    assert len(xero.refused(LineItems=[bad])) == 3
    text = {"Description": "x", "UnitAmount": "40.00", "AccountCode": "270"}
    assert xero.refused(LineItems=[text]) == ["UnitAmount and Quantity must be numbers"]
    assert xero.sandbox.records().fees == ()


def test_closed_periods_are_refused() -> None:
    xero = Xero(small_book(), "2026-03-05", "closed-period=2026-03-31")
    assert "lock date" in xero.refused()[0]
    (organisation,) = xero.get("/Organisation")["Organisations"]
    assert organisation["PeriodLockDate"] == "/Date(1774915200000+0000)/"


def test_a_repeated_key_gives_the_first_answer_again(xero: Xero) -> None:
    body = {"Invoices": [xero.invoice()]}
    key = {"Idempotency-Key": "k1"}
    first = xero.put("/Invoices", body, headers=key)
    assert xero.put("/Invoices", body, headers=key).content == first.content
    assert len(xero.sandbox.records().fees) == 1
    other = xero.put("/Invoices", {"Invoices": [xero.invoice(Reference="x")]}, headers=key)
    assert other.status_code == 400
    xero.clock.advance(timedelta(minutes=11))
    assert xero.put("/Invoices", body, headers=key).status_code == 400  # the number is taken
    for bad in ("", "k" * 129):
        assert xero.put("/Invoices", body, headers={"Idempotency-Key": bad}).status_code == 400


def test_notes_have_a_limit_and_need_a_record(xero: Xero) -> None:
    path = f"/Contacts/{xero.id('customer', 'C1')}/History"
    for details in ("", "x" * 251):
        assert xero.put(path, {"HistoryRecords": [{"Details": details}]}).status_code == 400
    assert xero.put(path, {"HistoryRecords": [{"Details": "x" * 250}]}).status_code == 200
    assert xero.http.post(path, json={}).status_code == 405
    nowhere = f"/Invoices/{xero.id('customer', 'C1')}/History"
    assert xero.put(nowhere, {"HistoryRecords": [{"Details": "x"}]}).status_code == 404


def test_an_invoice_is_voided_or_a_draft_deleted(xero: Xero) -> None:
    draft = xero.put("/Invoices", {"Invoices": [xero.invoice(Status="DRAFT")]}).json()
    key = draft["Invoices"][0]["InvoiceID"]
    body = {"Invoices": [{"InvoiceID": key, "Status": "DELETED"}]}
    gone = xero.http.post(f"/Invoices/{key}", json=body).json()["Invoices"][0]
    assert gone["Status"] == "DELETED"
    assert xero.http.post(f"/Invoices/{key}", json=body).status_code == 400
    # A deleted draft gives its number free.
    fee = xero.put("/Invoices", xero.invoice()).json()["Invoices"][0]
    body = {"InvoiceID": fee["InvoiceID"], "Status": "VOIDED"}
    void = xero.http.post("/Invoices", json=body).json()["Invoices"][0]
    assert (void["Status"], void["AmountDue"]) == ("VOIDED", 0)


def test_a_part_paid_invoice_is_not_edited() -> None:
    xero = Xero(small_book(), "2026-02-06")
    body = {"Status": "VOIDED", "ExpectedPaymentDate": "2026-03-01"}
    answer = xero.http.post(f"/Invoices/{xero.id('invoice', 'INV-1')}", json=body)
    assert answer.status_code == 400
    assert "payment or credit note" in answer.text


def test_an_expected_payment_date_is_kept(xero: Xero) -> None:
    key = xero.id("invoice", "INV-1")
    body = {"ExpectedPaymentDate": "2026-04-01"}
    xero.http.post(f"/Invoices/{key}", json=body)
    (invoice,) = xero.get(f"/Invoices/{key}")["Invoices"]
    assert invoice["ExpectedPaymentDate"] == "/Date(1775001600000+0000)/"


def test_mail_and_pdf(xero: Xero) -> None:
    key = xero.id("invoice", "INV-2")
    assert xero.http.post(f"/Invoices/{key}/Email", json={}).status_code == 204
    (mail,) = xero.sandbox.records().mails
    assert mail.to == "ap@south.example"
    assert xero.get(f"/Invoices/{key}")["Invoices"][0]["SentToContact"] is True
    void = xero.id("invoice", "INV-3")
    assert xero.http.post(f"/Invoices/{void}/Email", json={}).status_code == 400
    pdf = xero.http.get(f"/Invoices/{key}/pdf")
    assert pdf.headers["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    same = xero.http.get(f"/Invoices/{key}", headers={"Accept": "application/pdf"})
    assert same.content == pdf.content


def test_the_door(xero: Xero) -> None:
    assert xero.http.get("/Invoices", headers={"Authorization": "Bearer x"}).status_code == 401
    assert xero.http.get("/Invoices", headers={"xero-tenant-id": "other"}).status_code == 403
    assert xero.http.get("/Rainbows").status_code == 404
    assert xero.http.get(f"/Invoices/{xero.id('customer', 'C1')}").status_code == 404
    assert xero.http.put("/Invoices", content=b"{").status_code == 400


def test_the_allowance_is_told_and_kept(xero: Xero) -> None:
    first = xero.http.get("/Organisation")
    assert first.headers["X-MinLimit-Remaining"] == "59"
    assert first.headers["X-DayLimit-Remaining"] == "4999"
    assert first.headers["X-AppMinLimit-Remaining"] == "9999"
    for _ in range(59):
        xero.http.get("/Organisation")
    refused = xero.http.get("/Organisation")
    assert refused.status_code == 429
    assert refused.headers["X-Rate-Limit-Problem"] == "minute"
    assert refused.headers["Retry-After"] == "60"
    xero.clock.advance(timedelta(seconds=60))
    assert xero.http.get("/Organisation").status_code == 200


def test_rows_with_faults_are_still_there() -> None:
    xero = Xero(small_book(), "2026-03-05", "null-due-date=1", "unknown-enum=1", "malformed-row=1")
    rows = xero.get("/Invoices", page="1")["Invoices"]
    assert len(rows) == 4
    assert any("DueDate" in row and row["DueDate"] is None for row in rows)
    assert any(row["Status"] == "AWAITINGSUNRISE" for row in rows)
    assert any(row["AmountDue"] == "not a number" for row in rows)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/London", "GMTSTANDARDTIME"),
        ("America/Toronto", "EASTERNSTANDARDTIME"),
        ("Europe/Madrid", "WEUROPESTANDARDTIME"),
        ("Antarctica/Troll", "UTC"),
    ],
)
def test_time_zones_have_xero_s_names(zone: str, name: str) -> None:
    assert windows_zone(zone) == name


def test_tags_are_contact_groups(xero: Xero) -> None:
    (group,) = xero.get("/ContactGroups")["ContactGroups"]
    assert (group["Name"], group["Contacts"]) == ("vip", [])
    key = group["ContactGroupID"]
    (group,) = xero.get(f"/ContactGroups/{key}")["ContactGroups"]
    assert [row["Name"] for row in group["Contacts"]] == ["North Ltd"]
    assert xero.http.delete(f"/ContactGroups/{key}/Contacts").status_code == 204
    assert xero.sandbox.ledger.customers[xero.id("customer", "C1")].tags == ()
    again = xero.put("/ContactGroups", {"ContactGroups": [{"Name": "A"}, {"Name": "a"}]})
    assert again.status_code == 400
