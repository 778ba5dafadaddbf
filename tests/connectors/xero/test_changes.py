"""What changed is read in few calls, nothing of it is missed, and what is odd is said."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.port import Cursor, Page
from connectors.xero.changes import STALEST
from tests.connectors.xero import samples
from tests.connectors.xero.lists_wire import Ledger, ids, remarks, stamp
from tests.connectors.xero.samples import CONTACT
from tests.connectors.xero.wires import START

QUARTER = timedelta(minutes=15)
TURNS = ["Payments", "CreditNotes", "Overpayments", "Prepayments", "Quotes"]


def credit(collection: str, id: str, **changes: Any) -> dict[str, Any]:
    kinds = {
        "CreditNotes": ("CreditNoteID", "ACCRECCREDIT"),
        "Overpayments": ("OverpaymentID", "RECEIVE-OVERPAYMENT"),
        "Prepayments": ("PrepaymentID", "RECEIVE-PREPAYMENT"),
    }
    name, kind = kinds[collection]
    return {
        name: id, "Type": kind, "Status": "AUTHORISED", "Contact": {"ContactID": CONTACT},
        "Date": "2026-06-30", "CurrencyCode": "NZD", "Total": 10, "RemainingCredit": 10,
    } | changes  # fmt: skip


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.put("Contacts", samples.contact(), at=START - timedelta(days=3))
    made.invoices(300, at=START - timedelta(days=2))
    return made


def read(ledger: Ledger, cursor: Cursor | None = None) -> tuple[list[Page], Cursor]:
    """One reading in a process of its own."""
    pages = list(ledger.wire.connector().pull(cursor))
    after = pages[-1].cursor
    assert after is not None and [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
    return pages, after


def test_an_unchanged_book_costs_three_calls_and_each_kind_has_its_turn(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.spent()
    turns = []
    for _ in range(10):
        ledger.wire.clock.advance(QUARTER)
        pages, cursor = read(ledger, cursor)
        calls = ledger.spent()
        assert calls[:2] == ["Contacts", "Invoices"] and len(calls) == 3
        assert [record for page in pages for record in page.records] == []
        turns.append(calls[2])
    assert turns == TURNS * 2


def test_a_hundred_changed_invoices_cost_two_calls_more(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.wire.clock.advance(QUARTER)
    for _ in range(3):
        for row in ledger.rows["Invoices"][:100]:
            row["UpdatedDateUTC"] = stamp(ledger.now)
        ledger.spent()
        pages, cursor = read(ledger, cursor)
        assert len(ids(pages, "invoices")) == 100
        calls = ledger.spent()
        assert len(calls) == 5 and "Payments" in calls
        # The same changes come again within the overlap: they are no news.
        pages, cursor = read(ledger, cursor)
        assert len(ids(pages, "invoices")) == 100 and len(ledger.spent()) == 3
        ledger.wire.clock.advance(QUARTER)


def test_credits_that_changed_invoices_name_are_read_at_once_or_next(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.wire.clock.advance(QUARTER)
    named = {
        name: [{"AppliedAmount": 1}] for name in ("CreditNotes", "Overpayments", "Prepayments")
    }
    ledger.put("Invoices", samples.invoice(InvoiceID="0000", **named))
    for name in named:
        ledger.put(name, credit(name, f"of {name}"))
    ledger.spent()
    pages, cursor = read(ledger, cursor)
    assert ids(pages, "credits") == ["of CreditNotes", "of Overpayments"]
    assert len(ledger.spent()) == 5
    ledger.wire.clock.advance(QUARTER)
    pages, cursor = read(ledger, cursor)
    assert ids(pages, "credits") == ["of Prepayments"]
    assert ledger.spent()[2:] == ["Prepayments"]


def test_credit_that_nobody_applied_is_heard_of_within_five_readings(ledger: Ledger) -> None:
    for name in ("CreditNotes", "Overpayments", "Prepayments"):
        _, cursor = read(ledger)
        ledger.wire.clock.advance(QUARTER)
        ledger.put(name, credit(name, f"of {name}"))
        heard = []
        for _ in range(5):
            pages, cursor = read(ledger, cursor)
            heard += ids(pages, "credits")
            ledger.wire.clock.advance(QUARTER)
        assert f"of {name}" in heard


def test_before_acting_every_kind_is_read_back_beyond_its_last_turn(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    credited = START + timedelta(days=1)
    ledger.wire.clock.advance(timedelta(days=1))
    for name in ("CreditNotes", "Overpayments", "Prepayments"):
        ledger.put(name, credit(name, f"of {name}"), at=credited)
    # Once a day: the turn of some kinds has not come when the third day's plan is carried out.
    for _ in range(2):
        synced_at = ledger.now
        _, cursor = read(ledger, cursor)
        ledger.wire.clock.advance(timedelta(days=1))
    found = ledger.wire.connector().read_credits([samples.CONTACT], synced_at)
    assert {row.id for row in found} == {"of CreditNotes", "of Overpayments", "of Prepayments"}


def test_no_kind_goes_unread_for_longer_than_a_week(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.spent()
    ledger.wire.clock.advance(STALEST + QUARTER)
    read(ledger, cursor)
    assert ledger.spent() == ["Contacts", "Invoices", *TURNS]


def test_more_changes_than_a_page_holds_are_read_to_the_end(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.wire.clock.advance(QUARTER)
    ledger.invoices(2500, at=ledger.now, Status="PAID", AmountDue=0)
    ledger.spent()
    pages, _ = read(ledger, cursor)
    assert len(set(ids(pages, "invoices"))) == 2500
    assert ledger.spent().count("Invoices") == 3


def test_what_changes_while_it_is_read_is_read_the_next_time(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.wire.clock.advance(QUARTER)
    ledger.spent()

    def meanwhile() -> None:
        ledger.wire.clock.advance(timedelta(seconds=1))
        ledger.put("Contacts", samples.contact(Name="Renamed"))

    ledger.before_answer = {2: meanwhile}
    pages, cursor = read(ledger, cursor)
    assert ids(pages, "customers") == []
    pages, _ = read(ledger, cursor)
    assert ids(pages, "customers") == [CONTACT]


def test_an_answer_with_everything_in_it_is_told_of(ledger: Ledger) -> None:
    pages, cursor = read(ledger)
    assert remarks(pages) == []
    ledger.wire.clock.advance(QUARTER)
    assert remarks(read(ledger, cursor)[0]) == []
    ledger.understands_since = False
    pages, _ = read(ledger, cursor)
    said = [text for text in remarks(pages) if "Invoices" in text]
    assert len(said) == 1 and "300" in said[0] and "If-Modified-Since" in said[0]
    assert len(ids(pages, "invoices")) == 300


def test_a_cursor_of_an_older_version_goes_on(ledger: Ledger) -> None:
    ledger.put("Overpayments", credit("Overpayments", "later"), at=START + QUARTER)
    cursor = Cursor(at=START)
    ledger.wire.clock.advance(QUARTER * 2)
    heard = []
    for _ in range(5):
        pages, cursor = read(ledger, cursor)
        heard += ids(pages, "credits")
    assert heard == ["later"]


def test_quotes_that_may_not_be_read_are_left_out_with_a_word(ledger: Ledger) -> None:
    ledger.refuses["Quotes"] = httpx.Response(403, json={"Title": "Forbidden"})
    pages, cursor = read(ledger)
    assert len(remarks(pages)) == 1 and "quotes" in remarks(pages)[0]
    ledger.spent()
    for _ in range(6):
        ledger.wire.clock.advance(QUARTER)
        pages, cursor = read(ledger, cursor)
        assert remarks(pages) == []
    assert "Quotes" not in ledger.spent()


def test_quotes_that_may_no_longer_be_read_break_nothing(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.refuses["Quotes"] = httpx.Response(404, text="not there")
    said = []
    for _ in range(6):
        ledger.wire.clock.advance(QUARTER)
        pages, cursor = read(ledger, cursor)
        said += remarks(pages)
    assert len(said) == 1 and cursor.state["Quotes"] == "refused"


def test_the_organisation_is_not_asked_for_where_currencies_are_named(ledger: Ledger) -> None:
    asked = []
    inner = ledger.wire.handle_request

    def counting(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rpartition("/")[2])
        return inner(request)

    ledger.wire.handle_request = counting
    _, cursor = read(ledger)
    read(ledger, cursor)
    assert "Organisation" not in asked
    ledger.put("Invoices", samples.invoice(InvoiceID="0000", CurrencyCode=None))
    pages, _ = read(ledger, cursor)
    assert "Organisation" in asked and not any(page.quarantined for page in pages)
    (changed,) = [row for page in pages if page.entity == "invoices" for row in page.records]
    assert changed.currency == "NZD"
    asked.clear()
    pages = list(ledger.wire.connector(base_currency="AUD").pull(cursor))
    (changed,) = [row for page in pages if page.entity == "invoices" for row in page.records]
    assert changed.currency == "AUD" and "Organisation" not in asked


def test_an_invoice_that_a_full_reading_may_have_missed_is_read_by_the_next(ledger: Ledger) -> None:
    ledger.invoices(1500, at=START - timedelta(days=2))

    def meanwhile() -> None:
        """One is paid on the first page, another one comes: the count stays."""
        ledger.wire.clock.advance(timedelta(seconds=5))
        ledger.put("Invoices", samples.invoice(InvoiceID="0007", Status="PAID", AmountDue=0))
        ledger.put("Invoices", samples.invoice(InvoiceID="9999"))
        ledger.wire.clock.advance(timedelta(seconds=5))

    ledger.before_answer = {3: meanwhile}
    pages, cursor = read(ledger)
    missed = {f"{n:04}" for n in range(1500)} - set(ids(pages, "invoices"))
    assert missed == {"1000"}
    ledger.wire.clock.advance(QUARTER)
    pages, cursor = read(ledger, cursor)
    assert missed <= set(ids(pages, "invoices"))
    ledger.spent()
    read(ledger, cursor)
    assert len(ledger.spent()) == 3


def test_a_new_payment_takes_the_currency_of_its_changed_invoice(ledger: Ledger) -> None:
    _, cursor = read(ledger)
    ledger.wire.clock.advance(QUARTER)
    ledger.put("Invoices", samples.invoice(InvoiceID="0001", CurrencyCode="GBP"))
    bare = {"InvoiceID": "0001", "Type": "ACCREC"}
    ledger.put("Payments", samples.payment(PaymentID="bare", Invoice=bare))
    pages, _ = read(ledger, cursor)
    (found,) = [row for page in pages if page.entity == "payments" for row in page.records]
    assert found.currency == "GBP"
