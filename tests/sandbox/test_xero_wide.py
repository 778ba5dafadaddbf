"""Xero: quotes, deposits, contact persons, tracking, and rows that are kept until they change."""

from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.clock import VirtualClock
from tests.sandbox.books import noon, wide_book
from tests.sandbox.xero_caller import XeroCaller, xero_caller
from tests.sandbox.xero_contract import complaints


@pytest.fixture
def wide() -> XeroCaller:
    return xero_caller(wide_book(), VirtualClock(noon("2026-02-05")))


COLLECTIONS = (
    "Invoices", "Contacts", "Payments", "CreditNotes", "Overpayments", "Prepayments", "Quotes",
    "ContactGroups",
)  # fmt: skip


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("params", [{}, {"page": "1"}], ids=["whole", "paged"])
def test_a_wide_book_keeps_to_the_contract(
    wide: XeroCaller, collection: str, params: dict[str, str]
) -> None:
    assert wide.rows(collection, **params)
    assert wide.complaints == []


def test_quotes_by_state(wide: XeroCaller) -> None:
    def states(**params: str) -> dict[str, str]:
        return {row["QuoteNumber"]: row["Status"] for row in wide.rows("Quotes", **params)}

    assert states() == {
        "Q-7": "ACCEPTED",
        "E2": "DECLINED",
        "E3": "SENT",
        "E4": "INVOICED",
        "E5": "DELETED",
    }
    assert states(Status="ACCEPTED") == {"Q-7": "ACCEPTED"}
    assert states(ExpiryDateTo="2026-02-01") == {"E3": "SENT"}
    assert states(QuoteNumber="E2", DateFrom="2026-01-01") == {"E2": "DECLINED"}
    assert states(ContactID=wide.sandbox.vendor_id("customer", "C1")) == {"Q-7": "ACCEPTED"}
    assert wide.http.get("/Quotes", params={"DateFrom": "soon"}).status_code == 400
    key = wide.sandbox.vendor_id("estimate", "E1")
    alone = wide.http.get(f"/Quotes/{key}")
    assert complaints("Quotes", alone.content) == []
    assert wide.http.get(f"/Quotes/{key}/pdf").content.startswith(b"%PDF")


def test_quotes_come_by_the_hundred() -> None:
    company, customer = wide_book()[:2]
    quotes = [
        {"t": "estimate", "id": f"E{n}", "date": "2026-01-20", "customer": "C1",
         "currency": "USD", "total": "10.00"}
        for n in range(105)
    ]  # fmt: skip
    books = xero_caller([company, customer, *quotes], VirtualClock(noon("2026-02-05")))
    assert len(books.rows("Quotes", page="1", pageSize="1000")) == 100
    assert len(books.rows("Quotes", page="2")) == 5
    assert "pagination" not in books.http.get("/Quotes", params={"page": "1"}).json()


def test_a_deposit_is_a_prepayment(wide: XeroCaller) -> None:
    key = wide.sandbox.vendor_id("invoice", "INV-5")
    (row,) = wide.rows("Prepayments", page="1")
    assert (row["Type"], row["Status"], row["RemainingCredit"]) == ("RECEIVE-PREPAYMENT", "PAID", 0)
    assert row["Allocations"][0]["Invoice"]["InvoiceID"] == key
    shown = wide.rows("Invoices", IDs=key)[0]
    assert (shown["AmountCredited"], shown["AmountDue"]) == (250, 750)
    assert shown["Prepayments"][0]["AppliedAmount"] == 250
    wide.sandbox.people.void("INV-5")
    assert wide.rows("Prepayments", page="1")[0]["RemainingCredit"] == 250


def test_persons_and_tracking(wide: XeroCaller) -> None:
    key = wide.sandbox.vendor_id("customer", "C4")
    (contact,) = wide.rows("Contacts", IDs=key, page="1")
    persons = [(one["EmailAddress"], one["IncludeInEmails"]) for one in contact["ContactPersons"]]
    assert persons == [("ann@west.example", True), ("bo@west.example", False)]
    (row,) = wide.rows("Invoices", IDs=wide.sandbox.vendor_id("invoice", "INV-5"))
    (tracking,) = row["LineItems"][0]["Tracking"]
    assert (tracking["Name"], tracking["Option"]) == ("Region", "East")


def test_archived_contacts_are_left_out_unless_asked_for(wide: XeroCaller) -> None:
    wide.sandbox.people.archive("C4")
    assert len(wide.rows("Contacts", page="1")) == 3
    shown = wide.rows("Contacts", page="1", includeArchived="true")
    assert sorted(row["ContactStatus"] for row in shown) == ["ACTIVE"] * 3 + ["ARCHIVED"]


def test_kept_rows_follow_every_change(wide: XeroCaller) -> None:
    """A row that is shown from memory is the row that a fresh service would show."""
    people = wide.sandbox.people
    acts: tuple[Any, ...] = (
        lambda: people.pay("INV-1", 10_00),
        lambda: people.rename("C1", "Other Ltd"),
        lambda: people.credit("C1", 5_00, {"INV-1": 5_00}),
        lambda: people.merge("C1", "C2"),
        lambda: wide.http.put(
            f"/Invoices/{wide.sandbox.vendor_id('invoice', 'INV-1')}/Attachments/a.txt",
            content=b"x",
        ),
        lambda: people.void_payment("P1"),
        lambda: wide.clock.advance(timedelta(days=6)),
    )
    for act in acts:
        act()
        wide.clock.advance(61)
        wide.renew()
        for collection, name in (("Invoices", "InvoiceID"), ("Contacts", "ContactID")):
            for row in wide.rows(collection, page="1", includeArchived="true"):
                alone = wide.http.get(f"/{collection}/{row[name]}").json()[collection][0]
                assert row == alone
    assert wide.complaints == []


@pytest.mark.parametrize(
    ("collection", "name"),
    [
        ("CreditNotes", "CreditNoteID"),
        ("Payments", "PaymentID"),
        ("Overpayments", "OverpaymentID"),
        ("Prepayments", "PrepaymentID"),
    ],
)
def test_a_document_alone(wide: XeroCaller, collection: str, name: str) -> None:
    row = wide.rows(collection, page="1")[0]
    answer = wide.http.get(f"/{collection}/{row[name]}")
    assert complaints(collection, answer.content) == []
    assert answer.json()[collection] == [row]
    other = wide.sandbox.vendor_id("customer", "C1")
    assert wide.http.get(f"/{collection}/{other}").status_code == 404
