"""No body of ours has a key that Xero's contract does not know, or one that is only for reading."""

import json
from datetime import date
from functools import cache
from typing import Any

import pytest

from connectors.port import Prepared
from connectors.xero import batching, requests, reversal_requests
from rules.actions.effects import SetExpectedDate
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero.samples import CONTACT, INVOICE, charge, hold, note, reversal
from tests.shared_material import shared
from tests.vendor_schemas import check_xero

FEE = requests.charge(charge(), None)
BODIES: dict[str, tuple[str, Prepared]] = {
    "note": ("HistoryRecords", requests.note(note(INVOICE))),
    "fee": ("Invoices", FEE),
    "taxed fee": ("Invoices", requests.charge(charge(tax="OUTPUT2"), None)),
    "draft fee": ("Invoices", requests.charge(charge(is_draft=True), date(2026, 7, 31))),
    "batch": ("Invoices", batching.prepare_batch([FEE, FEE])),
    "hold": ("Contacts", requests.hold(hold())),
    "group": ("ContactGroups", requests.new_group("Credit hold")),
    "void": ("Invoices", reversal_requests.void(reversal())),
    "credit": (
        "CreditNotes",
        reversal_requests.credit(
            reversal(), 350, on=date(2026, 7, 2), account="270", tax="OUTPUT2", is_taxed=True
        ),
    ),
    "allocation": (
        "Allocations",
        reversal_requests.allocation(CONTACT, INVOICE, 350, "NZD", "2026-07-02"),
    ),
    "promise": (
        "Invoices",
        requests.expected_date(
            SetExpectedDate(
                key="p#0",
                customer=CustomerId(CONTACT),
                invoice=InvoiceId(INVOICE),
                on=date(2026, 8, 1),
            )
        ),
    ),
}


@cache
def schemas() -> Any:
    document = json.loads(shared("specs/xero/xero_schemas_trimmed.json").read_text())
    return document["components"]["schemas"]


def complaints(value: Any, schema: Any, place: str) -> list[str]:
    """Unknown and read-only keys in a value, by the schema that it follows."""
    if "$ref" in schema:
        return complaints(value, schemas()[schema["$ref"].rpartition("/")[2]], place)
    if isinstance(value, list):
        found = [complaints(item, schema.get("items", {}), place) for item in value]
        return [text for texts in found for text in texts]
    if not isinstance(value, dict):
        return []
    known = schema.get("properties", {})
    said = []
    for name, item in value.items():
        if name not in known:
            said.append(f"{place}.{name} is not in the contract")
        elif known[name].get("readOnly"):
            said.append(f"{place}.{name} is only for reading")
        else:
            said += complaints(item, known[name], f"{place}.{name}")
    return said


@pytest.mark.parametrize("name", BODIES)
def test_a_body_holds_what_the_contract_lets_us_send(name: str) -> None:
    schema, prepared = BODIES[name]
    assert check_xero(schema, prepared.body) == []
    assert complaints(json.loads(prepared.body), schemas()[schema], schema) == []
    assert len(prepared.body) < batching.LARGEST


def test_the_look_is_strict() -> None:
    odd = {"Invoices": [{"AmountDue": 1, "Sort": 2, "LineItems": [{"Colour": "red"}]}]}
    assert complaints(odd, schemas()["Invoices"], "Invoices") == [
        "Invoices.Invoices.AmountDue is only for reading",
        "Invoices.Invoices.Sort is not in the contract",
        "Invoices.Invoices.LineItems.Colour is not in the contract",
    ]
