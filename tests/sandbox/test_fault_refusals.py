"""Faults that turn requests away, cut answers short, or end a connection: on both faces."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.face import Setup
from connectors.sandbox.oauth import QUICKBOOKS_TERMS, XERO_TERMS
from connectors.sandbox.service import Sandbox
from tests.sandbox.books import noon, small_book
from tests.sandbox.qbo import caller, code, fee
from tests.sandbox.test_oauth import Vendor
from tests.sandbox.xero_caller import XeroCaller, xero_caller
from tests.sandbox.xero_contract import complaints
from tests.vendor_schemas import check_quickbooks


def xero(*faults: str, **setup: Any) -> XeroCaller:
    clock = VirtualClock(noon("2026-03-05"))
    return xero_caller(small_book(), clock, faults=faults, setup=Setup(**setup))


def invoice(books: XeroCaller, number: str = "LF-1", **more: Any) -> dict[str, Any]:
    line = {"Description": "Late fee", "Quantity": 1, "UnitAmount": 40, "AccountCode": "270"}
    return {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {"ContactID": books.sandbox.vendor_id("customer", "C1")},
        "Date": "2026-03-05",
        "DueDate": "2026-03-19",
        "LineAmountTypes": "NoTax",
        "Status": "AUTHORISED",
        "LineItems": [line],
        **more,
    }


def put(books: XeroCaller, *invoices: dict[str, Any], **options: Any) -> httpx.Response:
    answer = books.http.put("/Invoices", json={"Invoices": list(invoices)}, **options)
    schema = "Invoices" if answer.status_code == 200 else "Error"
    assert complaints(schema, answer.content) == []
    return answer


def refusals(answer: httpx.Response) -> list[str]:
    body = answer.json()
    elements = body.get("Elements") or body["Invoices"]
    return [error["Message"] for one in elements for error in one.get("ValidationErrors", ())]


# --- turned away ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "vendor_code"),
    [
        ("no-access", 401, "120"),
        ("wrong-company", 403, "3100"),
        ("subscription-ended", 400, "6190"),
        ("throttle-other-status", 400, "3001"),
        ("throttle-concurrent", 429, "3001"),
        ("throttle-app", 429, "3001"),
        ("day-limit", 429, "3001"),
    ],
)
def test_quickbooks_turns_away(fault: str, status: int, vendor_code: str) -> None:
    books = caller(faults=[f"{fault}=1"])
    answer = books.get("invoice/1")
    assert (answer.status_code, code(answer).lstrip("0")) == (status, vendor_code)
    assert answer.headers["intuit_tid"]
    assert books.get("invoice/1").status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "said", "waits"),
    [
        ("no-access", 403, None, False),
        ("wrong-company", 403, None, False),
        ("subscription-ended", 403, None, False),
        ("throttle-other-status", 503, None, True),
        ("throttle-concurrent", 429, "concurrent", False),
        ("throttle-app", 429, "appminute", True),
        ("day-limit", 429, "day", True),
    ],
)
def test_xero_turns_away(fault: str, status: int, said: str | None, waits: bool) -> None:
    books = xero(f"{fault}=1")
    answer = books.http.get("/Organisation")
    assert answer.status_code == status
    assert answer.headers.get("X-Rate-Limit-Problem") == said
    assert ("Retry-After" in answer.headers) is waits
    if fault == "day-limit":
        assert answer.headers["X-DayLimit-Remaining"] == "0"
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert books.http.get("/Organisation").status_code == 200


@pytest.mark.parametrize(("fault", "status"), [("down", 503), ("gateway-html", 502)])
def test_a_gateway_answers_in_html(fault: str, status: int) -> None:
    answer = caller(faults=[f"{fault}=1"]).get("invoice/1")
    assert (answer.status_code, answer.headers["content-type"][:9]) == (status, "text/html")


def test_a_gateway_gives_up_on_a_write_that_was_done() -> None:
    books = caller(faults=["gateway-after-commit=1"])
    assert books.get("invoice/1").status_code == 200
    assert books.post("invoice", fee("1"), requestid="r1").status_code == 504
    assert len(books.sandbox.records().fees) == 1
    assert books.post("invoice", fee("1"), requestid="r1").status_code == 200
    assert len(books.sandbox.records().fees) == 1


# --- half an answer -------------------------------------------------------------------------------


def test_half_an_answer_to_a_read_and_to_a_write() -> None:
    books = caller(faults=["half-answer=1", "half-answer-after-commit=1"])
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        books.get("invoice/1")
    with pytest.raises(httpx.RemoteProtocolError):
        books.post("invoice", fee("1"))
    assert len(books.sandbox.records().fees) == 1
    assert books.get("invoice/1").status_code == 200


def test_half_an_answer_over_a_socket() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    sandbox = Sandbox(small_book(), ledger="quickbooks", clock=clock, faults=["half-answer=1"])
    running = sandbox.serve()
    try:
        token = sandbox.oauth.grant()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{running.base_url}/v3/company/{sandbox.company_id}/invoice/1"
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url, headers=headers)
        assert httpx.get(url, headers=headers).status_code == 200
    finally:
        running.close()


# --- tokens ---------------------------------------------------------------------------------------


def test_a_refresh_goes_wrong_in_four_ways() -> None:
    vendor = Vendor(QUICKBOOKS_TERMS, "refresh-dropped=1", "token-http-500=1", "invalid-grant=1")
    token = vendor.connect()["refresh_token"]
    with pytest.raises(httpx.RemoteProtocolError):
        vendor.refresh(token)
    assert vendor.refresh(token).status_code == 500
    refused = vendor.refresh(token)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert vendor.refresh(token).status_code == 200


def test_five_years_are_the_end() -> None:
    vendor = Vendor(QUICKBOOKS_TERMS)
    token = vendor.connect()["refresh_token"]
    told = vendor.client.post(
        QUICKBOOKS_TERMS.token_path,
        data={"grant_type": "refresh_token", "refresh_token": token},
        auth=("id", "secret"),
        headers={"x-include-refresh-token-hard-expires-in": "true"},
    ).json()
    assert told["x_refresh_token_hard_expires_in"] == 5 * 365 * 86_400
    token = told["refresh_token"]
    for _ in range(20):
        vendor.clock.advance(timedelta(days=90))
        token = vendor.refresh(token).json()["refresh_token"]
    vendor.clock.advance(timedelta(days=90))
    assert vendor.refresh(token).json() == {
        "error": "invalid_grant",
        "error_description": "Incorrect or invalid token",
    }


def test_an_admin_disconnects_the_app() -> None:
    books = xero("token-revoked=1@2")
    assert books.http.get("/Organisation").status_code == 200
    assert books.http.get("/Organisation").status_code == 401
    books.renew()
    assert books.http.get("/Organisation").status_code == 200


def test_a_token_reaches_several_organisations() -> None:
    clock = VirtualClock(noon("2026-03-05"))
    books = xero_caller(small_book(), clock, other_companies=["Second Ltd"])
    connections = books.http.get(books.sandbox.addresses().connections_url).json()
    assert [row["tenantName"] for row in connections] == ["Acme Ltd", "Second Ltd"]
    second = {"xero-tenant-id": connections[1]["tenantId"]}
    shown = books.http.get("/Organisation", headers=second)
    assert complaints("Organisations", shown.content) == []
    assert shown.json()["Organisations"][0]["Name"] == "Second Ltd"
    assert books.http.get("/Invoices", headers=second).json() == {"Invoices": []}
    key = connections[0]["id"]
    url = f"{books.sandbox.addresses().connections_url}/{key}"
    assert books.http.delete(url).status_code == 204
    assert books.http.get("/Organisation").status_code == 403
    assert books.http.get("/Organisation", headers=second).status_code == 200


def test_broad_scopes_are_refused_to_custom_connections() -> None:
    vendor = Vendor(XERO_TERMS)
    refused = vendor.token(grant_type="client_credentials", scope="accounting.transactions")
    assert refused.json() == {"error": "invalid_scope"}
    given = vendor.token(grant_type="client_credentials", scope="accounting.invoices").json()
    assert "refresh_token" not in given
    assert vendor.is_let_in(given["access_token"])


# --- writes ---------------------------------------------------------------------------------------


def test_errors_inside_of_a_200() -> None:
    books = xero("has-errors=1")
    answer = put(books, invoice(books))
    assert answer.status_code == 200
    (one,) = answer.json()["Invoices"]
    assert one["HasErrors"] and one["StatusAttributeString"] == "ERROR"
    assert books.sandbox.records().fees == ()
    assert put(books, invoice(books)).status_code == 200


def test_a_batch_of_invoices_is_judged_one_by_one() -> None:
    books = xero()
    good, bad = invoice(books, "LF-1"), invoice(books, "INV-1")
    mixed = put(books, good, bad, params={"summarizeErrors": "false"})
    states = [one["StatusAttributeString"] for one in mixed.json()["Invoices"]]
    assert (mixed.status_code, states) == (200, ["OK", "ERROR"])
    assert refusals(mixed) == ["Invoice # must be unique."]
    assert [row.number for row in books.sandbox.records().fees] == ["LF-1"]


def test_a_plan_allows_so_many_invoices() -> None:
    books = xero(plan="STARTER", invoices_a_month=2)
    assert books.http.get("/Organisation").json()["Organisations"][0]["Class"] == "STARTER"
    assert put(books, invoice(books, "LF-1")).status_code == 200
    refused = put(books, invoice(books, "LF-2"))
    assert refusals(refused) == ["You have reached the limit of invoices you can approve"]
    draft = invoice(books, "LF-2", Status="DRAFT")
    assert put(books, draft).status_code == 200
    books.clock.advance(timedelta(days=30))
    books.renew()
    april = invoice(books, "LF-3", Date="2026-04-04", DueDate="2026-04-20")
    assert put(books, april).status_code == 200


def test_a_quota_on_demand() -> None:
    books = xero("plan-quota=1")
    assert refusals(put(books, invoice(books)))
    assert put(books, invoice(books)).status_code == 200


def test_a_day_of_a_thousand_calls() -> None:
    books = xero(calls_a_day=3)
    statuses = [books.http.get("/Organisation").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_mails_and_reminders_are_set() -> None:
    books = xero(mails_a_day=1, sends_reminders=True)
    key = books.sandbox.vendor_id("invoice", "INV-1")
    assert books.http.post(f"/Invoices/{key}/Email", json={}).status_code == 204
    assert books.http.post(f"/Invoices/{key}/Email", json={}).status_code == 400
    settings = books.http.get("/InvoiceReminders/Settings")
    assert complaints("InvoiceReminders", settings.content) == []
    assert settings.json() == {"InvoiceReminders": [{"Enabled": True}]}


def test_a_token_may_be_denied_an_action() -> None:
    books = xero(denied_actions=("CreateApprovedInvoice",))
    answer = books.http.get("/Organisation/Actions")
    assert complaints("Actions", answer.content) == []
    states = {row["Name"]: row["Status"] for row in answer.json()["Actions"]}
    assert states["CreateApprovedInvoice"] == "NOT-ALLOWED"
    assert states["CreateDraftInvoice"] == "ALLOWED"


def test_the_customer_has_just_paid_a_part() -> None:
    books = xero("part-paid=1")
    key = books.sandbox.vendor_id("invoice", "INV-1")
    change = {"InvoiceID": key, "ExpectedPaymentDate": "2026-03-20"}
    refused = books.http.post(f"/Invoices/{key}", json=change)
    assert refused.status_code == 400
    assert "payment or credit note allocated" in refused.text
    quickbooks = caller(faults=["part-paid=1"])
    shown = quickbooks.get("invoice/1").json()["Invoice"]
    update = {"Id": "1", "SyncToken": shown["SyncToken"], "sparse": True, "PrivateNote": "x"}
    assert code(quickbooks.post("invoice", update)) == "5010"
    assert quickbooks.get("invoice/1").json()["Invoice"]["Balance"] == shown["Balance"] / 2


def test_the_customer_was_merged_just_now() -> None:
    books = xero("merged-contact=1")
    assert "archived" in refusals(put(books, invoice(books)))[0]
    quickbooks = caller(faults=["merged-contact=1"])
    assert code(quickbooks.post("invoice", fee("1"))) == "2500"


def test_a_number_that_is_taken_may_be_accepted() -> None:
    quickbooks = caller(faults=["duplicate-not-refused=1"])
    assert quickbooks.post("invoice", fee("1", "INV-1")).status_code == 200
    assert code(quickbooks.post("invoice", fee("1", "INV-1"))) == "6140"
    books = xero("duplicate-not-refused=1")
    assert put(books, invoice(books, "INV-1")).status_code == 200
    assert refusals(put(books, invoice(books, "INV-1"))) == ["Invoice # must be unique."]


def test_xero_forgets_a_key() -> None:
    books = xero("key-forgotten=1")
    key = {"Idempotency-Key": "k1"}
    assert put(books, invoice(books), headers=key).status_code == 200
    assert refusals(put(books, invoice(books), headers=key)) == ["Invoice # must be unique."]


# --- rows -----------------------------------------------------------------------------------------


def test_rows_of_quickbooks_that_a_client_has_to_survive() -> None:
    books = caller(faults=["null-string=1", "missing-keys=1@2", "long-name=1"])
    first, second, third = books.rows("select * from Invoice orderby Id")
    assert first["DocNumber"] is None
    assert "MetaData" not in second and "EmailStatus" not in second
    assert check_quickbooks("Invoice", third, "response") == []
    names = [len(row["DisplayName"]) for row in books.rows("select * from Customer orderby Id")]
    assert max(names) == 300


def test_an_older_synctoken_in_a_list() -> None:
    books = caller(faults=["old-synctoken-in-list=1"])
    listed = books.rows("select * from Invoice orderby Id")[0]
    alone = books.get(f"invoice/{listed['Id']}").json()["Invoice"]
    assert int(alone["SyncToken"]) == int(listed["SyncToken"]) + 1


def test_rows_of_xero_that_a_client_has_to_survive() -> None:
    books = xero("null-string=1", "missing-keys=1@2", "long-name=1")
    rows = books.http.get("/Invoices", params={"page": "1"}).json()["Invoices"]
    assert [row["InvoiceNumber"] for row in rows].count(None) == 1
    assert sum("UpdatedDateUTC" not in row for row in rows) == 1
    contacts = books.http.get("/Contacts").json()["Contacts"]
    assert max(len(row["Name"]) for row in contacts) == 300


def test_xero_ignores_a_watermark() -> None:
    books = xero("watermark-ignored=1")
    since = books.clock.now()
    assert len(books.rows("Invoices", since=since, page="1")) == 4
    books.clock.advance(1)
    assert books.rows("Invoices", since=books.clock.now(), page="1") == []
