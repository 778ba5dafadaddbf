"""Xero with real receivables: what adds up, what is never served, what Xero's library reads."""

import json

import pytest

from tests.sandbox.books import COMPANY, grocers, small_book
from tests.sandbox.test_xero import LISTS, Xero


def test_the_answer_key_of_sample_books_is_never_served() -> None:
    book = [COMPANY, {**small_book()[1], "settled": "2026-05-05"},
            {**small_book()[4], "settled": "2026-05-05"}]  # fmt: skip
    xero = Xero(book, "2026-03-05")
    everything = "".join(xero.http.get(f"/{path}").text for path, _ in LISTS)
    assert "settled" not in everything and json.dumps("2026-05-05") not in everything


@pytest.mark.parametrize("day", ["2019-03-01", "2019-06-30", "2019-10-31"])
def test_every_invoice_adds_up(day: str) -> None:
    rows = Xero(grocers(), day).get("/Invoices", page="1", pageSize="1000")["Invoices"]
    assert rows
    for row in rows:
        settled = [
            *(part["Amount"] for part in row["Payments"]),
            *(part["AppliedAmount"] for part in (*row["CreditNotes"], *row["Overpayments"])),
        ]
        assert row["AmountPaid"] + row["AmountCredited"] == pytest.approx(sum(settled))
        assert row["Total"] - row["AmountPaid"] - row["AmountCredited"] == pytest.approx(
            row["AmountDue"], abs=1e-6
        )
        assert row["SubTotal"] + row["TotalTax"] == pytest.approx(row["Total"])


@pytest.mark.parametrize(("path", "schema"), LISTS)
def test_the_vendor_s_own_library_reads_the_answers(path: str, schema: str) -> None:
    """xero-python is strict: it refuses nulls, unknown values and long names."""
    from xero_python.accounting import models
    from xero_python.api_client import ModelFinder, deserialize

    body = Xero(grocers(), "2019-08-30").http.get(f"/{path}").json()
    read = deserialize(schema, body, ModelFinder(models))
    attribute = {"InvoiceReminders": "invoice_reminders", "TaxRates": "tax_rates",
                 "ContactGroups": "contact_groups", "CreditNotes": "credit_notes"}  # fmt: skip
    assert len(getattr(read, attribute.get(schema, schema.lower()))) == len(body[schema])
