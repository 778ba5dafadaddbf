"""People at work in the ledger show in CDC, behind If-Modified-Since, and in balances."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from ar_bridge.clock import VirtualClock
from connectors.sandbox.people import People
from tests.sandbox.books import noon, wide_book
from tests.sandbox.qbo import Caller, caller
from tests.sandbox.xero_caller import XeroCaller, xero_caller
from tests.vendor_schemas import check_quickbooks

ENTITIES = ("Customer", "Invoice", "Payment", "CreditMemo", "Estimate")

Act = Callable[[People], Any]

ACTS: dict[str, tuple[Act, str, str]] = {
    # name: (act, entity of QuickBooks, collection of Xero) that show it
    "pay": (lambda p: p.pay("INV-1"), "Payment", "Payments"),
    "pay a part": (lambda p: p.pay("INV-1", 100_00), "Invoice", "Invoices"),
    "pay too much": (lambda p: p.receive("C1", 900_00, {"INV-1": 100_00}), "Payment",
                     "Overpayments"),
    "delete a payment": (lambda p: p.delete_payment("P1"), "Payment", "Payments"),
    "void a payment": (lambda p: p.void_payment("P1"), "Payment", "Payments"),
    "credit": (lambda p: p.credit("C1", 50_00, {"INV-1": 50_00}), "CreditMemo", "CreditNotes"),
    "void": (lambda p: p.void("INV-2"), "Invoice", "Invoices"),
    "delete": (lambda p: p.delete("INV-2"), "Invoice", "Invoices"),
    "due date": (lambda p: p.change_due_date("INV-1", date(2026, 3, 1)), "Invoice", "Invoices"),
    "sent": (lambda p: p.mark_sent("INV-2"), "Invoice", "Invoices"),
    "fee line": (lambda p: p.add_fee_line("INV-1", 15_00), "Invoice", "Invoices"),
    "new invoice": (lambda p: p.add_invoice("C1", 70_00), "Invoice", "Invoices"),
    "new customer": (lambda p: p.add_customer("East Ltd"), "Customer", "Contacts"),
    "rename": (lambda p: p.rename("C1", "Northern Ltd"), "Customer", "Contacts"),
    "e-mail": (lambda p: p.change_email("C1", "new@north.example"), "Customer", "Contacts"),
    "archive": (lambda p: p.archive("C1"), "Customer", "Contacts"),
    "erase": (lambda p: p.erase("C1"), "Customer", "Contacts"),
    "merge": (lambda p: p.merge("C1", "C2"), "Customer", "Contacts"),
    "merge moves documents": (lambda p: p.merge("C1", "C2"), "Invoice", "Invoices"),
    "prepayment": (lambda p: p.void("INV-5"), "Invoice", "Prepayments"),
    "estimate": (lambda p: p.answer_estimate("E1", "invoiced"), "Estimate", "Quotes"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_is_a_change_in_quickbooks(name: str) -> None:
    act, entity, _ = ACTS[name]
    clock = VirtualClock(noon("2026-02-05"))
    books = caller(events=wide_book(), clock=clock)
    since = clock.advance(timedelta(minutes=10)).isoformat()

    def changed() -> dict[str, list[dict[str, Any]]]:
        answer = books.get("cdc", entities=",".join(ENTITIES), changedSince=since)
        parts = answer.json()["CDCResponse"][0]["QueryResponse"]
        return {key: rows for part in parts for key, rows in part.items() if type(rows) is list}

    assert changed() == {}
    act(books.sandbox.people)
    found = changed()
    assert entity in found
    for kind, rows in found.items():
        for row in rows:
            if row.get("status") != "Deleted":
                assert check_quickbooks(kind, row, "response") == []


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_is_a_change_in_xero(name: str) -> None:
    act, _, collection = ACTS[name]
    clock = VirtualClock(noon("2026-02-05"))
    books = xero_caller(wide_book(), clock)
    since = clock.advance(timedelta(minutes=10))
    page = {"page": "1", "includeArchived": "true"}
    assert books.rows(collection, since=since, **page) == []
    act(books.sandbox.people)
    assert books.rows(collection, since=since, **page)
    assert books.complaints == []


@pytest.fixture(params=["quickbooks", "xero"])
def people(request: pytest.FixtureRequest) -> People:
    clock = VirtualClock(noon("2026-02-05"))
    is_xero = request.param == "xero"
    return (xero_caller if is_xero else _quickbooks)(wide_book(), clock).sandbox.people


def _quickbooks(events: list[dict[str, Any]], clock: VirtualClock) -> Caller:
    return caller(events=events, clock=clock)


def test_a_void_invoice_is_restored(people: People) -> None:
    before = people.invoice("INV-1")
    people.void("INV-1")
    assert (people.invoice("INV-1").balance, people.invoice("INV-1").status) == (0, "void")
    people.restore("INV-1")
    after = people.invoice("INV-1")
    assert (after.balance, after.total, after.status) == (before.balance, before.total, "open")
    with pytest.raises(ValueError, match="not void"):
        people.restore("INV-1")


def test_what_the_book_voided_is_restored_too() -> None:
    later = caller("2026-02-12").sandbox
    assert later.ledger.invoices[later.vendor_id("invoice", "INV-3")].status == "void"
    later.people.restore("INV-3")
    assert later.people.invoice("INV-3").balance == 50_00


def test_a_returned_payment_leaves_the_invoice_open(people: People) -> None:
    key = people.pay("INV-2")
    assert people.invoice("INV-2").status == "paid"
    people.delete_payment(key)
    assert (people.invoice("INV-2").status, people.invoice("INV-2").balance) == ("open", 60_00)


def test_merged_customers_leave_their_documents_behind(people: People) -> None:
    people.merge("C1", "C2")
    assert people.invoice("INV-1").customer == people.customer("C2").id
    assert (people.customer("C1").is_active, people.customer("C1").merged_into) == (
        False,
        people.customer("C2").id,
    )
    with pytest.raises(ValueError, match="itself"):
        people.merge("C2", "C2")


def test_nobody_works_on_what_is_not_there(people: People) -> None:
    with pytest.raises(LookupError, match="no invoice 'INV-99'"):
        people.void("INV-99")
    people.void("INV-2")
    with pytest.raises(ValueError, match="void"):
        people.pay("INV-2")


def test_a_fee_line_of_the_ledgers_own() -> None:
    books = caller(events=wide_book())
    books.sandbox.people.add_fee_line("INV-1", 15_00)
    key = books.sandbox.vendor_id("invoice", "INV-1")
    shown = books.get(f"invoice/{key}").json()["Invoice"]
    assert (shown["TotalAmt"], shown["Balance"]) == (1215.00, 815.00)
    detail = shown["Line"][1]["SalesItemLineDetail"]
    assert detail["ItemRef"]["name"] == "Late fee"
    assert detail["ItemAccountRef"]["name"] == "Late fee income"


def test_merged_and_forgotten_contacts_in_xero() -> None:
    books = xero_caller(wide_book(), VirtualClock(noon("2026-02-05")))
    books.sandbox.people.merge("C1", "C2")
    books.sandbox.people.erase("C3")
    shown = {
        row["ContactID"]: row for row in books.rows("Contacts", page="1", includeArchived="true")
    }
    one, two, three = (books.sandbox.vendor_id("customer", key) for key in ("C1", "C2", "C3"))
    assert (shown[one]["ContactStatus"], shown[one]["MergedToContactID"]) == ("ARCHIVED", two)
    assert shown[three]["ContactStatus"] == "GDPRREQUEST"
    unpaged = {row["ContactID"]: row for row in books.rows("Contacts", includeArchived="true")}
    assert "MergedToContactID" not in unpaged[one]
    assert books.complaints == []


def test_people_work_while_the_service_runs(people: People) -> None:
    keys = [people.add_invoice("C1", 10_00) for _ in range(20)]
    workers = [threading.Thread(target=people.pay, args=(key,)) for key in keys]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {people.invoice(key).status for key in keys} == {"paid"}


def test_a_xero_caller_is_strict() -> None:
    books = xero_caller(wide_book(), VirtualClock(noon("2026-02-05")))
    assert isinstance(books, XeroCaller)
    assert books.rows("Invoices")
