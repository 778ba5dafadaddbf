"""What a row that cannot be read still tells: whose it is, and which invoice it settles."""

from typing import Any

import pytest

from connectors.xero import parse
from connectors.xero.rows import Context, Rows, rows
from rules.model.ids import CustomerId
from tests.connectors.xero import samples
from tests.connectors.xero.lists_wire import Ledger
from tests.connectors.xero.samples import CONTACT, CONTEXT, INVOICE
from tests.connectors.xero.wires import START

BY_ID = {"Type": "ACCREC", "InvoiceID": INVOICE}
CREDIT = {
    "CreditNoteID": "n1",
    "Type": "ACCRECCREDIT",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": CONTACT},
    "Date": "2026-03-01",
    "CurrencyCode": "NZD",
    "Total": "abc",
}


def whose(collection: str, id_field: str, reader: Any, *given: Any, context: Any = CONTEXT) -> Any:
    read: Rows = rows(samples.page(collection, *given), collection, id_field, reader, context)
    return [(bad.customer, bad.invoices) for bad in read.quarantined]


@pytest.mark.parametrize("spoilt", [{"AmountDue": "abc"}, {"Total": None}, {"InvoiceNumber": []}])
def test_an_invoice_tells_its_contact(spoilt: dict[str, Any]) -> None:
    bad = samples.invoice(**spoilt)
    assert whose("Invoices", "InvoiceID", parse.invoice, bad) == [(CONTACT, ())]


def test_a_contact_is_its_own() -> None:
    bad = samples.contact(Phones="none")
    assert whose("Contacts", "ContactID", parse.customer, bad) == [(CONTACT, ())]


@pytest.mark.parametrize("spoilt", [{"Amount": None}, {"Amount": "abc"}, {"Date": 5}])
def test_a_payment_tells_its_contact_or_its_invoice(spoilt: dict[str, Any]) -> None:
    told = samples.payment(**spoilt)
    brief = samples.payment(Invoice=BY_ID, **spoilt)
    assert whose("Payments", "PaymentID", parse.payment, told, brief) == [
        (CONTACT, (INVOICE,)),
        ("", (INVOICE,)),
    ]
    known = Context(base_currency="NZD", owners={INVOICE: (CustomerId("c9"), "NZD")})
    assert whose("Payments", "PaymentID", parse.payment, brief, context=known) == [
        ("c9", (INVOICE,))
    ]


@pytest.mark.parametrize("total", ["abc", None])
def test_a_credit_note_tells_its_contact(total: str | None) -> None:
    bad = CREDIT | {"Total": total}
    assert whose("CreditNotes", "CreditNoteID", parse.credit, bad) == [(CONTACT, ())]


@pytest.mark.parametrize(
    "row",
    [
        5,
        "what?",
        None,
        [],
        {"Contact": 5},
        {"Contact": {"ContactID": {}}, "Invoice": [1]},
        {"Contact": {"ContactID": "a\0b"}, "Invoice": {"InvoiceID": "9" * 81}},
    ],
)
def test_looking_at_a_bad_row_never_fails(row: Any) -> None:
    assert whose("Invoices", "InvoiceID", parse.invoice, row) == [("", ())]


def test_money_that_cannot_be_read_just_before_acting_is_named() -> None:
    ledger = Ledger()
    ledger.put(
        "Payments",
        samples.payment(PaymentID="theirs", Amount="abc"),
        samples.payment(PaymentID="brief", Amount="abc", Invoice=BY_ID),
        samples.payment(
            PaymentID="others", Amount="abc", Invoice={**BY_ID, "Contact": {"ContactID": "c9"}}
        ),
        samples.payment(PaymentID="fine"),
    )
    ledger.put("CreditNotes", CREDIT)
    found = ledger.wire.connector().read_money([CustomerId(CONTACT)], START)
    assert [row.id for row in found.records] == ["fine"]
    assert {(row.entity, row.id, row.customer) for row in found.quarantined} == {
        ("payments", "theirs", CONTACT),
        ("payments", "brief", ""),
        ("credits", "n1", CONTACT),
    }
