"""Bodies of what is set right afterwards: reversals, expected dates, files, mails."""

import json
from datetime import date

import pytest

from connectors.errors import RefusedError
from connectors.xero import requests, reversal_requests
from rules.actions.effects import AttachFile, SendLedgerInvoice, SetExpectedDate
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero.samples import CONTACT, INVOICE, OTHER, charge, reversal
from tests.connectors.xero.wires import answering, ok
from tests.vendor_schemas import check_xero

ON = date(2026, 7, 20)
PROMISE = SetExpectedDate(
    key="promise/1#0", customer=CustomerId(CONTACT), invoice=InvoiceId(INVOICE), on=ON
)


def letter(filename: str = "letter.pdf", content: bytes = b"%PDF\xff\x00") -> AttachFile:
    return AttachFile(
        key="letter/1#0",
        customer=CustomerId(CONTACT),
        invoice=InvoiceId(INVOICE),
        filename=filename,
        content_type="application/pdf",
        content=content,
    )


def mail(to: str = "") -> SendLedgerInvoice:
    return SendLedgerInvoice(
        key="send/1#0", customer=CustomerId(CONTACT), invoice=InvoiceId(INVOICE), to=to
    )


@pytest.mark.parametrize(("is_draft", "status"), [(False, "VOIDED"), (True, "DELETED")])
def test_a_fee_is_taken_back_by_its_status_and_nothing_else(is_draft: bool, status: str) -> None:
    prepared = reversal_requests.void(reversal(), is_draft=is_draft)
    assert (prepared.method, prepared.path) == ("POST", f"Invoices/{OTHER}")
    assert prepared.params == (("unitdp", "4"),)
    assert json.loads(prepared.body) == {"Invoices": [{"InvoiceID": OTHER, "Status": status}]}
    assert check_xero("Invoices", prepared.body) == []


def test_a_credit_note_says_what_it_takes_back() -> None:
    prepared = reversal_requests.credit(
        reversal(), 1010, on=ON, account="270", tax="NONE", is_taxed=False
    )
    assert (prepared.method, prepared.path) == ("PUT", "CreditNotes")
    assert prepared.params == (("summarizeErrors", "false"),)
    assert json.loads(prepared.body) == {
        "CreditNotes": [
            {
                "Type": "ACCRECCREDIT",
                "CreditNoteNumber": reversal_requests.credit_number(reversal()),
                "Reference": f"arb1 credit={OTHER} of=LF-ABCDEFGHIJKLMNOP key={reversal().key}",
                "Contact": {"ContactID": CONTACT},
                "Date": "2026-07-20",
                "LineAmountTypes": "NoTax",
                "CurrencyCode": "NZD",
                "Status": "AUTHORISED",
                "LineItems": [
                    {
                        "Description": "paid in time after all",
                        "Quantity": 1,
                        "UnitAmount": 10.1,
                        "AccountCode": "270",
                        "TaxType": "NONE",
                    }
                ],
            }
        ]
    }
    assert b'"UnitAmount":10.10,' in prepared.body
    assert check_xero("CreditNotes", prepared.body) == []
    assert reversal_requests.credited(prepared).document_id == OTHER


def test_each_reversal_has_a_number_of_its_own() -> None:
    first = reversal_requests.credit_number(reversal())
    assert first.startswith("LC-") and len(first) == 19
    assert first == reversal_requests.credit_number(reversal(reason="other words"))
    assert first != reversal_requests.credit_number(reversal(key="fee_waiver/2#0"))
    assert first != reversal_requests.credit_number(reversal(document_id=INVOICE))


def test_a_tag_that_does_not_fit_is_refused_before_it_is_cut() -> None:
    with pytest.raises(RefusedError, match="Reference takes 255"):
        reversal_requests.credit(
            reversal(key="k" * 250), 1, on=ON, account="270", tax="NONE", is_taxed=False
        )


def test_an_allocation_names_the_document_the_day_and_the_part() -> None:
    prepared = reversal_requests.allocation(INVOICE, OTHER, 1010, "NZD", "2026-07-20")
    assert (prepared.method, prepared.path) == ("PUT", f"CreditNotes/{INVOICE}/Allocations")
    assert json.loads(prepared.body) == {
        "Allocations": [{"Amount": 10.1, "Date": "2026-07-20", "Invoice": {"InvoiceID": OTHER}}]
    }
    assert check_xero("Allocations", prepared.body) == []


def test_an_expected_date_comes_without_lines() -> None:
    prepared = requests.expected_date(PROMISE)
    assert (prepared.method, prepared.path) == ("POST", f"Invoices/{INVOICE}")
    assert json.loads(prepared.body) == {
        "Invoices": [{"InvoiceID": INVOICE, "ExpectedPaymentDate": "2026-07-20"}]
    }
    assert check_xero("Invoices", prepared.body) == []


@pytest.mark.parametrize(
    ("filename", "path"),
    [
        ("letter.pdf", "letter.pdf"),
        ("1st reminder + ü.pdf", "1st%20reminder%20%2B%20%C3%BC.pdf"),
        ("../a?b#c.pdf", ".._a_b%23c.pdf"),
        ("a\r\nb.pdf", "a__b.pdf"),
    ],
)
def test_a_file_goes_out_as_it_is_under_a_name_that_xero_takes(filename: str, path: str) -> None:
    prepared = requests.attachment(letter(filename))
    assert prepared.method == "PUT"
    assert prepared.path == f"Invoices/{INVOICE}/Attachments/{path}"
    assert prepared.params == (("IncludeOnline", "false"),)
    assert prepared.content_type == "application/octet-stream"
    assert prepared.body == b"%PDF\xff\x00"


@pytest.mark.parametrize("file", [letter(""), letter("///"), letter(content=b"")])
def test_a_file_without_name_or_content_is_refused(file: AttachFile) -> None:
    with pytest.raises(RefusedError, match="no name or no content"):
        requests.attachment(file)


def test_a_file_on_the_wire() -> None:
    wire = answering(ok(Attachments=[{"AttachmentID": "a-1", "FileName": "1 + ü.pdf"}]))
    connector = wire.connector()
    receipt = connector.write(connector.prepare(letter("1 + ü.pdf"), ON), "key-1")
    (request,) = wire.requests
    assert request.url.raw_path.endswith(b"/Attachments/1%20%2B%20%C3%BC.pdf?IncludeOnline=false")
    assert request.headers["Content-Type"] == "application/octet-stream"
    assert request.headers["Idempotency-Key"] == "key-1"
    assert request.content == b"%PDF\xff\x00" and receipt.id == "a-1"


def test_a_mail_has_an_empty_body_and_no_address() -> None:
    prepared = requests.mail(mail())
    assert (prepared.method, prepared.path) == ("POST", f"Invoices/{INVOICE}/Email")
    assert prepared.body == b"{}"
    with pytest.raises(RefusedError, match="to its contact only"):
        requests.mail(mail("ap@north.example"))


def test_a_mail_leaves_no_mark_to_find() -> None:
    wire = answering(ok())
    assert wire.connector().find(mail()) is None
    assert wire.requests == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"AmountDue": 40.1}, "partly paid"),
        ({"AmountDue": 0, "Status": "PAID"}, "is PAID"),
        ({"Date": "/Date(1751241600000+0000)/"}, "locked through 2025-06-30"),
    ],
)
def test_a_date_that_xero_would_refuse_is_refused_before(
    fields: dict[str, object], words: str
) -> None:
    row = {"InvoiceID": INVOICE, "InvoiceNumber": "INV-2", "Status": "AUTHORISED",
           "Total": 46.0, "AmountDue": 46.0, "Date": "/Date(1782864000000+0000)/"}  # fmt: skip
    wire = answering(ok(Invoices=[row | fields]))
    wire._organisation = wire._organisation | {"PeriodLockDate": "/Date(1751241600000+0000)/"}
    with pytest.raises(RefusedError, match=words):
        wire.connector().prepare(PROMISE, ON)
    assert [request.method for request in wire.requests] == ["GET"]


def test_the_fee_s_own_account_and_tax_are_taken_back() -> None:
    document = {
        "InvoiceID": OTHER, "InvoiceNumber": charge().number, "Status": "AUTHORISED",
        "Total": 46.0, "AmountDue": 16.0, "Date": "/Date(1782864000000+0000)/",
        "LineAmountTypes": "Inclusive",
        "LineItems": [{"AccountCode": "271", "TaxType": "OUTPUT2"}],
    }  # fmt: skip
    wire = answering(ok(Invoices=[document]), ok(CreditNotes=[]))
    prepared = wire.connector().prepare(reversal(), ON)
    (note,) = json.loads(prepared.body)["CreditNotes"]
    assert note["LineAmountTypes"] == "Inclusive"
    assert note["LineItems"][0] == {
        "Description": "paid in time after all", "Quantity": 1, "UnitAmount": 16.0,
        "AccountCode": "271", "TaxType": "OUTPUT2",
    }  # fmt: skip
    assert check_xero("CreditNotes", prepared.body) == []
