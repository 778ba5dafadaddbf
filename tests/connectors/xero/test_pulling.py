"""Everything is read in as few calls as there are pages, goes on after a crash, misses nothing."""

from typing import Any

import httpx
import msgspec
import pytest

from connectors.errors import AuthorizationError
from connectors.port import Cursor, Page
from tests.connectors.xero import samples
from tests.connectors.xero.lists_wire import Ledger, ids, remarks
from tests.connectors.xero.samples import CONTACT
from tests.connectors.xero.wires import START


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.put("Contacts", samples.contact())
    made.invoices(2500)
    made.put("Payments", *(samples.payment(PaymentID=f"p{n:04}") for n in range(1200)))
    return made


def whole(ledger: Ledger, resume: str = "") -> list[Page]:
    return list(ledger.wire.connector().pull(resume=resume))


def quote(id: str, **changes: Any) -> dict[str, Any]:
    return {
        "QuoteID": id, "QuoteNumber": f"Q-{id}", "Contact": {"ContactID": CONTACT},
        "Date": "/Date(1571875200000)/", "ExpiryDate": "/Date(1571961600000)/",
        "Status": "SENT", "CurrencyCode": "NZD", "Total": 20.65,
    } | changes  # fmt: skip


def test_calls_are_pages_and_one_for_each_list_that_is_empty(ledger: Ledger) -> None:
    pages = whole(ledger)
    calls = ledger.spent()
    assert len(set(ids(pages, "invoices"))) == 2500 and len(set(ids(pages, "payments"))) == 1200
    # Contacts 1, invoices 3, closed fees 1, payments 2, three kinds of credit, quotes.
    assert len(calls) == 1 + 3 + 1 + 2 + 3 + 1 <= (1 + 3 + 2) + 6


def test_every_page_names_the_place_where_another_process_goes_on(ledger: Ledger) -> None:
    pages = whole(ledger)
    assert all(page.resume for page in pages[:-1]) and not pages[-1].resume
    for at, page in enumerate(pages[:-1]):
        ledger.spent()
        rest = whole(ledger, page.resume)
        assert len(ledger.spent()) == len(pages) - at - 1
        for entity in ("customers", "invoices", "payments"):
            given = [*ids(pages[: at + 1], entity), *ids(rest, entity)]
            assert sorted(given) == sorted(ids(pages, entity))
        assert rest[-1].cursor == pages[-1].cursor


def test_the_cursor_of_a_resumed_walk_begins_where_the_walk_began(ledger: Ledger) -> None:
    place = whole(ledger)[3].resume
    ledger.wire.clock.sleep(3600)
    cursor = whole(ledger, place)[-1].cursor
    assert cursor is not None and cursor.at == START
    assert cursor.state["Overpayments"] == "2026-07-01T10:00:00Z"


def test_a_place_that_is_not_ours_begins_anew(ledger: Ledger) -> None:
    for text in ("3", "{}[", '{"v":9,"list":2}', '{"list":99}'):
        assert len(set(ids(whole(ledger, text), "invoices"))) == 2500


def test_an_invoice_paid_on_the_way_hides_no_other_after_a_crash_either(ledger: Ledger) -> None:
    first = []
    for page in ledger.wire.connector().pull():
        first.append(page)
        if len(ids(first, "invoices")) == 1000:
            break
    ledger.put("Invoices", samples.invoice(InvoiceID="0003", Status="PAID"))
    rest = whole(ledger, first[-1].resume)
    assert set(ids(first, "invoices")) | set(ids(rest, "invoices")) == {
        f"{n:04}" for n in range(2500)
    }


def test_payments_that_name_no_currency_take_that_of_their_invoice(ledger: Ledger) -> None:
    bare = {"InvoiceID": "0001", "Type": "ACCREC"}
    ledger.put("Invoices", samples.invoice(InvoiceID="0001", CurrencyCode="GBP"))
    ledger.put("Payments", samples.payment(PaymentID="bare", Invoice=bare))
    (found,) = [row for page in whole(ledger) for row in page.records if row.id == "bare"]
    assert found.currency == "GBP" and found.customer == CONTACT


def test_quotes_become_estimates(ledger: Ledger) -> None:
    statuses = ("SENT", "ACCEPTED", "DECLINED", "INVOICED", "DELETED", "DRAFT", "PONDERED")
    ledger.put("Quotes", *(quote(status, Status=status) for status in statuses))
    found = {
        row.id: row for page in whole(ledger) if page.entity == "estimates" for row in page.records
    }
    assert {id: row.status for id, row in found.items()} == {
        "SENT": "open", "ACCEPTED": "accepted", "DECLINED": "declined",
        "INVOICED": "invoiced", "DELETED": "void",
    }  # fmt: skip
    sent = msgspec.to_builtins(found["SENT"])
    assert (sent["total"], sent["on"], sent["expires_on"]) == (2065, "2019-10-24", "2019-10-25")
    assert (sent["number"], sent["customer"], sent["currency"]) == ("Q-SENT", CONTACT, "NZD")


def test_of_very_many_quotes_the_latest_are_read_and_that_is_said(ledger: Ledger) -> None:
    ledger.put("Quotes", *(quote(f"{n:04}") for n in range(450)))
    pages = whole(ledger)
    assert len(ids(pages, "estimates")) == 200 and "200" in "".join(remarks(pages))
    assert ledger.spent().count("Quotes") == 2


def test_what_else_may_not_be_read_is_trouble(ledger: Ledger) -> None:
    ledger.refuses["Overpayments"] = httpx.Response(403, json={"Title": "Forbidden"})
    with pytest.raises(AuthorizationError):
        whole(ledger)


def test_merged_contacts_lead_to_the_one_that_is_left(ledger: Ledger) -> None:
    kept = "d4956132-ed94-4dd7-9eaa-aa22dfdf06f2"
    ledger.put(
        "Contacts",
        samples.contact(ContactStatus="ARCHIVED", MergedToContactID=kept),
        samples.contact(ContactID=kept, Name="Kept"),
        samples.contact(ContactID="gone", ContactStatus="GDPRREQUEST"),
    )
    customers: dict[str, Any] = {
        row.id: row for page in whole(ledger) if page.entity == "customers" for row in page.records
    }
    assert (customers[CONTACT].parent, customers[CONTACT].is_active) == (kept, False)
    assert (customers[kept].parent, customers[kept].is_active) == (None, True)
    assert not customers["gone"].is_active


def test_an_old_cursor_is_not_needed_to_begin(ledger: Ledger) -> None:
    cursor = whole(ledger)[-1].cursor
    assert isinstance(cursor, Cursor) and cursor.at == START
    assert set(cursor.state) == {
        "Payments", "CreditNotes", "Overpayments", "Prepayments", "Quotes", "walked",
    }  # fmt: skip
