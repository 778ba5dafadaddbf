"""Reading the ledger: nothing lost, nothing taken for paid that is not, nothing left behind."""

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ar_bridge import audit
from ar_bridge.book_loader import NEVER_READ_HOURS
from ar_bridge.spool import KEPT_FOR
from ar_bridge.store import agenda, books, pulls
from ar_bridge.sync import SyncReport, refresh
from benchmarks.sync_calls import measure
from connectors.errors import TransientError
from connectors.port import Cursor, Page
from rules.model import CustomerId, InvoiceId
from tests.store.desk import Desk
from tests.store.records import NOW, credit, customer, invoice, payment


def test_a_first_sync_reads_everything_and_a_second_only_changes(desk: Desk) -> None:
    assert desk.book().age_hours == NEVER_READ_HOURS
    seen: list[tuple[str, int, int | None]] = []
    first = desk.sync(progress=lambda *step: seen.append(step))
    assert first.full
    expected = {"customers": 2, "invoices": 3, "payments": 1, "credits": 1, "estimates": 0}
    assert dict(first.read) == expected
    assert ("invoices", 2, 3) in seen and ("invoices", 3, 3) in seen
    assert (first.closed, first.missing, first.quarantined) == (0, (), ())
    book = desk.book()
    assert {one.id for one in book.invoices} == {"I1", "I2", "I3"}
    assert set(book.customers) == {"C1", "C2"}
    assert [one.id for one in (*book.payments, *book.credits)] == ["P1", "N1"]
    assert book.age_hours == 0
    assert desk.ledger.reads == []

    desk.ledger.put(invoice("I3", balance=5))
    second = desk.sync()
    assert not second.full
    assert dict(second.read) == {
        "customers": 0,
        "invoices": 1,
        "payments": 0,
        "credits": 0,
        "estimates": 0,
    }
    assert isinstance(desk.ledger.pulls[1], Cursor)
    assert desk.sync(full=True).full


def test_the_age_of_the_book_counts_from_the_beginning_of_the_reading(desk: Desk) -> None:
    slow = desk.ledger.pull

    def pull(cursor: Cursor | None = None) -> Iterator[Page]:
        for page in slow(cursor):
            desk.clock.advance(timedelta(minutes=25))
            yield page

    desk.ledger.pull = pull
    report = desk.sync()
    assert report.at == NOW + timedelta(hours=1)
    assert desk.book().age_hours == 3  # six pages, two and a half hours: begun ones count


def test_what_a_full_pull_does_not_mention_is_read_by_id(desk: Desk) -> None:
    desk.sync()
    desk.ledger.put(
        invoice("I1", status="paid", balance=0), invoice("I2", status="void", balance=0)
    )
    desk.ledger.delete("invoices", "I3")
    report = desk.sync(full=True)
    assert desk.ledger.reads == [["I1", "I2"], ["I3"]]
    assert desk.statuses() == {"I1": "paid", "I2": "void", "I3": "deleted"}
    assert (report.closed, report.missing) == (3, ("INV-I3",))
    assert dict(report.removed) == {"invoices": 1}


def test_changes_say_the_same_without_reading_by_id(desk: Desk) -> None:
    desk.sync()
    desk.ledger.put(invoice("I1", status="paid", balance=0))
    desk.ledger.delete("invoices", "I3")
    report = desk.sync()
    assert desk.ledger.reads == []
    assert desk.statuses() == {"I1": "paid", "I2": "open", "I3": "deleted"}
    assert report.closed == 2


@pytest.mark.parametrize("pages", range(4))
def test_a_pull_that_breaks_off_changes_nothing_and_loses_nothing(desk: Desk, pages: int) -> None:
    desk.sync()
    before = desk.book()
    desk.ledger.put(
        invoice("I1", balance=1), payment("P2", settles={"I1": 119_999}), customer("C3")
    )
    desk.ledger.put(invoice("I4"), credit("N2"), customer("C4"))
    desk.ledger.breaks_after = pages
    with pytest.raises(TransientError):
        desk.sync()
    after = desk.book()
    assert msgspec.structs.replace(after, age_hours=0) == msgspec.structs.replace(
        before, age_hours=0
    )
    desk.ledger.breaks_after = None
    report = desk.sync()
    assert report.resumed == (pages > 0)
    assert {one.id: one.balance for one in desk.book().invoices}["I1"] == 1
    assert "I4" in desk.statuses()


def test_a_full_reading_goes_on_from_its_last_page_and_asks_what_changed_since(desk: Desk) -> None:
    desk.ledger.breaks_after = 2
    with pytest.raises(TransientError):
        desk.sync()
    assert desk.book().age_hours == NEVER_READ_HOURS
    desk.ledger.breaks_after = None
    desk.ledger.put(customer("C1", name="Northern Ltd"))  # was on a page that is kept
    report = desk.sync()
    assert (report.full, report.resumed) == (True, True)
    assert [bool(token) for token in desk.ledger.resumed] == [False, True, False]
    assert report.at == desk.clock.now()
    assert {one.name for one in desk.book().customers.values() if one.id == "C1"} == {
        "Northern Ltd"
    }
    with desk.store.read() as conn:
        assert pulls.under_way(conn, desk.book_id) == []


@pytest.mark.parametrize("reason", ["too old", "no place to go on", "place forgotten"])
def test_a_reading_that_cannot_be_gone_on_with_begins_anew(desk: Desk, reason: str) -> None:
    desk.ledger.breaks_after = 2
    desk.ledger.can_resume = reason != "no place to go on"
    with pytest.raises(TransientError):
        desk.sync()
    desk.ledger.breaks_after = None
    if reason == "too old":
        desk.clock.advance(KEPT_FOR)
    desk.ledger.forgets_places = reason == "place forgotten"
    report = desk.sync()
    assert not report.resumed
    assert [one for one in desk.ledger.resumed if not one] == ["", ""]
    assert len(desk.book().invoices) == 3
    with desk.store.read() as conn:
        assert pulls.under_way(conn, desk.book_id) == []


def test_a_reading_of_another_process_that_lives_is_left_alone(desk: Desk) -> None:
    desk.ledger.breaks_after = 2
    with pytest.raises(TransientError):
        desk.sync()
    desk.ledger.breaks_after = None
    with desk.store.write() as conn:
        (left,) = pulls.under_way(conn, desk.book_id)
        parent = f"{socket.gethostname()}/{os.getppid()}"
        pulls.take_over(conn, desk.book_id, left.began_at, reader=parent, at=desk.clock.now())
    assert not desk.sync().resumed
    with desk.store.write() as conn:
        pulls.begin(
            conn,
            desk.book_id,
            began_at=desk.clock.now() + timedelta(minutes=1),
            cursor=None,
            reader="elsewhere/1",
        )
    assert not desk.sync(full=True).resumed  # a machine that wrote a moment ago


def test_changes_that_are_no_longer_known_are_replaced_by_everything(desk: Desk) -> None:
    desk.sync()
    desk.ledger.put(invoice("I1", balance=7))
    desk.ledger.oldest_cursor = 1_000
    report = desk.sync()
    assert report.full
    (remark,) = report.remarks
    assert "everything was read again" in remark
    assert {one.id: one.balance for one in desk.book().invoices}["I1"] == 7


def test_a_deleted_customer_who_still_owes_is_kept_by_name_only(desk: Desk) -> None:
    desk.sync()
    desk.ledger.delete("customers", "C2")
    desk.sync()
    kept = desk.book().customers[CustomerId("C2")]
    assert kept.name and not kept.email and not kept.is_active


def test_money_that_went_away_is_forgotten(desk: Desk) -> None:
    desk.sync()
    desk.ledger.delete("payments", "P1")
    desk.ledger.delete("credits", "N1")
    desk.ledger.changed = []  # the ledger reports no deletions: a full pull finds them
    desk.sync()
    assert [one.id for one in desk.book().payments] == ["P1"]
    report = desk.sync(full=True)
    assert dict(report.removed) == {"payments": 1, "credits": 1}
    assert (desk.book().payments, desk.book().credits) == ([], [])


def test_payments_of_closed_invoices_are_out_of_sight_not_gone(desk: Desk) -> None:
    desk.sync()
    desk.ledger.put(invoice("I1", status="paid", balance=0), payment("P2", settles={"I1": 80_000}))
    desk.sync()
    report = desk.sync(full=True)
    assert dict(report.removed) == {}
    assert {one.id for one in desk.book().payments} == {"P1", "P2"}


def test_a_returned_payment_of_a_reopened_invoice_is_gone(desk: Desk) -> None:
    desk.sync()
    desk.ledger.put(invoice("I3", status="paid", balance=0), payment("P3", settles={"I3": 120_000}))
    desk.sync()
    desk.ledger.delete("payments", "P3")
    desk.ledger.put(invoice("I3"))
    desk.ledger.changed = []
    desk.sync(full=True)
    assert desk.statuses()["I3"] == "open"
    assert "P3" not in {one.id for one in desk.book().payments}


def test_a_customer_that_vanished_stays_while_an_invoice_or_a_child_names_it(desk: Desk) -> None:
    desk.ledger.put(customer("C3"), customer("C4", parent="C5"), customer("C5"))
    desk.sync()
    for gone in ("C2", "C3", "C5"):
        desk.ledger.delete("customers", gone)
    desk.ledger.changed = []
    report = desk.sync(full=True)
    assert dict(report.removed) == {"customers": 1}
    assert set(desk.book().customers) == {"C1", "C2", "C4", "C5"}


def test_the_slower_of_two_readings_does_not_undo_the_faster(desk: Desk) -> None:
    desk.sync()
    desk.ledger.put(invoice("I1", balance=100))
    slow = desk.ledger.pull
    inner: list[SyncReport] = []

    def pull(cursor: Cursor | None = None) -> Iterator[Page]:
        pages = list(slow(cursor))
        desk.ledger.pull = slow
        desk.ledger.put(invoice("I1", balance=50))
        inner.append(desk.sync())
        yield from pages

    desk.ledger.pull = pull
    outer = desk.sync()
    assert outer.superseded and not inner[0].superseded
    assert {one.id: one.balance for one in desk.book().invoices}["I1"] == 50
    with desk.store.read() as conn:
        assert books.get(conn, desk.book_id).synced_at == inner[0].at


def test_the_slower_of_two_readings_ends_in_peace(desk: Desk) -> None:
    """Pages of a process that lives are its own, also when somebody else was faster."""
    slow = desk.ledger.pull

    def pull(cursor: Cursor | None = None) -> Iterator[Page]:
        first, *rest = slow(cursor)
        yield first
        desk.ledger.pull = slow
        assert not desk.sync().superseded
        yield from rest

    desk.ledger.pull = pull
    assert desk.sync().superseded
    assert len(desk.book().invoices) == 3
    with desk.store.read() as conn:
        assert pulls.under_way(conn, desk.book_id) == []


def test_every_sync_is_in_the_audit_trail(desk: Desk) -> None:
    desk.sync(actor="ann")
    with desk.store.read() as conn:
        (entry,) = audit.history(conn, book_id=desk.book_id)
    assert (entry.event, entry.actor, entry.subject) == ("SyncCompleted", "ann", "xero/acme")
    assert entry.payload is not None
    assert entry.payload["read"]["invoices"] == 3


def test_what_changed_is_decided_again(desk: Desk) -> None:
    desk.ledger.put(customer("C9"), invoice("I9", customer="C9"))
    desk.sync()
    with desk.store.write() as conn:
        newest = agenda.newest_touch(conn, desk.book_id)
        agenda.clear_touched(conn, desk.book_id, through=newest, after=newest)
    desk.ledger.put(payment("P5", settles={}, amount=100))
    desk.sync()
    with desk.store.read() as conn:
        assert agenda.touched(conn, desk.book_id) == {"C1"}


def test_refresh_reads_only_what_is_about_to_be_acted_on(desk: Desk) -> None:
    desk.sync()
    age = desk.book().age_hours
    desk.ledger.put(invoice("I1", balance=1), invoice("I2", balance=1), payment("P7"))
    desk.ledger.delete("invoices", "I3")
    with desk.store.read() as conn:
        row = books.get(conn, desk.book_id)
    bad = refresh(
        desk.store,
        row,
        desk.ledger,
        desk.clock,
        invoices=[InvoiceId("I1"), InvoiceId("I3")],
        customers=["C1"],
    )
    assert bad == []
    book = desk.book()
    assert {one.id: one.balance for one in book.invoices} == {"I1": 1, "I2": 120_000, "I3": 0}
    assert {one.id for one in book.payments} == {"P1", "P7"}
    assert book.age_hours == age

    desk.ledger.spoil("invoices", "I1")
    (bad_one,) = refresh(desk.store, row, desk.ledger, desk.clock, invoices=[InvoiceId("I1")])
    assert (bad_one.entity, bad_one.id) == ("invoices", "I1")
    assert desk.book().commitments[0].binds(InvoiceId("I1"))


@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_calls_of_a_sync_stay_within_their_bound(ledger: str, tmp_path: Path) -> None:
    for line in measure(ledger, 1_100, tmp_path):
        assert line["calls"] <= line["bound"], line
        assert (line["throttled"], line["quarantined"]) == (0, 0)
        if line["pull"] == "full":
            assert line["read"]["invoices"] == 1_100
            assert line["read"]["payments"] == 275
