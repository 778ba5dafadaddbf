"""What QuickBooks accepts, refuses, and answers twice."""

from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.face import Setup
from tests.sandbox.books import COMPANY, noon
from tests.sandbox.qbo import Caller, caller, code, fee


@pytest.fixture
def small() -> Caller:
    return caller()


def test_a_fee_is_an_invoice_of_its_own(small: Caller) -> None:
    made = small.post("invoice", fee("1", BillEmail={"Address": "ap@north.example"})).json()
    shown = made["Invoice"]
    assert (shown["TotalAmt"], shown["Balance"], shown["SyncToken"]) == (15.00, 15.00, "0")
    assert shown["EmailStatus"] == "NotSet"
    found = small.rows("select * from Invoice where DocNumber LIKE 'LF-%'")
    assert [row["Id"] for row in found] == [shown["Id"]]
    (record,) = small.sandbox.records().fees
    assert (record.number, record.amount, record.currency) == ("LF-ABCDEFGHIJKLMNOP", 1500, "USD")
    assert (record.customer_book_id, record.tag[:10]) == ("C1", "arb1 inv=1")


def _line(**changes: Any) -> list[dict[str, Any]]:
    line = fee("1")["Line"][0]
    detail = {**line["SalesItemLineDetail"], **changes.pop("detail", {})}
    return [{**line, "SalesItemLineDetail": detail, **changes}]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"LateFee": 1}, "2010"),
        ({"Duedate": "2026-02-19"}, "2010"),
        ({"CustomerRef": {"id": "1"}}, "2010"),
        ({"BillEmail": "ap@north.example"}, "2010"),
        ({"Line": _line(LateFee=1)}, "2010"),
        ({"Line": _line(detail={"Price": 1})}, "2010"),
        ({"TxnDate": "05/02/2026"}, "2010"),
        ({"TxnDate": ""}, "2010"),
        ({"Line": []}, "2020"),
        ({"CustomerRef": None}, "2020"),
        ({"Line": _line(Amount=None)}, "2020"),
        ({"Line": _line(DetailType=None)}, "2020"),
        ({"EmailStatus": "NeedToSend"}, "2020"),
        ({"DocNumber": "X" * 22}, "2050"),
        ({"PrivateNote": "X" * 4001}, "2050"),
        ({"EmailStatus": "Sent"}, "2170"),
        ({"Line": _line(DetailType="LateFeeLine")}, "2170"),
        ({"BillEmail": {"Address": "nobody"}}, "2210"),
        ({"CustomerRef": {"value": "77"}}, "2500"),
        ({"Line": _line(detail={"ItemRef": {"value": "77"}})}, "2500"),
        ({"Line": _line(detail={"TaxCodeRef": {"value": "20%"}})}, "2500"),
        ({"CurrencyRef": {"value": "EUR"}}, "6000"),
        ({"Line": _line(Amount=14.00)}, "6070"),
        ({"DocNumber": "INV-1"}, "6140"),
    ],
)
def test_a_wrong_body_is_refused_and_nothing_is_written(
    small: Caller, changes: dict[str, Any], refusal: str
) -> None:
    answer = small.post("invoice", fee("1", **changes))
    assert (answer.status_code, code(answer)) == (400, refusal)
    assert small.sandbox.records().fees == ()


def test_a_duplicate_number_passes_where_it_is_allowed(small: Caller) -> None:
    body = fee("1", "INV-1")
    assert small.post("invoice", body, include="allowduplicatedocnum").status_code == 200
    silent = caller(setup=Setup(warns_of_duplicate_numbers=False))
    assert silent.post("invoice", body).status_code == 200


def test_two_currencies_need_one_named() -> None:
    cad = {"t": "customer", "id": "C9", "date": "2026-01-01", "name": "Nine", "currency": "CAD"}
    books = caller(events=[COMPANY, cad])
    assert code(books.post("invoice", fee("1"))) == "2020"
    assert code(books.post("invoice", fee("1", CurrencyRef={"value": "USD"}))) == "6000"
    assert books.post("invoice", fee("1", CurrencyRef={"value": "CAD"})).status_code == 200


def test_outside_the_united_states_lines_need_a_tax_code_or_none_at_all() -> None:
    company = {**COMPANY, "country": "GB", "base_currency": "GBP"}
    customer = {"t": "customer", "id": "C", "date": "2026-01-01", "name": "C", "currency": "GBP"}
    books = caller(events=[company, customer])
    bare = fee("1", Line=_line(detail={"TaxCodeRef": None}))
    assert code(books.post("invoice", bare)) == "6000"
    free = books.post("invoice", {**bare, "GlobalTaxCalculation": "NotApplicable"})
    assert free.json()["Invoice"]["TotalAmt"] == 15.00
    taxed = fee("1", "LF-2", Line=_line(detail={"TaxCodeRef": {"value": "2"}}))
    assert books.post("invoice", taxed).json()["Invoice"]["TotalAmt"] == 18.00


def test_a_sparse_update_leaves_the_rest_alone(small: Caller) -> None:
    before = small.get("invoice/1").json()["Invoice"]
    change = {"Id": "1", "SyncToken": "1", "sparse": True, "PrivateNote": "Called"}
    after = small.post("invoice", change).json()["Invoice"]
    assert (after["PrivateNote"], after["SyncToken"]) == ("Called", "2")
    for name in ("DueDate", "DocNumber", "Line", "BillEmail", "Balance", "EmailStatus"):
        assert after[name] == before[name]


def test_a_full_update_empties_what_it_does_not_mention(small: Caller) -> None:
    made = small.post("invoice", fee("1")).json()["Invoice"]
    keep = {name: made[name] for name in ("Id", "SyncToken", "CustomerRef", "Line")}
    after = small.post("invoice", keep).json()["Invoice"]
    assert "PrivateNote" not in after
    assert "DocNumber" not in after


def test_an_update_with_lines_replaces_all_of_them(small: Caller) -> None:
    change = {"Id": "1", "SyncToken": "1", "sparse": True, "Line": _line()}
    after = small.post("invoice", change).json()["Invoice"]
    assert (after["TotalAmt"], after["Balance"]) == (15.00, 0)


def test_a_stale_token_is_refused(small: Caller) -> None:
    change = {"Id": "1", "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
    assert code(small.post("invoice", change)) == "5010"
    assert code(small.post("invoice", {**change, "SyncToken": ""})) == "2020"
    assert code(small.post("invoice", {**change, "Id": "99"})) == "610"


def test_void_and_delete(small: Caller) -> None:
    made = small.post("invoice", fee("1")).json()["Invoice"]
    token = {"Id": made["Id"], "SyncToken": made["SyncToken"]}
    voided = small.post("invoice", token, operation="void").json()["Invoice"]
    assert (voided["TotalAmt"], voided["PrivateNote"][:6]) == (0, "Voided")
    assert [fee.status for fee in small.sandbox.records().fees] == ["void"]
    token["SyncToken"] = voided["SyncToken"]
    assert small.post("invoice", token, operation="delete").status_code == 200
    assert code(small.get(f"invoice/{made['Id']}")) == "610"


def test_a_payment_is_voided_in_either_spelling(small: Caller) -> None:
    key = small.sandbox.vendor_id("payment", "P1")
    token = small.get(f"payment/{key}").json()["Payment"]["SyncToken"]
    body = {"Id": key, "SyncToken": token, "sparse": True}
    answer = small.post("payment", body, operation="update", include="void")
    assert answer.json()["Payment"]["TotalAmt"] == 0
    assert small.get("invoice/1").json()["Invoice"]["Balance"] == 1200.00


def test_a_credit_memo_and_the_payment_that_applies_it(small: Caller) -> None:
    made = small.post("invoice", fee("1")).json()["Invoice"]
    memo = small.post("creditmemo", {"CustomerRef": {"value": "1"}, "Line": _line()})
    credit = memo.json()["CreditMemo"]
    assert credit["RemainingCredit"] == 15.00
    lines = [
        {"Amount": 15.00, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]},
        {"Amount": 15.00, "LinkedTxn": [{"TxnId": credit["Id"], "TxnType": "CreditMemo"}]},
    ]
    body = {"CustomerRef": {"value": "1"}, "TotalAmt": 0, "Line": lines}
    assert small.post("payment", body).status_code == 200
    assert small.get(f"invoice/{made['Id']}").json()["Invoice"]["Balance"] == 0
    assert small.get(f"creditmemo/{credit['Id']}").json()["CreditMemo"]["RemainingCredit"] == 0
    assert code(small.post("payment", body)) == "6000"


def test_a_note_hangs_on_invoices_and_can_be_found(small: Caller) -> None:
    refs = [
        {"IncludeOnSend": False, "EntityRef": {"type": "Invoice", "value": key}}
        for key in ("1", "2")
    ]
    note = {"Note": "[arb:ABCDEFGHIJKL] First reminder", "AttachableRef": refs}
    made = small.post("attachable", note).json()["Attachable"]
    assert made["AttachableRef"] == refs
    for where in (
        "Note LIKE '[arb:%'",
        "AttachableRef.EntityRef.Type = 'invoice' and AttachableRef.EntityRef.value = '2'",
    ):
        found = small.rows(f"select * from Attachable where {where}")
        assert [row["Id"] for row in found] == [made["Id"]]
    (record,) = small.sandbox.records().notes
    assert record.targets == (("invoice", "1"), ("invoice", "2"))
    token = small.get("invoice/1").json()["Invoice"]["SyncToken"]
    assert token == "1"
    refs[0]["EntityRef"]["value"] = "99"
    assert code(small.post("attachable", note)) == "2500"
    assert code(small.post("attachable", {"Note": "n" * 2001})) == "2050"
    assert code(small.post("attachable", {"AttachableRef": []})) == "2020"


def test_sending_marks_the_invoice_and_keeps_the_mail(small: Caller) -> None:
    path = small.path("invoice/1/send")
    sent = small.client.post(path, params={"sendTo": "boss@north.example"}).json()["Invoice"]
    assert sent["EmailStatus"] == "EmailSent"
    assert sent["DeliveryInfo"]["DeliveryTime"] == "2026-02-05T07:00:00-05:00"
    assert [mail.to for mail in small.sandbox.records().mails] == ["boss@north.example"]
    depot = small.sandbox.vendor_id("invoice", "INV-3")
    assert code(small.client.post(small.path(f"invoice/{depot}/send"))) == "2020"


def test_the_same_requestid_gets_the_same_answer() -> None:
    clock = VirtualClock(noon("2026-02-05"))
    small = caller(clock=clock)
    first = small.post("invoice", fee("1"), requestid="r1")
    again = small.post("invoice", fee("1"), requestid="r1")
    assert again.json() == first.json()
    note = {"Note": "n", "AttachableRef": []}
    notes = {small.post("attachable", note, requestid="r2").text for _ in range(3)}
    assert len(notes) == 1
    assert (len(small.sandbox.records().fees), len(small.sandbox.records().notes)) == (1, 1)
    clock.advance(timedelta(hours=2))
    small.renew()
    assert code(small.post("invoice", fee("1"), requestid="r1")) == "6140"
    assert code(small.post("invoice", fee("1"), requestid="r" * 51)) == "2050"


def test_a_refused_request_is_not_remembered(small: Caller) -> None:
    assert code(small.post("invoice", fee("77"), requestid="r1")) == "2500"
    assert small.post("invoice", fee("1"), requestid="r1").status_code == 200


def test_a_batch_answers_item_by_item(small: Caller) -> None:
    items = [
        {"bId": "1", "operation": "create", "Invoice": fee("1")},
        {"bId": "2", "operation": "create", "Invoice": fee("77", "LF-2")},
        {"bId": "3", "Query": "select * from Invoice where Id = '1'"},
    ]
    answer = small.post("batch", {"BatchItemRequest": items}).json()["BatchItemResponse"]
    assert [item["bId"] for item in answer] == ["1", "2", "3"]
    assert answer[0]["Invoice"]["DocNumber"] == "LF-ABCDEFGHIJKLMNOP"
    assert answer[1]["Fault"]["Error"][0]["code"] == "2500"
    assert len(answer[2]["QueryResponse"]["Invoice"]) == 1
    too_many = [{"bId": str(n), "Query": "select * from Term"} for n in range(31)]
    assert code(small.post("batch", {"BatchItemRequest": too_many})) == "6000"


def test_a_company_without_a_fee_item_has_none() -> None:
    bare = caller(setup=Setup(fee_item="", fee_account=""))
    assert bare.rows("select * from Item where Name = 'Late fee'") == []
    assert code(bare.post("invoice", fee("1"))) == "2500"
