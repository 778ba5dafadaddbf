"""Every example in Xero's own description of what we read becomes values, or is passed over for
a reason: nothing of it is quarantined."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from connectors.xero import parse, rows, wire
from connectors.xero.rows import Context, RowReader
from tests.connectors.xero.samples import page
from tests.shared_material import shared

READERS: dict[str, tuple[str, RowReader[Any]]] = {
    "Contacts": ("ContactID", parse.customer),
    "Invoices": ("InvoiceID", parse.invoice),
    "Payments": ("PaymentID", parse.payment),
    "CreditNotes": ("CreditNoteID", parse.credit),
    "Overpayments": ("OverpaymentID", parse.credit),
    "Prepayments": ("PrepaymentID", parse.credit),
    "Quotes": ("QuoteID", parse.quote),
}
SHAPES: dict[str, type] = {
    "Accounts": wire.XeroAccount,
    "Actions": wire.XeroAction,
    "Attachments": wire.XeroAttachment,
    "ContactGroups": wire.XeroGroup,
    "HistoryRecords": wire.XeroHistory,
    "InvoiceReminders": wire.XeroReminders,
    "OnlineInvoices": wire.XeroOnlineInvoice,
    "Organisations": wire.XeroOrganisation,
    "TaxRates": wire.XeroTaxRate,
}
PATHS = (
    "/Contacts", "/Contacts/{ContactID}", "/Invoices", "/Invoices/{InvoiceID}", "/Payments",
    "/CreditNotes", "/Overpayments", "/Prepayments", "/Quotes", "/Accounts",
    "/Organisation/Actions", "/Invoices/{InvoiceID}/Attachments", "/ContactGroups",
    "/ContactGroups/{ContactGroupID}", "/Invoices/{InvoiceID}/History",
    "/Contacts/{ContactID}/History", "/InvoiceReminders/Settings",
    "/Invoices/{InvoiceID}/OnlineInvoice", "/Organisation", "/TaxRates",
)  # fmt: skip


@cache
def document() -> Any:
    text = shared("specs/xero/xero_accounting.yaml").read_text()
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def examples(path: str) -> Iterator[dict[str, Any]]:
    """The official answers to reads of one address."""
    answer = document()["paths"][path]["get"]["responses"]["200"]
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    yield json.loads(json.dumps(answer["content"]["application/json"]["example"], default=str))


@pytest.mark.parametrize("path", PATHS)
def test_official_answers_are_read(path: str) -> None:
    collections = set()
    for example in examples(path):
        for collection in example.keys() & (READERS.keys() | SHAPES.keys()):
            given = example[collection]
            content = json.dumps(example).encode()
            collections.add(collection)
            if collection in SHAPES:
                assert len(rows.listed(content, collection, SHAPES[collection])) == len(given)
                continue
            id_field, reader = READERS[collection]
            context = Context(base_currency="NZD")
            read = rows.rows(content, collection, id_field, reader, context)
            assert [bad.reason for bad in read.quarantined] == []
            assert read.seen == len(given)
    assert collections


def test_an_official_answer_is_one_page_of_a_list() -> None:
    (example, *_) = examples("/Invoices")
    read = rows.rows(
        page("Invoices", *example["Invoices"]), "Invoices", "InvoiceID", parse.invoice,
        Context(base_currency="NZD"),
    )  # fmt: skip
    assert read.records and not read.quarantined
