"""What Xero sends becomes the book's values; odd values never cost a page."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.xero import parse
from connectors.xero.dates import DateError, instant_text, parse_day, parse_instant
from connectors.xero.rows import Context, Rows
from connectors.xero.rows import rows as rows_of
from rules.model.customer import Contact, Customer
from rules.model.payment import Allocation
from tests.connectors.xero import samples
from tests.connectors.xero.samples import CONTACT, CONTEXT, INVOICE, OTHER, contact, raw


def read(**changes: Any) -> Any:
    return parse.invoice(raw(samples.invoice(**changes)), CONTEXT)


def read_contact(**changes: Any) -> Customer:
    return parse.customer(raw(contact(**changes)), CONTEXT)


def rows(*given: dict[str, Any], **envelope: Any) -> Rows:
    content = samples.page("Invoices", *given, **envelope)
    return rows_of(content, "Invoices", "InvoiceID", parse.invoice, CONTEXT)


def test_an_invoice() -> None:
    invoice = read()
    assert (invoice.id, invoice.number, invoice.customer) == (INVOICE, "INV-0002", CONTACT)
    assert (invoice.issued_on, invoice.due_on) == (date(2018, 10, 20), date(2018, 12, 30))
    assert (invoice.total, invoice.tax, invoice.balance) == (4600, 600, 4010)
    assert (invoice.status, invoice.sent, invoice.reference) == ("open", True, "Order 7")
    assert not invoice.is_fee and invoice.fee_of is None


@pytest.mark.parametrize(
    "text",
    [
        "/Date(1546128000000+0000)/",
        "/Date(1546128000000)/",
        "/Date(1546128000000+1300)/",
        "2018-12-30T00:00:00",
        "2018-12-30 00:00:00",
        "2018-12-30",
        "2018-12-30T00:00:00Z",
    ],
)
def test_every_spelling_of_a_date_is_the_accounting_day(text: str) -> None:
    assert read(DueDate=text).due_on == date(2018, 12, 30)


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_null_due_date_is_no_due_date(nothing: str | None) -> None:
    assert read(DueDate=nothing).due_on is None


def test_dates_before_1970_and_instants() -> None:
    assert parse_day("/Date(-86400000)/") == date(1969, 12, 31)
    assert parse_instant("/Date(1541176592690+0000)/") == datetime(
        2018, 11, 2, 16, 36, 32, 690000, tzinfo=UTC
    )
    assert parse_instant("2018-11-02T16:36:32") == datetime(2018, 11, 2, 16, 36, 32, tzinfo=UTC)
    assert instant_text(datetime(2026, 1, 31, 9, 15, 0, 999, tzinfo=UTC)) == "2026-01-31T09:15:00Z"
    with pytest.raises(DateError):
        parse_day("soon")


def test_null_texts_are_empty_and_never_the_word_none() -> None:
    invoice = read(Reference=None, InvoiceNumber=None)
    assert (invoice.reference, invoice.number) == ("", "")


def test_unknown_enum_values_are_accepted() -> None:
    invoice = read(CurrencyCode="XYZ", LineAmountTypes="Sideways")
    assert invoice.currency == "XYZ"
    customer = read_contact(
        ContactStatus="RESTING",
        DefaultCurrency="XYZ",
        PaymentTerms={"Sales": {"Day": 5, "Type": "WHENITRAINS"}},
        TaxNumberType="TAXNUMBERTYPE/SSN",
    )
    assert (customer.currency, customer.terms_days, customer.is_active) == ("XYZ", None, False)


def test_a_name_longer_than_the_contract_is_accepted() -> None:
    assert read_contact(Name="n" * 256).name == "n" * 256


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("AUTHORISED", "open"),
        ("PAID", "paid"),
        ("VOIDED", "void"),
        ("DELETED", "deleted"),
        ("DRAFT", "draft"),
        ("SUBMITTED", "draft"),
    ],
)
def test_statuses(status: str, expected: str) -> None:
    assert read(Status=status).status == expected


@pytest.mark.parametrize(("said", "sent"), [(True, True), (False, None), (None, None)])
def test_not_sent_by_xero_means_unknown(said: bool | None, sent: bool | None) -> None:
    assert read(SentToContact=said).sent is sent


def test_bills_are_dropped() -> None:
    assert read(Type="ACCPAY") is None


def test_amounts_are_the_digits_of_the_number() -> None:
    invoice = parse.invoice(
        raw(samples.invoice()).replace(b'"AmountDue": 40.1', b'"AmountDue": 90071992547409.93'),
        CONTEXT,
    )
    assert invoice is not None and invoice.balance == 9007199254740993
    assert read(CurrencyCode="JPY", Total=1000.0, TotalTax=0, AmountDue=1000).total == 1000


def test_our_fee_documents_are_recognised() -> None:
    by_tag = read(Reference=f"arb1 inv={OTHER} fee=interest through=2026-07-01 key=k")
    assert by_tag.is_fee and by_tag.fee_of == OTHER
    by_number = read(InvoiceNumber="LF-ABCDEFGHIJKLMNOP")
    assert by_number.is_fee and by_number.fee_of is None


def test_the_expected_payment_date_is_kept() -> None:
    found = read(ExpectedPaymentDate="/Date(1546128000000+0000)/")
    assert found.expected_on == date(2018, 12, 30)
    assert found.dates == (("expected_payment", date(2018, 12, 30)),)


def test_one_bad_record_never_costs_the_page() -> None:
    page = rows(
        samples.invoice(InvoiceID="1"),
        samples.invoice(InvoiceID="2", AmountDue="lots"),
        samples.invoice(InvoiceID="3", Date="/Date(soon)/"),
        samples.invoice(InvoiceID="4", AmountDue=1.005),
        samples.invoice(InvoiceID="5", Contact=None),
        samples.invoice(InvoiceID="6", Status="AWAITINGSUNRISE"),
        samples.invoice(InvoiceID="7", Total=None),
        samples.invoice(InvoiceID="8", Date=None),
        samples.invoice(InvoiceID="9"),
        pagination={"page": 1, "pageSize": 1000, "pageCount": 3, "itemCount": 2009},
    )
    assert [record.id for record in page.records] == ["1", "9"]
    assert [(bad.entity, bad.id) for bad in page.quarantined] == [
        ("Invoices", str(number)) for number in range(2, 9)
    ]
    assert all(bad.reason for bad in page.quarantined)
    assert (page.seen, page.page_count, page.item_count) == (9, 3, 2009)


def test_a_row_that_is_no_record_is_quarantined_without_an_id() -> None:
    content = b'{"Invoices": ["what?", 5]}'
    page = rows_of(content, "Invoices", "InvoiceID", parse.invoice, CONTEXT)
    assert [bad.id for bad in page.quarantined] == ["", ""]


@pytest.mark.parametrize("content", [b"{}", b'{"Invoices": null}', b'{"Invoices": []}'])
def test_an_empty_page(content: bytes) -> None:
    assert rows_of(content, "Invoices", "InvoiceID", parse.invoice, CONTEXT).seen == 0


def test_a_contact() -> None:
    customer = read_contact(
        ContactPersons=[
            {"FirstName": "Wilma", "LastName": "F", "EmailAddress": "wilma@rubble.example",
             "IncludeInEmails": True},
            {"FirstName": "Dino", "EmailAddress": "dino@rubble.example", "IncludeInEmails": False},
            {"EmailAddress": "BARNEY@rubble.example", "IncludeInEmails": True},
        ],
        Phones=[{"PhoneType": "FAX", "PhoneNumber": "1"},
                {"PhoneType": "DEFAULT", "PhoneNumber": "847-1294", "PhoneAreaCode": "626"}],
        PaymentTerms={"Sales": {"Day": 20, "Type": "DAYSAFTERBILLDATE"}},
        ContactGroups=[{"Name": "VIP", "Status": "ACTIVE"}, {"Name": "Old", "Status": "DELETED"},
                       {"Name": "Credit hold", "Status": "ACTIVE"}],
        Addresses=[{"Country": "United States"}, {"Country": "nz"}],
    )  # fmt: skip
    assert customer.contacts == (
        Contact(name="Barney Rubble", email="barney@rubble.example"),
        Contact(name="Wilma F", email="wilma@rubble.example"),
    )
    assert (customer.phone, customer.terms_days, customer.country) == ("626 847-1294", 20, "NZ")
    assert customer.tags == ("VIP", "Credit hold") and customer.is_on_hold


def test_terms_that_are_no_count_of_days_from_the_invoice_are_left_out() -> None:
    terms = {"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    assert read_contact(PaymentTerms=terms).terms_days is None


def test_a_merged_contact_points_to_the_one_that_pays() -> None:
    customer = read_contact(ContactStatus="ARCHIVED", MergedToContactID=OTHER)
    assert customer.parent == OTHER and not customer.is_active


def test_a_payment_settles_its_invoice() -> None:
    payment = parse.payment(raw(samples.payment()), CONTEXT)
    assert payment is not None
    assert (payment.customer, payment.amount, payment.on) == (CONTACT, 590, date(2018, 11, 29))
    assert payment.allocations == (Allocation(INVOICE, 590, date(2018, 11, 29)),)
    assert payment.unapplied == 0 and payment.reversed_on is None


def test_a_deleted_payment_is_taken_back_on_the_day_of_the_change() -> None:
    payment = parse.payment(raw(samples.payment(Status="DELETED")), CONTEXT)
    assert payment is not None and payment.reversed_on == date(2018, 11, 29)


def test_a_payment_that_does_not_repeat_the_customer_takes_it_from_the_invoice() -> None:
    bare = {"InvoiceID": INVOICE, "Type": "ACCREC"}
    context = Context(base_currency="NZD", owners={INVOICE: (CONTACT, "GBP")})
    payment = parse.payment(raw(samples.payment(Invoice=bare)), context)
    assert payment is not None and (payment.customer, payment.currency) == (CONTACT, "GBP")


@pytest.mark.parametrize("kind", ["ACCPAYPAYMENT", "ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT"])
def test_refunds_and_payments_of_bills_are_dropped(kind: str) -> None:
    assert parse.payment(raw(samples.payment(PaymentType=kind)), CONTEXT) is None


def credit(**changes: Any) -> Any:
    row = {
        "Type": "ACCRECCREDIT",
        "CreditNoteID": OTHER,
        "CreditNoteNumber": "CN-1",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": CONTACT},
        "Date": "/Date(1551744000000+0000)/",
        "Total": 34.5,
        "RemainingCredit": 32.5,
        "CurrencyCode": "NZD",
        "Allocations": [
            {"Amount": 2.0, "Date": "2019-03-06", "Invoice": {"InvoiceID": INVOICE}},
            {"Amount": 1.0, "Invoice": {"InvoiceID": INVOICE}, "IsDeleted": True},
        ],
    }
    return parse.credit(raw(row | changes), CONTEXT)


def test_a_credit_note_with_its_allocations() -> None:
    note = credit()
    assert (note.id, note.number, note.kind) == (OTHER, "CN-1", "credit_note")
    assert (note.total, note.remaining) == (3450, 3250)
    assert note.allocations == (Allocation(INVOICE, 200, date(2019, 3, 6)),)


@pytest.mark.parametrize(
    ("id_field", "type", "kind"),
    [
        ("OverpaymentID", "RECEIVE-OVERPAYMENT", "overpayment"),
        ("OverpaymentID", "AROVERPAYMENT", "overpayment"),
        ("PrepaymentID", "RECEIVE-PREPAYMENT", "prepayment"),
        ("PrepaymentID", "ARPREPAYMENT", "prepayment"),
    ],
)
def test_money_paid_in_advance(id_field: str, type: str, kind: str) -> None:
    found = credit(**{"CreditNoteID": None, id_field: "X", "Type": type})
    assert (found.id, found.kind, found.remaining) == ("X", kind, 3250)


def test_credits_of_suppliers_and_drafts_are_dropped_and_void_ones_are_worth_nothing() -> None:
    assert credit(Type="ACCPAYCREDIT") is None
    assert credit(Type="SPEND-OVERPAYMENT") is None
    assert credit(Status="DRAFT") is None
    void = credit(Status="VOIDED")
    assert (void.total, void.remaining, void.allocations) == (0, 0, ())


def test_the_organisation() -> None:
    org = parse.organisation(
        samples.page(
            "Organisations",
            {"OrganisationID": OTHER, "Name": "Acme", "BaseCurrency": "NZD", "CountryCode": "NZ",
             "Timezone": "NEWZEALANDSTANDARDTIME", "Class": "BRANDNEWPLAN",
             "PeriodLockDate": "/Date(1546128000000+0000)/", "EndOfYearLockDate": "2018-03-31"},
        )
    )  # fmt: skip
    company = parse.company(org, "")
    assert (company.id, company.ledger, company.timezone) == (OTHER, "xero", "Pacific/Auckland")
    assert company.locked_through == date(2018, 12, 30)
    assert parse.company(org, "tenant").id == "tenant"


def test_the_postal_address_is_where_letters_go() -> None:
    street = {"AddressType": "STREET", "AddressLine1": "9 Quarry Road", "City": "Bedrock"}
    postal = {
        "AddressType": "POBOX",
        "AttentionTo": "Betty",
        "AddressLine1": "P O Box 1",
        "City": "Bedrock",
        "Region": "",
        "PostalCode": "1010",
        "Country": "New Zealand",
    }
    written = ("Attn: Betty", "P O Box 1", "Bedrock 1010", "New Zealand")
    assert read_contact(Addresses=[street, postal]).address == written
    empty = {"AddressType": "POBOX", "Country": "New Zealand"}
    assert read_contact(Addresses=[empty, street]).address == ("9 Quarry Road", "Bedrock")
    assert read_contact(Addresses=[empty]).address == ()
