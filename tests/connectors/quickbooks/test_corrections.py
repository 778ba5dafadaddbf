"""What is set right afterwards in QuickBooks: bodies, lost answers, other people's work."""

import base64
import json
from datetime import date
from typing import Any

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.errors import HalfDoneError, OutcomeUnknownError, RefusedError, StaleError
from connectors.quickbooks import requests
from connectors.sandbox.faults import FaultOrder
from connectors.sandbox.rows import Allocation, PaymentRow
from rules.actions.effects import AttachFile, PostCharge, ReverseCharge, SendLedgerInvoice
from rules.actions.keys import vendor_key
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.quickbooks.canned import CannedCompany, answer, connected, fault
from tests.connectors.quickbooks.connected import Connected
from tests.sandbox.books import noon, small_book
from tests.vendor_schemas import check_quickbooks

TODAY = date(2026, 3, 10)
NUMBER = "LF-ABCDEFGHIJKLMNOP"
REVERSAL = ReverseCharge(
    key="fee_waiver/7/late#0:reverse_charge",
    customer=CustomerId("1"),
    number=NUMBER,
    document_id="77",
    currency="USD",
    reason="paid in time after all",
)
LETTER = AttachFile(
    key="letter/7#0:attach_file",
    customer=CustomerId("1"),
    invoice=InvoiceId("7"),
    filename="1. Mahnung \u00fc/7.pdf",
    content_type="application/pdf",
    content=b"%PDF\r\n--\xff\x00\r\n",
)


class Fee:
    """A fee of 40.10 in a sandbox, and what becomes of it."""

    def __init__(self, *faults: str, book: list[dict[str, Any]] | None = None) -> None:
        self.clock = VirtualClock(noon("2026-03-10"))
        self.connected = Connected(self.clock, book=book)
        self.connector = self.connected.connector
        self.ledger = self.connected.sandbox.ledger
        invoice = InvoiceId(self.connected.sandbox.vendor_id("invoice", "INV-1"))
        self.charge = PostCharge(
            key="late_fee/1#0:post_charge",
            customer=CustomerId(self.connected.sandbox.vendor_id("customer", "C1")),
            number=NUMBER,
            currency="USD",
            amount=4010,
            issued_on=TODAY,
            due_on=date(2026, 3, 24),
            invoice=invoice,
            invoice_number="INV-1",
            description="Late fee on INV-1",
            tag=f"arb1 inv={invoice} fee=late through=2026-03-10 key=late_fee/1",
            account="Late fee",
            tax="",
        )
        self.id = self.connector.write(self.connector.prepare(self.charge, TODAY), "fee").id
        for name in faults:
            self.order(name)

    def order(self, name: str, count: int = 1, skip: int = 0) -> None:
        self.connected.sandbox.faults.order(FaultOrder(name=name, count=count, skip=skip))

    def reversal(self, amount: int | None = None) -> ReverseCharge:
        return ReverseCharge(
            key=f"fee_waiver/{amount}#0:reverse_charge",
            customer=self.charge.customer,
            number=NUMBER,
            document_id=self.id,
            currency="USD",
            amount=amount,
        )

    def take_back(self, amount: int | None = None) -> Any:
        effect = self.reversal(amount)
        prepared = self.connector.prepare(effect, TODAY)
        return self.connector.write(prepared, vendor_key(effect.key, prepared.body))

    def pay(self, amount: int) -> None:
        row = PaymentRow(
            customer=self.charge.customer,
            currency="USD",
            on=TODAY,
            amount=amount,
            allocations=(Allocation(self.id, amount, TODAY),),
            **self.ledger.new_row("payment", "person"),
        )
        self.ledger.add("payment", row)

    @property
    def state(self) -> tuple[str, int]:
        row = self.ledger.invoices[self.id]
        return row.status, row.balance

    @property
    def credits(self) -> list[tuple[int, int]]:
        """Total and rest of the credit memos that we made."""
        rows = self.ledger.credits.values()
        return [(row.total, row.remaining) for row in rows if row.by == "client"]


def test_a_void_names_the_document_as_it_was_read() -> None:
    fee = Fee()
    prepared = fee.connector.prepare(fee.reversal(), TODAY)
    assert (prepared.path, prepared.params) == ("invoice", (("operation", "void"),))
    version = str(fee.ledger.invoices[fee.id].version)
    assert json.loads(prepared.body) == {"Id": fee.id, "SyncToken": version}
    assert check_quickbooks("Invoice", prepared.body, "delete") == []


def test_a_credit_memo_says_what_it_takes_back() -> None:
    body = requests.credit_body(REVERSAL, 1010, on=TODAY, item="21", tax_code="NON", is_us=True)
    assert json.loads(body) == {
        "DocNumber": requests.credit_number(REVERSAL),
        "CustomerRef": {"value": "1"},
        "CurrencyRef": {"value": "USD"},
        "TxnDate": "2026-03-10",
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": 10.1,
                "Description": "paid in time after all",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "21"},
                    "TaxCodeRef": {"value": "NON"},
                    "Qty": 1,
                    "UnitPrice": 10.1,
                },
            }
        ],
        "PrivateNote": f"arb1 credit=77 of={NUMBER} key={REVERSAL.key}",
    }
    assert b'"Amount":10.10,' in body and len(requests.credit_number(REVERSAL)) <= 21
    assert check_quickbooks("CreditMemo", body) == []
    abroad = requests.credit_body(REVERSAL, 1, on=TODAY, item="1", tax_code="6", is_us=False)
    assert json.loads(abroad)["GlobalTaxCalculation"] == "TaxExcluded"
    assert check_quickbooks("CreditMemo", abroad) == []


def test_a_payment_of_zero_links_both_sides() -> None:
    body = requests.application_body(
        customer="1", currency="USD", on="2026-03-10", document_id="77", credit_id="80", part=1010
    )
    value = json.loads(body)
    assert value["TotalAmt"] == 0
    assert [(line["Amount"], line["LinkedTxn"]) for line in value["Line"]] == [
        (10.1, [{"TxnId": "77", "TxnType": "Invoice"}]),
        (10.1, [{"TxnId": "80", "TxnType": "CreditMemo"}]),
    ]
    # The checker adds up all lines, those that bring the credit too: their sum is what it wants.
    assert check_quickbooks("Payment", value | {"TotalAmt": 20.2}) == []


def test_a_fee_on_which_nothing_was_paid_is_voided() -> None:
    fee = Fee()
    receipt = fee.take_back()
    assert (receipt.id, receipt.number, receipt.was_found) == (fee.id, NUMBER, False)
    assert fee.state == ("void", 0) and fee.credits == []


def test_a_part_paid_fee_is_credited_by_what_is_open() -> None:
    fee = Fee()
    fee.pay(1000)
    receipt = fee.take_back()
    assert receipt.amount == 3010 and receipt.number.startswith("LC-")
    assert fee.state == ("paid", 0) and fee.credits == [(3010, 0)]
    fee.take_back()
    assert fee.credits == [(3010, 0)]


def test_a_paid_fee_is_a_person_s_business() -> None:
    fee = Fee()
    fee.pay(4010)
    with pytest.raises(RefusedError, match="refund"):
        fee.take_back()


def test_more_than_is_open_stays_the_customer_s_credit() -> None:
    fee = Fee()
    fee.pay(3510)
    fee.take_back(2000)
    assert fee.state == ("paid", 0) and fee.credits == [(2000, 1500)]


def test_a_fee_of_a_closed_period_is_credited_after_it() -> None:
    fee = Fee()
    closed = FaultOrder(name="closed-period", on=date(2026, 3, 31))
    fee.connected.sandbox.faults.order(closed)
    fee.connector.check()
    fee.take_back()
    (row,) = [row for row in fee.ledger.credits.values() if row.by == "client"]
    assert (row.on, row.total, row.remaining) == (date(2026, 4, 1), 4010, 0)


def test_a_change_between_reading_and_voiding_means_decide_again() -> None:
    fee = Fee()
    prepared = fee.connector.prepare(fee.reversal(), TODAY)
    fee.pay(1000)
    with pytest.raises(StaleError):
        fee.connector.write(prepared, "k")
    assert fee.state == ("open", 3010)


def test_a_void_that_was_done_under_a_forgotten_key_is_adopted() -> None:
    fee = Fee()
    prepared = fee.connector.prepare(fee.reversal(), TODAY)
    fee.connector.write(prepared, "k")
    fee.clock.sleep(7200)
    fee.connected.sandbox.oauth.grant()
    assert fee.connector.write(prepared, "k").was_found
    with pytest.raises(RefusedError, match="void in QuickBooks already"):
        fee.take_back(100)


@pytest.mark.parametrize("fault_name", ["drop-after-commit", "http-500-after-commit"])
@pytest.mark.parametrize("amount", [None, 1010])
def test_a_lost_answer_takes_nothing_back_twice(fault_name: str, amount: int | None) -> None:
    fee = Fee(fault_name)
    fee.take_back(amount)
    assert fee.state == (("void", 0) if amount is None else ("open", 3000))
    assert fee.credits == ([] if amount is None else [(1010, 0)])


def test_an_application_that_was_not_done_is_made_up_for() -> None:
    fee = Fee()
    effect = fee.reversal(1010)
    prepared = fee.connector.prepare(effect, TODAY)
    fee.order("drop-before-commit", count=50, skip=1)
    with pytest.raises(OutcomeUnknownError):
        fee.connector.write(prepared, "k")
    assert fee.credits == [(1010, 1010)]
    with pytest.raises(HalfDoneError, match="but not"):
        fee.connector.find(effect)
    fee.connected.sandbox.faults.lift("drop-before-commit")
    fee.clock.sleep(7200)
    fee.connector.write(prepared, "k")
    assert fee.credits == [(1010, 0)] and fee.state == ("open", 3000)


def test_tax_on_top_goes_back_in_proportion() -> None:
    company = CannedCompany()
    company.info["Country"] = "GB"
    document = {
        "Id": "77", "SyncToken": "3", "DocNumber": NUMBER, "TxnDate": "2026-03-02",
        "TotalAmt": 120, "Balance": 60, "TxnTaxDetail": {"TotalTax": 20},
        "Line": [{"SalesItemLineDetail": {"ItemRef": {"value": "21"},
                                          "TaxCodeRef": {"value": "6"}}}],
    }  # fmt: skip
    company.next = [answer({"Invoice": document})]
    prepared = connected(company).prepare(REVERSAL, TODAY)
    body = json.loads(prepared.body)
    assert body["Line"][0]["Amount"] == 50
    assert body["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "6"}
    assert body["GlobalTaxCalculation"] == "TaxExcluded"
    assert check_quickbooks("CreditMemo", prepared.body) == []


def test_a_file_and_its_record_are_one_body() -> None:
    prepared = connected(CannedCompany()).prepare(LETTER, TODAY)
    assert prepared == connected(CannedCompany()).prepare(LETTER, TODAY)
    kind, _, boundary = prepared.content_type.partition("; boundary=")
    assert (prepared.path, kind) == ("upload", "multipart/form-data")
    parts = prepared.body.split(b"--" + boundary.encode())
    assert parts[0] == b"" and parts[3] == b"--\r\n"
    record = parts[1].partition(b"\r\n\r\n")[2]
    assert json.loads(record) == {
        "AttachableRef": [{"IncludeOnSend": False, "EntityRef": {"type": "Invoice", "value": "7"}}],
        "FileName": "1. Mahnung \u00fc_7.pdf",
        "ContentType": "application/pdf",
    }
    assert check_quickbooks("Attachable", record.strip()) == []
    assert b'name="file_content_01"; filename="1. Mahnung __7.pdf"' in parts[2]
    assert base64.b64decode(parts[2].partition(b"\r\n\r\n")[2]) == LETTER.content


def test_a_file_arrives_as_it_was() -> None:
    fee = Fee()
    letter = AttachFile(
        key=LETTER.key, customer=fee.charge.customer, invoice=fee.charge.invoice,
        filename=LETTER.filename, content_type=LETTER.content_type, content=LETTER.content,
    )  # fmt: skip
    fee.connector.write(fee.connector.prepare(letter, TODAY), "k")
    (row,) = fee.ledger.files[fee.charge.invoice].values()
    assert (row.content, row.content_type) == (LETTER.content, "application/pdf")
    assert row.name == "1. Mahnung \u00fc_7.pdf" and not row.is_for_customer


def test_a_file_that_is_refused_under_status_200_is_refused() -> None:
    company = CannedCompany()
    connector = connected(company)
    prepared = connector.prepare(LETTER, TODAY)
    inner = json.loads(fault("2500", "Invalid Reference Id").content)
    company.next = [answer({"AttachableResponse": [inner]})]
    with pytest.raises(RefusedError, match="Invalid Reference Id"):
        connector.write(prepared, "k")
    company.next = [answer({"AttachableResponse": []})]
    with pytest.raises(OutcomeUnknownError):
        connector.write(prepared, "k")


@pytest.mark.parametrize("to", ["", "ap+late@north.example"])
def test_a_mail_goes_where_it_is_told_under_its_key(to: str) -> None:
    company = CannedCompany()
    connector = connected(company)
    effect = SendLedgerInvoice(
        key="send/7#0", customer=CustomerId("1"), invoice=InvoiceId("7"), to=to
    )
    prepared = connector.prepare(effect, TODAY)
    assert prepared.body == b"" and prepared.content_type == "application/octet-stream"
    company.next = [answer({"Invoice": {"Id": "7"}})]
    receipt = connector.write(prepared, "key-1")
    (request,) = company.requests
    assert request.url.path.endswith("/invoice/7/send")
    assert request.url.params.get("sendTo", "") == to
    assert request.url.params["requestid"] == "key-1"
    assert request.url.params["minorversion"] == "75"
    assert request.headers["Content-Type"] == "application/octet-stream"
    assert request.content == b"" and receipt.id == "7"
    assert connector.find(effect) is None


def test_a_mail_whose_answer_stays_lost_is_unknown() -> None:
    company = CannedCompany()
    connector = connected(company)
    effect = SendLedgerInvoice(key="send/7#0", customer=CustomerId("1"), invoice=InvoiceId("7"))
    prepared = connector.prepare(effect, TODAY)
    company.next = [httpx.ReadTimeout("slow")] * 50
    with pytest.raises(OutcomeUnknownError):
        connector.write(prepared, "k")


def test_uploads_that_are_not_as_documented_are_refused() -> None:
    from tests.sandbox.qbo import caller, code

    client = caller("2026-03-10", small_book())
    path = client.path("upload")
    plain = client.client.post(path, content=b"x", headers={"Content-Type": "text/plain"})
    assert code(plain) == "2010"
    parts = {"file_content_01": ("a.pdf", b"%PDF", "application/pdf")}
    (each,) = client.client.post(path, files=parts).json()["AttachableResponse"]
    assert each["Fault"]["Error"][0]["code"] == "2020"
    named = {"FileName": "a.pdf", "ContentType": "application/pdf"}
    made = client.client.post(
        path,
        files={"file_metadata_01": ("r.json", json.dumps(named), "application/json"), **parts},
    )
    (each,) = made.json()["AttachableResponse"]
    assert each["Attachable"]["Size"] == 4
    assert check_quickbooks("Attachable", each["Attachable"], "response") == []
    assert client.client.post(client.path("invoice/1/send"), json={}).status_code == 415
