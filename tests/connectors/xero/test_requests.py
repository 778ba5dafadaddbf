"""Every body that we send is one that Xero's contract accepts, and says exactly what we mean."""

import json
from datetime import date

import pytest

from connectors.errors import RefusedError
from connectors.xero import reads, requests
from rules.model.ids import InvoiceId
from tests.connectors.xero.samples import CONTACT, INVOICE, OTHER, charge, hold, note
from tests.vendor_schemas import check_xero

READ_ONLY = {
    "HasAttachments", "HasErrors", "HasValidationErrors", "AmountDue", "Total", "TotalTax",
    "SubTotal", "IsDiscounted", "UpdatedDateUTC", "AmountPaid",
}  # fmt: skip


def test_a_note_about_one_invoice_is_on_the_invoice() -> None:
    prepared = requests.note(note(INVOICE))
    assert (prepared.method, prepared.path) == ("PUT", f"Invoices/{INVOICE}/History")
    assert json.loads(prepared.body) == {
        "HistoryRecords": [{"Details": "[arb:ABCDEFGHIJKL] reminder sent"}]
    }
    assert check_xero("HistoryRecords", prepared.body) == []


@pytest.mark.parametrize("invoices", [(), (INVOICE, OTHER)])
def test_a_note_about_none_or_several_is_on_the_contact(invoices: tuple[str, ...]) -> None:
    assert requests.note(note(*invoices)).path == f"Contacts/{CONTACT}/History"


def test_a_note_fits_and_keeps_its_mark() -> None:
    long = requests.note(note(INVOICE, text="[arb:ABCDEFGHIJKL] " + "ü" * 400))
    details = json.loads(long.body)["HistoryRecords"][0]["Details"]
    assert len(details) == 250 and details.startswith("[arb:ABCDEFGHIJKL]")


def test_a_late_fee_is_an_invoice_of_its_own() -> None:
    prepared = requests.charge(charge(), None)
    assert (prepared.method, prepared.path) == ("PUT", "Invoices")
    assert prepared.params == (("summarizeErrors", "false"),)
    assert json.loads(prepared.body) == {
        "Invoices": [
            {
                "Type": "ACCREC",
                "InvoiceNumber": "LF-ABCDEFGHIJKLMNOP",
                "Reference": charge().tag,
                "Contact": {"ContactID": CONTACT},
                "Date": "2026-07-01",
                "DueDate": "2026-07-15",
                "LineAmountTypes": "NoTax",
                "CurrencyCode": "NZD",
                "Status": "AUTHORISED",
                "LineItems": [
                    {
                        "Description": "Late payment interest on INV-0002",
                        "Quantity": 1,
                        "UnitAmount": 40.1,
                        "AccountCode": "270",
                        "TaxType": "NONE",
                    }
                ],
            }
        ]
    }
    assert check_xero("Invoices", prepared.body) == []


def test_the_amount_is_a_number_with_exactly_the_currency_s_digits() -> None:
    assert b'"UnitAmount":40.10,' in requests.charge(charge(), None).body
    assert b'"UnitAmount":4010,' in requests.charge(charge(currency="JPY"), None).body
    assert b'"UnitAmount":4.010,' in requests.charge(charge(currency="KWD"), None).body


def test_read_only_fields_are_never_sent() -> None:
    for prepared in (requests.charge(charge(), None), requests.note(note(INVOICE))):
        assert not any(f'"{name}"'.encode() in prepared.body for name in READ_ONLY)


def test_a_taxed_fee_costs_the_customer_what_was_shown() -> None:
    prepared = requests.charge(charge(tax="OUTPUT2"), None)
    invoice = json.loads(prepared.body)["Invoices"][0]
    assert invoice["LineAmountTypes"] == "Inclusive"
    assert invoice["LineItems"][0]["TaxType"] == "OUTPUT2"
    assert check_xero("Invoices", prepared.body) == []


def test_a_draft_stays_a_draft() -> None:
    body = requests.charge(charge(is_draft=True), None).body
    assert json.loads(body)["Invoices"][0]["Status"] == "DRAFT"


@pytest.mark.parametrize(
    ("locked", "dated", "due"),
    [
        (None, "2026-07-01", "2026-07-15"),
        (date(2026, 6, 30), "2026-07-01", "2026-07-15"),
        (date(2026, 7, 1), "2026-07-02", "2026-07-16"),
        (date(2026, 7, 31), "2026-08-01", "2026-08-15"),
    ],
)
def test_a_fee_is_dated_after_the_lock_date(locked: date | None, dated: str, due: str) -> None:
    invoice = json.loads(requests.charge(charge(), locked).body)["Invoices"][0]
    assert (invoice["Date"], invoice["DueDate"]) == (dated, due)


def test_every_problem_of_a_fee_is_named_at_once() -> None:
    with pytest.raises(RefusedError) as refused:
        requests.charge(charge(account="", tax="", tag="arb1 " + "k" * 300), None)
    assert len(refused.value.problems) == 3
    assert "fee_account" in str(refused.value) and "fee_tax" in str(refused.value)


def test_a_hold_is_a_contact_group() -> None:
    on, off = requests.hold(hold()), requests.hold(hold(is_on=False))
    assert (on.method, on.path) == ("PUT", "ContactGroups/{group}/Contacts")
    assert check_xero("Contacts", on.body) == []
    assert (off.method, off.path, off.body) == (
        "DELETE",
        f"ContactGroups/{{group}}/Contacts/{CONTACT}",
        b"",
    )
    assert check_xero("ContactGroups", requests.new_group("Credit hold").body) == []
    assert requests.held_customer(on) == requests.held_customer(off) == CONTACT


def test_the_same_effect_gives_the_same_bytes() -> None:
    assert requests.charge(charge(), None) == requests.charge(charge(), None)


def test_ids_of_a_batch_fit_into_a_query() -> None:
    read = reads.invoices_by_id([InvoiceId(INVOICE)] * reads.READ_BATCH)
    query = "%2C".join(read.arguments["i_ds"])
    assert len(f"IDs={query}&page=1&pageSize={reads.PAGE_SIZE}") < 2048
