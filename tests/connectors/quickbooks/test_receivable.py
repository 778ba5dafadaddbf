"""The whole receivable: what QuickBooks tells about an invoice besides what is owed."""

import csv
import json
from typing import Any

import msgspec
import pytest

from connectors.quickbooks import parse, wire
from connectors.quickbooks.answers import decoded, read_records
from connectors.quickbooks.countries import country_code
from rules.model.customer import Contact, Customer
from rules.model.estimate import Estimate
from tests.connectors.quickbooks.test_parse import NAMES, a_line, a_payment, read_invoice
from tests.shared_material import shared


@pytest.mark.parametrize(
    ("status", "mail", "sent", "viewed", "disputed"),
    [
        ("Viewed", "NotSet", True, True, False),
        ("Disputed", "EmailSent", True, False, True),
        ("Rejected", None, None, False, True),
        ("Delivery Error", "EmailSent", False, False, False),
        ("Error", "NotSet", False, False, False),
        ("Sent With ICN Error", "NotSet", False, False, False),
        ("Sent", "NotSet", True, False, False),
        ("Delivered", "NeedToSend", True, False, False),
        ("Accepted", None, True, False, False),
        ("Updated", "NotSet", None, False, False),
        ("Paid", "EmailSent", True, False, False),
        ("SomethingNew", "EmailSent", True, False, False),
        (None, "NotSet", None, False, False),
    ],
)
def test_what_became_of_the_invoice_at_the_customer_s(
    status: str | None, mail: str | None, sent: bool | None, viewed: bool, disputed: bool
) -> None:
    invoice = read_invoice(EInvoiceStatus=status, EmailStatus=mail)
    assert (invoice.sent, invoice.is_viewed, invoice.is_disputed) == (sent, viewed, disputed)


@pytest.mark.parametrize(
    "trouble", ["Missing Info", "Undeliverable", "Delivery Server Down", "Bounced Email"]
)
def test_a_mail_that_did_not_arrive_counts_more_than_anything(trouble: str) -> None:
    invoice = read_invoice(
        EInvoiceStatus="Viewed",
        EmailStatus="EmailSent",
        DeliveryInfo={"DeliveryType": "Email", "DeliveryErrorType": trouble},
    )
    assert invoice.sent is False and invoice.is_undelivered


def test_a_deposit_is_off_the_balance_already() -> None:
    invoice = read_invoice(Deposit=20.5, Balance=100, TotalAmt=120.5)
    assert (invoice.deposit, invoice.balance, invoice.total) == (2050, 10000, 12050)
    assert read_invoice(Deposit=0).deposit == 0


@pytest.mark.parametrize("way", ["TaxExcluded", "TaxInclusive", "NotApplicable", None])
def test_the_total_holds_the_tax_however_lines_are_stated(way: str | None) -> None:
    fields: dict[str, Any] = {"GlobalTaxCalculation": way, "TotalAmt": 120, "Balance": 120}
    if way != "NotApplicable":
        fields["TxnTaxDetail"] = {"TotalTax": 20}
    invoice = read_invoice(**fields)
    assert (invoice.total, invoice.tax) == (12000, 0 if way == "NotApplicable" else 2000)


def test_an_invoice_that_only_could_be_paid_by_itself_is_chased() -> None:
    assert not read_invoice(AutoPayEligible=True, SchedulePayEligible=True).pays_by_itself
    assert read_invoice(ScheduledPaymentId="sp-1").pays_by_itself


def test_an_invoice_that_is_void_no_more_is_open() -> None:
    assert read_invoice(PrivateNote="Voided, then entered again").status == "open"


def test_a_line_of_a_renamed_native_fee_item_is_known_by_its_item() -> None:
    names = msgspec.structs.replace(NAMES, fee_items=frozenset({"44"}))
    fee = a_line(15, ItemRef={"value": "44", "name": "Penalty"})
    goods = a_line(105.5, ItemRef={"value": "1", "name": "Coffee"})

    def read(*lines: dict[str, Any]) -> Any:
        raw = msgspec.Raw(json.dumps({**A_ROW, "Line": list(lines)}).encode())
        return parse.invoice(decoded(raw, wire.WireInvoice), names)

    assert (read(goods, fee).fee_lines, read(goods, fee).is_fee) == (1500, False)
    assert read(fee).is_fee and read(fee).fee_lines == 1500
    assert read(goods).fee_lines == 0


A_ROW = {
    "Id": "7",
    "TxnDate": "2026-01-05",
    "Balance": 120.5,
    "TotalAmt": 120.5,
    "CustomerRef": {"value": "1"},
}


def a_customer(**fields: Any) -> Customer:
    row = {"Id": "2", "DisplayName": "North", **fields}
    return parse.customer(msgspec.convert(row, wire.WireCustomer), NAMES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GBR", "GB"),
        ("gb", "GB"),
        ("United Kingdom", "GB"),
        ("USA", "US"),
        ("UK", "GB"),
        (" deu ", "DE"),
        ("Republic of Ireland", "IE"),
        ("Narnia", ""),
        ("XX", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_country_is_told_where_it_is_certain(text: str | None, code: str) -> None:
    assert a_customer(BillAddr={"Line1": "1 High Street", "Country": text}).country == code
    assert country_code(text) == code


def test_no_address_is_no_country() -> None:
    assert a_customer().country == "" and a_customer(BillAddr=None).country == ""


def test_the_person_at_the_customer_is_named_without_a_second_address() -> None:
    mail = {"Address": "ann@north.example"}
    customer = a_customer(GivenName="Ann", FamilyName="Lee", PrimaryEmailAddr=mail)
    assert customer.contacts == (Contact(name="Ann Lee", email="ann@north.example", roles=()),)
    assert a_customer(GivenName="Ann").contacts == ()
    assert a_customer(PrimaryEmailAddr=mail).contacts == ()


def an_estimate(**fields: Any) -> Estimate:
    row = {
        "Id": "8",
        "DocNumber": "Q-8",
        "CustomerRef": {"value": "1"},
        "TxnDate": "2026-02-01",
        "ExpirationDate": "2026-03-01",
        "TotalAmt": 1200,
        **fields,
    }
    return parse.estimate(msgspec.convert(row, wire.WireEstimate, strict=False), NAMES)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"TxnStatus": "Pending"}, "open"),
        ({"TxnStatus": "Accepted"}, "accepted"),
        ({"TxnStatus": "Closed"}, "invoiced"),
        ({"TxnStatus": "Rejected"}, "declined"),
        ({"TxnStatus": "Converted to something new"}, "open"),
        ({}, "open"),
        (
            {"TxnStatus": "Accepted", "LinkedTxn": [{"TxnId": "9", "TxnType": "Invoice"}]},
            "invoiced",
        ),
        ({"TotalAmt": 0, "PrivateNote": "Voided"}, "void"),
    ],
)
def test_an_estimate_and_what_became_of_it(fields: dict[str, Any], status: str) -> None:
    estimate = an_estimate(**fields)
    assert estimate.status == status
    assert (estimate.id, estimate.number, estimate.currency) == ("8", "Q-8", "USD")
    assert str(estimate.expires_on) == "2026-03-01" and estimate.deposit == 0


def test_an_estimate_needs_a_total_and_a_customer() -> None:
    with pytest.raises(parse.RecordError, match="TotalAmt"):
        an_estimate(TotalAmt=None)
    with pytest.raises(parse.RecordError, match="CustomerRef"):
        an_estimate(CustomerRef=None)
    assert an_estimate(ExpirationDate=None).expires_on is None


def test_a_voided_payment_is_worth_nothing() -> None:
    payment = a_payment(TotalAmt=0, UnappliedAmt=0, PrivateNote="Voided", Line=[])
    assert (payment.amount, payment.unapplied) == (0, 0)


def seeds(table: str) -> list[dict[str, str]]:
    path = shared(f"specs/quickbooks/samples/fivetran_seeds/{table}_data.csv")
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def read_all(page: str, shape: type, reader: Any, wired: list[dict[str, Any]]) -> list[Any]:
    records = [msgspec.Raw(json.dumps(row).encode()) for row in wired]
    good, bad = read_records(page, records, shape, reader, NAMES)
    assert [(row.id, row.reason) for row in bad] == []
    return good


def test_invoices_of_real_books_are_read() -> None:
    wired = [
        {
            "Id": row["id"],
            "DocNumber": row["doc_number"],
            "TxnDate": row["transaction_date"],
            "DueDate": row["due_date"],
            "Balance": row["balance"],
            "TotalAmt": row["total_amount"],
            "TxnTaxDetail": {"TotalTax": row["total_tax"] or None},
            "CurrencyRef": {"value": row["currency_id"]},
            "CustomerRef": {"value": row["customer_id"]},
            "EmailStatus": row["email_status"],
            "Deposit": row["deposit"] or None,
            "BillEmail": {"Address": row["billing_email"]},
            "DeliveryInfo": {"DeliveryType": row["delivery_type"]},
        }
        for row in seeds("invoice")
        if row["_fivetran_deleted"] == "FALSE"
    ]
    invoices = read_all("invoices", wire.WireInvoice, parse.invoice, wired)
    assert len(invoices) == len(wired) >= 5
    assert all(invoice.total >= invoice.balance >= 0 for invoice in invoices)


def test_payments_and_credits_of_real_books_are_read() -> None:
    def money(row: dict[str, str], **more: Any) -> dict[str, Any]:
        return {
            "Id": row["id"],
            "TxnDate": row["transaction_date"],
            "TotalAmt": row["total_amount"],
            "CustomerRef": {"value": row["customer_id"]},
            **more,
        }

    payments = [
        money(row, UnappliedAmt=row["unapplied_amount"] or None) for row in seeds("payment")
    ]
    credits = [
        money(row, RemainingCredit=row["remaining_credit"] or None) for row in seeds("credit_memo")
    ]
    assert len(read_all("payments", wire.WirePayment, parse.payment, payments)) >= 10
    assert len(read_all("credits", wire.WireCreditMemo, parse.credit, credits)) >= 10


def test_customers_of_real_books_are_read() -> None:
    wired = [
        {
            "Id": row["id"],
            "DisplayName": row["display_name"],
            "Active": row["active"].lower(),
            "BillWithParent": row["bill_with_parent"].lower() or None,
            "CustomerTypeRef": {"value": row["customer_type_id"]},
        }
        for row in seeds("customer")
    ]
    for row in wired:
        row["Active"] = row["Active"] == "true"
        row["BillWithParent"] = row["BillWithParent"] == "true"
    assert read_all("customers", wire.WireCustomer, parse.customer, wired)


def test_a_fault_sample_is_a_fault() -> None:
    from connectors.quickbooks.faults import faults

    sample = shared("specs/quickbooks/samples/fault_shape.json").read_bytes()
    (fault,) = faults(sample)
    assert (fault.message, fault.detail, fault.code) == ("<message>", "<detail>", "<code>")
    assert decoded(msgspec.Raw(b'{"Id":"1"}'), wire.WireStamp).id == "1"
