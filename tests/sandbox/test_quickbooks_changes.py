"""QuickBooks: change data capture, batches, estimates, and what goes with an invoice."""

import json
from typing import Any

import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.face import Setup
from tests.sandbox.books import COMPANY, noon, wide_book
from tests.sandbox.qbo import Caller, caller, code, fee
from tests.vendor_schemas import check_quickbooks

FIVE = "Customer,Invoice,Payment,CreditMemo,Estimate"


@pytest.fixture
def wide() -> Caller:
    return caller(events=wide_book())


def changed(books: Caller, since: str, entities: str = FIVE) -> dict[str, list[dict[str, Any]]]:
    answer = books.get("cdc", entities=entities, changedSince=since)
    assert answer.status_code == 200, answer.text
    body = json.loads(answer.text)
    assert set(body) == {"CDCResponse", "time"}
    found: dict[str, list[dict[str, Any]]] = {}
    for part in body["CDCResponse"][0]["QueryResponse"]:
        for name, rows in part.items():
            if isinstance(rows, list):
                found[name] = rows
    return found


def test_changes_of_five_entities_come_whole(wide: Caller) -> None:
    found = changed(wide, "2026-02-01T00:00:00-05:00")
    assert set(found) == {"Customer", "Invoice", "Payment", "CreditMemo", "Estimate"} - {"Customer"}
    for entity, rows in found.items():
        for row in rows:
            if row.get("status") != "Deleted":
                assert check_quickbooks(entity, row, "response") == []


def test_a_deleted_row_is_an_id_and_a_status(wide: Caller) -> None:
    estimates = changed(wide, "2026-02-01T00:00:00-05:00")["Estimate"]
    gone = [row for row in estimates if row.get("status") == "Deleted"]
    key = wide.sandbox.vendor_id("estimate", "E5")
    assert gone == [{"domain": "QBO", "status": "Deleted", "Id": key}]
    assert code(wide.get(f"estimate/{key}")) == "610"


def test_a_deleted_credit_takes_its_payment_of_zero_along(wide: Caller) -> None:
    credit = wide.rows("select * from CreditMemo")[0]
    zero = next(row for row in wide.rows("select * from Payment") if row["TotalAmt"] == 0)
    wide.post(
        "creditmemo", {"Id": credit["Id"], "SyncToken": credit["SyncToken"]}, operation="delete"
    )
    found = changed(wide, "2026-02-05T00:00:00-05:00")
    assert found["CreditMemo"] == [{"domain": "QBO", "status": "Deleted", "Id": credit["Id"]}]
    assert {"domain": "QBO", "status": "Deleted", "Id": zero["Id"]} in found["Payment"]


def test_no_further_back_than_30_days(wide: Caller) -> None:
    refused = wide.get("cdc", entities="Invoice", changedSince="2026-01-06T11:59:00Z")
    assert (refused.status_code, code(refused)) == (400, "2010")
    assert wide.get("cdc", entities="Invoice", changedSince="2026-01-06T12:00:00Z").is_success
    assert code(wide.get("cdc", entities="TaxCode", changedSince="2026-02-01")) == "2010"
    assert code(wide.get("cdc", changedSince="2026-02-01")) == "2020"


def test_a_thousand_objects_and_no_more() -> None:
    rows = [
        {"t": "invoice", "id": f"I{n}", "date": "2026-02-01", "due": "2026-03-01",
         "customer": f"C{n % 7}", "currency": "USD", "total": "10.00"}
        for n in range(1100)
    ]  # fmt: skip
    many = caller(events=[COMPANY, *rows])
    found = changed(many, "2026-02-01T00:00:00-05:00", "Customer,Invoice,Payment")
    assert sum(map(len, found.values())) == 1000
    assert len(found["Customer"]) == 7
    alone = changed(many, "2026-02-01T00:00:00-05:00", "Invoice")
    assert len(alone["Invoice"]) == 1000


def test_a_fault_inside_of_a_200(wide: Caller) -> None:
    wide.sandbox.order("cdc-fault=1")
    answer = wide.get("cdc", entities="Invoice,Payment", changedSince="2026-02-01T00:00:00Z")
    first, second = answer.json()["CDCResponse"][0]["QueryResponse"]
    assert answer.status_code == 200
    assert first["Fault"]["Error"][0]["code"] == "10000"
    assert second["Payment"]


def test_a_watermark_that_is_ignored(wide: Caller) -> None:
    assert changed(wide, "2026-02-05T11:00:00Z") == {}
    wide.sandbox.order("watermark-ignored=1")
    assert len(changed(wide, "2026-02-05T11:00:00Z")["Customer"]) == 4


# --- batches --------------------------------------------------------------------------------------


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"bId": str(number), "operation": "create", "Invoice": fee("1", f"LF-{number}"), **more}


def test_a_batch_is_replayed_under_its_requestid(wide: Caller) -> None:
    body = {"BatchItemRequest": [item(1), item(2, Invoice=fee("99", "LF-X")), item(3)]}
    first = wide.post("batch", body, requestid="r" * 36)
    second = wide.post("batch", body, requestid="r" * 36)
    assert first.status_code == 200
    assert first.json()["BatchItemResponse"] == second.json()["BatchItemResponse"]
    assert [row.number for row in wide.sandbox.records().fees] == ["LF-1", "LF-3"]
    outcomes = ["Fault" in one for one in first.json()["BatchItemResponse"]]
    assert outcomes == [False, True, False]


def test_a_requestid_may_be_too_long(wide: Caller) -> None:
    body = {"BatchItemRequest": [item(1)]}
    assert code(wide.post("batch", body, requestid="r" * 37)) == "2050"
    assert code(wide.post("invoice", fee("1"), requestid="r" * 51)) == "2050"
    long_name = {"BatchItemRequest": [item(1, bId="b" * 15)]}
    assert code(wide.post("batch", long_name, requestid="r" * 36)) == "2050"
    assert wide.post("batch", body, requestid="r" * 36).status_code == 200
    assert wide.post("invoice", fee("1"), requestid="r" * 50).status_code == 200


def test_names_of_items_are_needed_and_differ(wide: Caller) -> None:
    assert code(wide.post("batch", {"BatchItemRequest": [item(1), item(1)]})) == "2010"
    assert code(wide.post("batch", {"BatchItemRequest": [item(1, bId="")]})) == "2020"


def test_forty_batches_a_minute() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    books = caller(clock=clock)
    query = {"BatchItemRequest": [{"bId": "1", "Query": "select * from Term"}]}
    statuses = []
    for _ in range(41):
        statuses.append(books.post("batch", query).status_code)
        clock.advance(0.2)
    assert statuses == [200] * 40 + [429]
    assert books.get("invoice/1").status_code == 200
    clock.advance(60)
    assert books.post("batch", query).status_code == 200


def test_a_key_that_was_forgotten(wide: Caller) -> None:
    wide.post("invoice", {**fee("1"), "DocNumber": ""}, requestid="r1")
    wide.post("invoice", {**fee("1"), "DocNumber": ""}, requestid="r1")
    assert len(wide.sandbox.records().fees) == 1
    wide.sandbox.order("key-forgotten=1")
    wide.post("invoice", {**fee("1"), "DocNumber": ""}, requestid="r1")
    assert len(wide.sandbox.records().fees) == 2


# --- estimates, deposits, portals -----------------------------------------------------------------


def test_estimates_by_their_state(wide: Caller) -> None:
    rows = wide.rows("select * from Estimate")
    assert {row["DocNumber"]: row["TxnStatus"] for row in rows} == {
        "Q-7": "Accepted",
        "E2": "Rejected",
        "E3": "Pending",
        "E4": "Closed",
    }
    pending = wide.rows("select * from Estimate where TxnStatus = 'Pending'")
    assert [row["ExpirationDate"] for row in pending] == ["2026-01-31"]
    key = wide.sandbox.vendor_id("estimate", "E1")
    assert wide.get(f"estimate/{key}").json()["Estimate"]["AcceptedDate"] == "2026-02-01"


def test_a_deposit_is_off_the_balance(wide: Caller) -> None:
    key = wide.sandbox.vendor_id("invoice", "INV-5")
    shown = wide.get(f"invoice/{key}").json()["Invoice"]
    assert (shown["TotalAmt"], shown["Deposit"], shown["Balance"]) == (1000, 250, 750)
    assert shown["EInvoiceStatus"] == "Viewed"
    assert shown["BillAddr"]["Line1"] == "1 Quay"


def test_what_the_portal_and_the_mail_tell(wide: Caller) -> None:
    def shown(name: str) -> dict[str, Any]:
        key = wide.sandbox.vendor_id("invoice", name)
        found: dict[str, Any] = wide.get(f"invoice/{key}").json()["Invoice"]
        return found

    assert shown("INV-6")["EInvoiceStatus"] == "Disputed"
    bounced = shown("INV-7")
    assert bounced["DeliveryInfo"]["DeliveryErrorType"] == "Bounced Email"
    assert bounced["EInvoiceStatus"] == "Delivery Error"
    assert shown("INV-8")["ScheduledPaymentId"]


def test_a_link_needs_online_payments() -> None:
    without = caller(setup=Setup(takes_online_payments=False))
    shown = without.get("invoice/1", include="invoiceLink").json()["Invoice"]
    assert "InvoiceLink" not in shown


def test_mails_of_a_day_are_limited() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    books = caller(clock=clock, setup=Setup(mails_a_day=1))
    assert books.client.post(books.path("invoice/1/send")).status_code == 200
    assert books.client.post(books.path("invoice/1/send")).status_code == 429
    clock.advance(86_400)
    books.renew()
    assert books.client.post(books.path("invoice/1/send")).status_code == 200
    assert len(books.sandbox.records().mails) == 2


def test_a_customer_gets_a_type() -> None:
    books = caller(setup=Setup(customer_types=("On hold",)))
    (kind,) = books.rows("select * from CustomerType where Name = 'On hold'")
    customer = books.get("customer/1").json()["Customer"]
    change = {"Id": "1", "SyncToken": customer["SyncToken"], "sparse": True}
    held = books.post("customer", {**change, "CustomerTypeRef": {"value": kind["Id"]}})
    assert held.json()["Customer"]["CustomerTypeRef"]["name"] == "On hold"
    change["SyncToken"] = held.json()["Customer"]["SyncToken"]
    assert code(books.post("customer", {**change, "CustomerTypeRef": {"value": "99"}})) == "2500"
