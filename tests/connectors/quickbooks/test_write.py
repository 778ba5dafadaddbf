"""Writing to QuickBooks: exact bodies that the vendor's schema accepts, never twice."""

import json
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest

from ar_bridge.clock import VirtualClock
from connectors.errors import (
    AuthorizationError,
    OutcomeUnknownError,
    RefusedError,
    StaleError,
    TransientError,
    UnsupportedError,
)
from connectors.quickbooks.requests import charge_body, quoted
from rules.actions.effects import (
    ChargeLine,
    LedgerEffect,
    PostCharge,
    PostNote,
    SetExpectedDate,
    SetHold,
)
from rules.actions.keys import vendor_key
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.quickbooks.canned import START, CannedCompany, answer, connected, fault
from tests.vendor_schemas import check_quickbooks

TODAY = date(2026, 3, 2)
TAG = "arb1 inv=7 fee=late through=2026-02-28 key=late_fee/7/late/2026-02"
CHARGE = PostCharge(
    key="late_fee/7/late/2026-02#0:post_charge",
    customer=CustomerId("1"),
    number="LF-ABCDEFGHIJKLMNOP",
    currency="USD",
    amount=950,
    issued_on=TODAY,
    due_on=date(2026, 3, 16),
    invoice=InvoiceId("7"),
    invoice_number="107",
    description="Late fee on invoice 107",
    tag=TAG,
    account="Late fee",
    tax="",
    email="ap@north.example",
)
NOTE = PostNote(
    key="msg/1/0123456789abcdef#1:post_note",
    customer=CustomerId("1"),
    mark="[arb:ABCDEFGHIJKL]",
    text="[arb:ABCDEFGHIJKL] 2026-03-02 reminder first-reminder by email",
    invoices=(InvoiceId("7"), InvoiceId("8")),
)
HOLD = SetHold(
    key="credit_hold/1/hold/1#0:set_hold",
    customer=CustomerId("1"),
    is_on=True,
    mark="[arb:BCDEFGHIJKLM]",
    reason="60 days overdue",
)


def a_company() -> CannedCompany:
    return CannedCompany(
        Item=[
            {"Id": "11", "Name": "Goods", "IncomeAccountRef": {"value": "80", "name": "Sales"}},
            {
                "Id": "21",
                "Name": "Late fee",
                "FullyQualifiedName": "Fees:Late fee",
                "IncomeAccountRef": {"value": "90", "name": "Late fee income"},
            },
        ],
        TaxCode=[{"Id": "6", "Name": "20.0% S"}],
    )


def body_of(effect: LedgerEffect, company: CannedCompany | None = None, **options: Any) -> Any:
    options.setdefault("fee_account", "Late fee")
    prepared = connected(company or a_company(), **options).prepare(effect, TODAY)
    entity = {"invoice": "Invoice", "attachable": "Attachable"}[prepared.path]
    assert check_quickbooks(entity, prepared.body) == []
    return json.loads(prepared.body)


def test_a_note_hangs_on_every_invoice_and_never_on_a_mail() -> None:
    assert body_of(NOTE) == {
        "AttachableRef": [
            {"IncludeOnSend": False, "EntityRef": {"type": "Invoice", "value": "7"}},
            {"IncludeOnSend": False, "EntityRef": {"type": "Invoice", "value": "8"}},
        ],
        "Note": NOTE.text,
    }


def test_a_note_about_no_invoice_hangs_on_the_customer_and_fits() -> None:
    long = msgspec.structs.replace(NOTE, invoices=(), text=NOTE.mark + "x" * 3000)
    body = body_of(long)
    assert body["AttachableRef"][0]["EntityRef"] == {"type": "Customer", "value": "1"}
    assert len(body["Note"]) == 2000


def test_a_hold_is_a_note_on_the_customer() -> None:
    assert body_of(HOLD)["Note"] == "[arb:BCDEFGHIJKLM] Credit hold: 60 days overdue"
    off = msgspec.structs.replace(HOLD, is_on=False, reason="")
    assert body_of(off)["Note"] == "[arb:BCDEFGHIJKLM] Credit hold released"


def test_a_charge_holds_the_needed_keys_and_no_blank_one() -> None:
    assert body_of(CHARGE) == {
        "DocNumber": "LF-ABCDEFGHIJKLMNOP",
        "CustomerRef": {"value": "1"},
        "CurrencyRef": {"value": "USD"},
        "TxnDate": "2026-03-02",
        "DueDate": "2026-03-16",
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": 9.5,
                "Description": "Late fee on invoice 107",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "21"},
                    "Qty": 1,
                    "UnitPrice": 9.5,
                    "TaxCodeRef": {"value": "NON"},
                },
            }
        ],
        "PrivateNote": TAG,
        "BillEmail": {"Address": "ap@north.example"},
    }


def test_money_goes_out_as_an_exact_number() -> None:
    prepared = connected(a_company(), fee_account="21").prepare(
        msgspec.structs.replace(CHARGE, amount=123456789012345), TODAY
    )
    assert b'"Amount":1234567890123.45,' in prepared.body
    yen = msgspec.structs.replace(CHARGE, amount=1100, currency="JPY")
    assert b'"Amount":1100,' in connected(a_company(), fee_account="21").prepare(yen, TODAY).body


def test_outside_the_united_states_tax_is_named_or_denied() -> None:
    company = a_company()
    company.info["Country"] = "GBR"
    body = body_of(CHARGE, company)
    assert body["GlobalTaxCalculation"] == "NotApplicable"
    assert "TaxCodeRef" not in body["Line"][0]["SalesItemLineDetail"]
    body = body_of(CHARGE, company, fee_tax="20.0% s")
    assert body["GlobalTaxCalculation"] == "TaxExcluded"
    assert body["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "6"}


def test_a_charge_is_dated_after_the_books_were_closed() -> None:
    company = a_company()
    company.preferences["AccountingInfoPrefs"] = {"BookCloseDate": "2026-03-31"}
    body = body_of(CHARGE, company)
    assert (body["TxnDate"], body["DueDate"]) == ("2026-04-01", "2026-04-01")


@pytest.mark.parametrize("account", ["21", "late FEE", "Fees:Late fee", "90", "late fee income"])
def test_the_fee_item_is_named_in_any_way(account: str) -> None:
    body = body_of(CHARGE, fee_account=account)
    assert body["Line"][0]["SalesItemLineDetail"]["ItemRef"] == {"value": "21"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fee_account": ""}, "set fee_account"),
        ({"fee_account": "Fines"}, "'Fines' is no active product"),
        ({"fee_account": "21", "fee_tax": "VAT"}, "'VAT' is no tax code"),
    ],
)
def test_set_up_that_is_missing_is_refused_with_a_remedy(
    options: dict[str, str], words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        connected(a_company(), **options).prepare(CHARGE, TODAY)


def test_what_quickbooks_cannot_do_is_unsupported() -> None:
    promise = SetExpectedDate(
        key="k", customer=CustomerId("1"), invoice=InvoiceId("7"), on=date(2026, 4, 1)
    )
    connector = connected(a_company())
    with pytest.raises(UnsupportedError) as caught:
        connector.prepare(promise, TODAY)
    assert caught.value.effect == "set_expected_date"
    assert "set_expected_date" not in connector.capabilities.effects


def written(company: CannedCompany, effect: LedgerEffect = CHARGE) -> Any:
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(effect, TODAY)
    company.requests.clear()
    return connector.write(prepared, vendor_key(effect.key, prepared.body)), prepared


def test_a_charge_is_sent_as_prepared_under_its_key() -> None:
    company = a_company()
    company.next = []
    receipt, prepared = written(company)
    (request,) = company.requests
    assert request.method == "POST" and request.url.path.endswith("/invoice")
    assert request.content == prepared.body
    assert request.url.params["requestid"] == vendor_key(CHARGE.key, prepared.body)
    assert (receipt.id, receipt.number) == ("501", "LF-ABCDEFGHIJKLMNOP")
    assert receipt.request_id == "tid-1" and not receipt.was_found


def test_a_note_has_a_key_too() -> None:
    company = a_company()
    receipt, _ = written(company, NOTE)
    assert "requestid" in company.requests[0].url.params
    assert company.requests[0].url.path.endswith("/attachable")
    assert receipt.id == "501"


def test_the_receipt_states_the_charge_without_tax() -> None:
    company = a_company()
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(CHARGE, TODAY)
    company.next = [
        answer(
            {
                "Invoice": {
                    "Id": "9",
                    "DocNumber": "1099",
                    "TotalAmt": 11.40,
                    "TxnTaxDetail": {"TotalTax": 1.90},
                }
            }
        )
    ]
    receipt = connector.write(prepared, "k")
    assert (receipt.number, receipt.amount) == ("1099", 950)


def test_a_lost_answer_is_repeated_with_the_same_bytes_and_key() -> None:
    company = a_company()
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(CHARGE, TODAY)
    company.requests.clear()
    company.next = [httpx.ReadTimeout("slow")]
    assert connector.write(prepared, "k").id == "501"
    # Before each repetition it is looked for.
    assert company.paths() == ["invoice", "query", "invoice"]
    sent = company.requests[::2]
    assert {(r.content, str(r.url)) for r in sent} == {(prepared.body, str(sent[0].url))}


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(503, content=b"<html>Service Unavailable</html>"),
        fault("10000", "An application error has occurred", status=500),
    ],
)
def test_an_answer_that_stays_lost_is_unknown(trouble: httpx.Response | Exception) -> None:
    company = a_company()
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(CHARGE, TODAY)
    company.next = [trouble] * 50
    with pytest.raises(OutcomeUnknownError):
        connector.write(prepared, "k")


@pytest.mark.parametrize(
    "turn",
    [
        fault("10000", "An application error has occurred"),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json={"time": "x"}),
    ],
)
def test_an_answer_that_proves_nothing_is_unknown(turn: httpx.Response) -> None:
    company = a_company()
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(CHARGE, TODAY)
    company.next = [turn]
    with pytest.raises(OutcomeUnknownError):
        connector.write(prepared, "k")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("5010", 400, StaleError),
        ("610", 400, StaleError),
        ("6210", 400, RefusedError),
        ("2500", 400, RefusedError),
        ("3100", 403, AuthorizationError),
    ],
)
def test_refusals_of_a_write(code: str, status: int, kind: type[Exception]) -> None:
    company = a_company()
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(CHARGE, TODAY)
    company.next = [fault(code, "No", status=status)]
    with pytest.raises(kind):
        connector.write(prepared, "k")


def a_fee_row(**fields: Any) -> dict[str, Any]:
    return {
        "Id": "77",
        "DocNumber": CHARGE.number,
        "PrivateNote": TAG,
        "TotalAmt": 9.5,
        "Balance": 9.5,
        **fields,
    }


def test_a_duplicate_number_of_ours_is_adopted() -> None:
    company = a_company()
    company.lists["Invoice"] = [a_fee_row()]
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(CHARGE, TODAY)
    company.next = [fault("6140", "Duplicate Document Number Error")]
    receipt = connector.write(prepared, "k")
    assert (receipt.id, receipt.was_found, receipt.amount) == ("77", True, 950)


@pytest.mark.parametrize("note", ["", TAG.replace("inv=7", "inv=8"), TAG + "9", None])
def test_a_duplicate_number_of_somebody_else_is_refused(note: str | None) -> None:
    company = a_company()
    company.lists["Invoice"] = [a_fee_row(PrivateNote=note)]
    connector = connected(company, fee_account="21")
    prepared = connector.prepare(CHARGE, TODAY)
    company.next = [fault("6140", "Duplicate Document Number Error")]
    with pytest.raises(RefusedError, match="not ours") as caught:
        connector.write(prepared, "k")
    assert caught.value.code == "6140"


def test_a_charge_is_found_by_number_and_tag_even_when_voided() -> None:
    company = a_company()
    connector = connected(company, fee_account="21")
    assert connector.find(CHARGE) is None
    company.lists["Invoice"] = [a_fee_row(PrivateNote=f"Voided - {TAG}", TotalAmt=0, Balance=0)]
    receipt = connector.find(CHARGE)
    assert receipt is not None and (receipt.id, receipt.was_found) == ("77", True)
    assert "DocNumber = 'LF-ABCDEFGHIJKLMNOP'" in company.queries[-1]


def test_a_note_is_found_by_its_mark() -> None:
    company = a_company()
    connector = connected(company)
    assert connector.find(NOTE) is None
    company.lists["Attachable"] = [
        {"Id": "5", "Note": "about [arb:ABCDEFGHIJKL]"},
        {"Id": "6", "Note": NOTE.text, "MetaData": {"CreateTime": "2026-03-02T01:00:00-08:00"}},
    ]
    receipt = connector.find(NOTE)
    assert receipt is not None and (receipt.id, receipt.at) == ("6", START)
    assert "Note like '[arb:ABCDEFGHIJKL]%'" in company.queries[-1]


def test_a_row_that_cannot_be_read_is_no_proof_of_absence() -> None:
    company = a_company()
    company.lists["Invoice"] = [{"DocNumber": CHARGE.number}]
    with pytest.raises(TransientError):
        connected(company).find(CHARGE)


def test_quotes_and_backslashes_do_not_end_a_value() -> None:
    assert quoted("O'Brien\\") == r"'O\'Brien\\'"


def test_the_library_s_own_calls_keep_the_address_s_query() -> None:
    """`send` builds `?sendTo=` into the address and passes parameters beside it."""
    from quickbooks.objects.invoice import Invoice

    from connectors.quickbooks.mount import MountedQuickBooks

    company = CannedCompany()
    api: MountedQuickBooks = connected(company)._api
    company.next = [answer({"Invoice": {}})]
    invoice = Invoice()
    invoice.Id = "9"
    invoice.send(qb=api, send_to="a@b.example")
    (request,) = company.requests
    assert request.url.params["sendTo"] == "a@b.example"
    assert request.url.path.endswith("/invoice/9/send")


def test_a_401_of_the_service_ends_as_a_wish_to_reconnect() -> None:
    company = a_company()
    clock = VirtualClock(START)
    company.next = [fault("3200", "AuthenticationFailed", status=401)]
    with pytest.raises(AuthorizationError, match="AuthenticationFailed"):
        connected(company, clock).check()


def test_a_fee_of_a_whole_account_has_a_line_for_each_invoice() -> None:
    lines = (
        ChargeLine(invoice=InvoiceId("7"), amount=600, description="On 107 [arb1 inv=7 sum=600]"),
        ChargeLine(invoice=InvoiceId("8"), amount=350, description="On 108 [arb1 inv=8 sum=350]"),
    )
    body = charge_body(
        msgspec.structs.replace(CHARGE, lines=lines),
        item="12",
        tax_code="",
        locked_through=None,
        is_us=True,
    )
    assert check_quickbooks("Invoice", body) == []
    written = json.loads(body)["Line"]
    assert [(line["Amount"], line["Description"]) for line in written] == [
        (6.0, "On 107 [arb1 inv=7 sum=600]"),
        (3.5, "On 108 [arb1 inv=8 sum=350]"),
    ]
