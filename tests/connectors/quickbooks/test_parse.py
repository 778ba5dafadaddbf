"""From QuickBooks' bytes to the book: tolerant of what is odd, loud about what is broken."""

import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from connectors.errors import TransientError
from connectors.quickbooks import parse, wire
from connectors.quickbooks.answers import decoded, instant, one, read_records, rows
from connectors.quickbooks.custom_fields import date_fields
from connectors.quickbooks.wire import CustomField
from rules.model.invoice import Invoice
from tests.connectors.quickbooks.canned import an_invoice
from tests.shared_material import shared

NAMES = parse.Names(currency="USD", customer_types={"5": "vip"}, terms_days={"3": 30})


def read_invoice(**fields: Any) -> Invoice:
    raw = msgspec.Raw(json.dumps(an_invoice(7, **fields)).encode())
    return parse.invoice(decoded(raw, wire.WireInvoice), NAMES)


def test_a_plain_invoice() -> None:
    invoice = read_invoice(TxnTaxDetail={"TotalTax": 20.5}, BillEmail={"Address": "a@b.example"})
    assert (invoice.id, invoice.number, invoice.customer) == ("7", "107", "1")
    assert (invoice.total, invoice.tax, invoice.balance) == (12050, 2050, 12050)
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 1, 5), date(2026, 2, 4))
    assert (invoice.status, invoice.sent, invoice.email) == ("open", True, "a@b.example")


def test_money_is_exact_and_in_the_currency_s_own_digits() -> None:
    page = b'{"QueryResponse":{"Invoice":[%s]}}'
    text = json.dumps(an_invoice(7, CurrencyRef={"value": "JPY"})).encode()
    text = text.replace(b"120.5", b"1100.0")
    page %= text
    good, bad = read_records(
        "invoices", rows(page, "Invoice").records, wire.WireInvoice, parse.invoice, NAMES
    )
    assert good[0].total == 1100 and not bad
    assert read_invoice(Balance="0.29", TotalAmt="0.29").balance == 29


@pytest.mark.parametrize("due", [None, ""])
def test_no_due_date_is_no_trouble(due: str | None) -> None:
    assert read_invoice(DueDate=due).due_on is None


@pytest.mark.parametrize(
    ("status", "delivery", "sent"),
    [
        ("EmailSent", None, True),
        ("NeedToSend", None, False),
        ("NotSet", None, None),
        (None, None, None),
        ("SomethingNew", None, None),
        ("EmailSent", {"DeliveryErrorType": "Bounced Email"}, False),
        ("EmailSent", {"DeliveryType": "Email"}, True),
    ],
)
def test_sent_is_true_false_or_unknown(
    status: str | None, delivery: dict[str, str] | None, sent: bool | None
) -> None:
    assert read_invoice(EmailStatus=status, DeliveryInfo=delivery).sent is sent


def test_nothing_but_the_needed_has_to_be_there() -> None:
    raw = msgspec.convert(
        {
            "Id": "7",
            "TxnDate": "2026-01-05",
            "Balance": 1,
            "TotalAmt": 1,
            "CustomerRef": {"value": "1"},
            "NewThing": {"a": [1]},
        },
        wire.WireInvoice,
    )
    invoice = parse.invoice(raw, NAMES)
    assert (invoice.number, invoice.currency, invoice.sent) == ("7", "USD", None)


def test_our_own_fee_documents_are_recognised_by_tag_or_number() -> None:
    tag = "arb1 inv=130 fee=late through=2026-02-28 key=late_fee/130/late/2026-02"
    ours = read_invoice(PrivateNote=tag, DocNumber="LF-ABCDEFGHIJKLMNOP")
    assert (ours.is_fee, ours.fee_of) == (True, "130")
    by_number = read_invoice(DocNumber="LF-ABCDEFGHIJKLMNOP")
    assert (by_number.is_fee, by_number.fee_of) == (True, None)
    assert not read_invoice(DocNumber="LF-12").is_fee
    voided = read_invoice(PrivateNote=f"Voided - {tag}", Balance=0, TotalAmt=0)
    assert (voided.status, voided.fee_of) == ("void", "130")


def a_line(amount: Any, **detail: Any) -> dict[str, Any]:
    description = detail.pop("Description", None)
    return {
        "Amount": amount,
        "Description": description,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
    }


@pytest.mark.parametrize(
    "fee",
    [
        a_line(15, ItemRef={"value": "9", "name": "Late fee"}),
        a_line("15.00", Description="Late Fees for February", ItemRef={"value": "9"}),
        a_line(15, ItemRef={"value": "9"}, ItemAccountRef={"name": "Late fee income"}),
    ],
)
def test_late_fee_lines_of_quickbooks_itself_are_counted(fee: dict[str, Any]) -> None:
    goods = a_line(105.5, ItemRef={"value": "1", "name": "Chocolate coffee"})
    total = {"Amount": 120.5, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    mixed = read_invoice(Line=[goods, fee, total])
    assert (mixed.fee_lines, mixed.is_fee) == (1500, False)
    assert read_invoice(Line=[fee, total]).is_fee


def test_lateness_alone_is_no_fee() -> None:
    line = a_line(15, Description="Late feed delivery", ItemRef={"value": "1", "name": "Plate"})
    assert read_invoice(Line=[line]).fee_lines == 0


def test_a_scheduled_payment_is_not_chased() -> None:
    assert read_invoice(ScheduledPaymentId="88").pays_by_itself
    assert not read_invoice(AutoPayEligible=True).pays_by_itself


def test_a_purchase_order_is_a_custom_field() -> None:
    fields = [{"Name": "Crew #", "StringValue": "1"}, {"Name": "P.O. Number", "StringValue": "X9"}]
    assert read_invoice(CustomField=fields).po == "X9"


def test_custom_fields_that_read_as_dates_are_dates() -> None:
    fields = [
        {"Name": "Work date", "StringValue": "2026-09-01"},
        {"Name": "Delivered", "StringValue": "9/13/2026"},
        {"Name": "Crew #", "StringValue": "12"},
        {"Name": "Inspected", "StringValue": "next week"},
    ]
    assert read_invoice(CustomField=fields).dates == (
        ("delivered", date(2026, 9, 13)),
        ("work_date", date(2026, 9, 1)),
    )


@pytest.mark.parametrize(
    ("currency", "read"),
    [("USD", date(2026, 9, 5)), ("GBP", date(2026, 5, 9)), ("CAD", None), ("", None)],
)
def test_a_date_that_may_be_two_is_read_as_people_there_write_it(
    currency: str, read: date | None
) -> None:
    field = CustomField(name="Work date", string_value="09/05/2026")
    assert date_fields([field], currency) == ((("work_date", read),) if read else ())


def test_a_customer_and_its_paying_parent() -> None:
    row = {
        "Id": "2",
        "DisplayName": "Branch",
        "PrimaryEmailAddr": {"Address": "b@b.example"},
        "PrimaryPhone": {"FreeFormNumber": "555"},
        "CustomerTypeRef": {"value": "5"},
        "SalesTermRef": {"value": "3"},
        "ParentRef": {"value": "1"},
        "BillWithParent": True,
        "Active": False,
    }
    customer = parse.customer(msgspec.convert(row, wire.WireCustomer), NAMES)
    assert (customer.parent, customer.tags, customer.terms_days) == ("1", ("vip",), 30)
    assert (customer.email, customer.phone, customer.is_active) == ("b@b.example", "555", False)
    row["BillWithParent"] = False
    assert parse.customer(msgspec.convert(row, wire.WireCustomer), NAMES).parent is None


def a_payment(**fields: Any) -> Any:
    row = {"Id": "9", "CustomerRef": {"value": "1"}, "TxnDate": "2026-02-01", **fields}
    return parse.payment(msgspec.convert(row, wire.WirePayment, strict=False), NAMES)


def test_a_payment_keeps_what_is_unapplied() -> None:
    linked = [{"TxnId": "67", "TxnType": "Invoice"}]
    payment = a_payment(
        TotalAmt=25, UnappliedAmt=5, Line=[{"Amount": 20, "LinkedTxn": linked}, {"Amount": None}]
    )
    assert (payment.amount, payment.unapplied) == (2500, 500)
    assert payment.allocations[0].invoice == "67"


def test_a_credit_applied_by_a_payment_of_zero_is_no_negative_credit() -> None:
    payment = a_payment(
        TotalAmt=0,
        UnappliedAmt=0,
        Line=[
            {"Amount": 50, "LinkedTxn": [{"TxnId": "67", "TxnType": "Invoice"}]},
            {"Amount": 50, "LinkedTxn": [{"TxnId": "68", "TxnType": "CreditMemo"}]},
        ],
    )
    assert payment.unapplied == 0 and payment.allocations[0].amount == 5000


def test_a_payment_entered_later_is_known_later() -> None:
    late = a_payment(TotalAmt=1, MetaData={"CreateTime": "2026-02-03T23:30:00-08:00"})
    assert late.known_on == date(2026, 2, 3)
    assert a_payment(TotalAmt=1, MetaData={"CreateTime": "2026-01-03T10:00:00Z"}).known_on is None


def test_a_credit_memo() -> None:
    row = {
        "Id": "4",
        "DocNumber": "C-4",
        "CustomerRef": {"value": "1"},
        "TxnDate": "2026-02-01",
        "TotalAmt": 50,
        "RemainingCredit": 12.5,
    }
    credit = parse.credit(msgspec.convert(row, wire.WireCreditMemo, strict=False), NAMES)
    assert (credit.total, credit.remaining, credit.kind) == (5000, 1250, "credit_note")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"TxnDate": None}, "TxnDate"),
        ({"DueDate": "31/12/2026"}, "DueDate"),
        ({"CustomerRef": None}, "CustomerRef"),
        ({"Balance": None}, "Balance"),
        ({"Balance": "a lot"}, "Balance"),
        ({"Balance": 1.005}, "decimals"),
        ({"Line": "none"}, "Line"),
    ],
)
def test_a_bad_record_is_named_and_the_others_go_on(fields: dict[str, Any], words: str) -> None:
    page = {"QueryResponse": {"Invoice": [an_invoice(1), an_invoice(2, **fields), an_invoice(3)]}}
    good, bad = read_records(
        "invoices",
        rows(json.dumps(page).encode(), "Invoice").records,
        wire.WireInvoice,
        parse.invoice,
        NAMES,
    )
    assert [invoice.id for invoice in good] == ["1", "3"]
    assert [row.id for row in bad] == ["2"]
    assert words in bad[0].reason


@pytest.mark.parametrize("content", [b"<html>busy</html>", b"", b"[]", b'{"time":"x"}'])
def test_something_else_never_passes_for_an_empty_page(content: bytes) -> None:
    with pytest.raises(TransientError):
        rows(content, "Invoice")


def test_an_empty_page_is_empty() -> None:
    page = rows(b'{"QueryResponse":{},"time":"2014-09-16T14:59:48.340-07:00"}', "Invoice")
    assert not page.records
    assert page.at == datetime(2014, 9, 16, 21, 59, 48, 340000, tzinfo=UTC)
    assert instant("not a time") is None


@pytest.mark.parametrize(
    ("sample", "status", "balance"),
    [
        ("invoice_130", "open", 36207),
        ("invoice_149", "open", 10000),
        ("invoice_voided_129", "void", 0),
    ],
)
def test_the_vendor_s_samples(sample: str, status: str, balance: int) -> None:
    content = shared(f"specs/quickbooks/samples/{sample}.json").read_bytes()
    invoice = parse.invoice(one(content, "Invoice", wire.WireInvoice), NAMES)
    assert (invoice.status, invoice.balance) == (status, balance)
    assert invoice.fee_lines == 0 and not invoice.is_fee


def test_the_vendor_s_other_samples() -> None:
    content = shared("specs/quickbooks/samples/payment_125.json").read_bytes()
    payment = parse.payment(one(content, "Payment", wire.WirePayment), NAMES)
    assert (payment.amount, payment.unapplied) == (2500, 0)
    assert payment.known_on == date(2014, 9, 16)
    content = shared("specs/quickbooks/samples/invoice_deleted.json").read_bytes()
    deleted = parse.invoice(one(content, "Invoice", wire.WireInvoice), NAMES)
    assert (deleted.id, deleted.status) == ("33", "deleted")
    content = shared("specs/quickbooks/samples/attachable_note.json").read_bytes()
    assert one(content, "Attachable", wire.WireAttachable).note == "This is an attached note."


def test_items_classes_and_the_location_tell_what_was_sold() -> None:
    def line(item: str, class_: str = "") -> dict[str, Any]:
        detail: dict[str, Any] = {"ItemRef": {"value": "1", "name": item}}
        if class_:
            detail["ClassRef"] = {"value": "9", "name": class_}
        return {"Amount": 10.0, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}

    invoice = read_invoice(
        Line=[line("Rent", "Retail"), line("Care"), line("Rent"), {"Amount": 30.0}],
        ClassRef={"value": "8", "name": "Services"},
        DepartmentRef={"value": "2", "name": "Leeds"},
    )
    assert invoice.items == ("Rent", "Care")
    assert invoice.tracking == ("Class: Services", "Class: Retail", "Location: Leeds")
    assert read_invoice(Line=[line("Rent")], DepartmentRef={"value": "2"}).tracking == ()


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (
            {"Line1": "North Ltd", "Line2": "1 High Street", "City": "Leeds", "PostalCode": "LS1"},
            ("1 High Street", "Leeds LS1"),
        ),
        (
            {
                "Line1": "12 Elm St",
                "City": "Reno",
                "CountrySubDivisionCode": "NV",
                "PostalCode": "89501",
                "Country": "USA",
            },
            ("12 Elm St", "Reno NV 89501", "USA"),
        ),
        ({"Country": "USA"}, ()),
        ({"Line1": "  ", "City": None}, ()),
    ],
)
def test_a_billing_address_is_one_for_a_letter(raw: dict[str, Any], lines: tuple[str, ...]) -> None:
    text = json.dumps({"Id": "1", "DisplayName": "North Ltd", "BillAddr": raw}).encode()
    known = parse.customer(decoded(msgspec.Raw(text), wire.WireCustomer), NAMES)
    assert known.address == lines
