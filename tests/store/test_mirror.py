"""The ledger's records in the store."""

from datetime import date

import msgspec
from sqlalchemy import select

from ar_bridge.store import agenda, books, mirror, quarantine
from ar_bridge.store.engine import Store
from ar_bridge.store.tables import invoices
from connectors.port import Quarantined
from tests.store.records import COMPANY, NOW, TODAY, a_book, customer, invoice, payment

LATER = date(2026, 11, 9)


def test_what_is_stored_comes_back_whole(store: Store) -> None:
    known = invoice(tags=("a",), po="PO 7", sent=None, due_on=None)
    with store.write() as conn:
        book = a_book(conn)
        mirror.upsert(conn, book.id, "invoices", [known], seen_on=TODAY)
        assert mirror.invoices_by_id(conn, book.id, ["I1"]) == [known]
        ((_, body),) = mirror.bodies(conn, book.id, "invoices")
    assert body.startswith('{"v":1,')


def test_no_text_of_a_ledger_is_too_long_or_too_strange(store: Store) -> None:
    strange = invoice("I" * 200, number="N\0" * 500, customer="C" * 200, currency="GBP")
    who = customer("C" * 200, name="Zoë \0 \U0001f9fe " * 100)
    with store.write() as conn:
        book = a_book(conn)
        mirror.upsert(conn, book.id, "invoices", [strange], seen_on=TODAY)
        mirror.upsert(conn, book.id, "customers", [who], seen_on=TODAY)
        unreadable = Quarantined(entity="invoices", id="I" * 200, reason="no date")
        quarantine.add(conn, book.id, [unreadable], at=NOW)
        assert mirror.invoices_by_id(conn, book.id, [strange.id]) == [strange]
        ((_, body),) = mirror.bodies(conn, book.id, "customers")
    assert msgspec.json.decode(body)["name"] == who.name


def test_more_records_than_one_chunk(store: Store) -> None:
    with store.write() as conn:
        book = a_book(conn)
        many = [invoice(f"I{n}") for n in range(2 * mirror.CHUNK + 1)]
        mirror.upsert(conn, book.id, "invoices", many, seen_on=TODAY)
        mirror.upsert(conn, book.id, "invoices", many, seen_on=TODAY)
        assert len(mirror.open_invoices(conn, book.id)) == len(many)
        assert len(mirror.owners(conn, book.id, "invoices", [i.id for i in many])) == len(many)


def test_the_day_of_closing_is_the_first_and_goes_when_it_opens_again(store: Store) -> None:
    def closed_on() -> str | None:
        return conn.execute(select(invoices.c.closed_on)).scalar_one()

    paid = invoice(status="paid", balance=0)
    with store.write() as conn:
        book = a_book(conn)
        mirror.upsert(conn, book.id, "invoices", [invoice()], seen_on=TODAY)
        assert closed_on() is None
        mirror.upsert(conn, book.id, "invoices", [paid], seen_on=TODAY)
        mirror.upsert(conn, book.id, "invoices", [paid], seen_on=LATER)
        assert closed_on() == TODAY.isoformat()
        mirror.upsert(conn, book.id, "invoices", [invoice()], seen_on=LATER)
        assert closed_on() is None
        mirror.upsert(conn, book.id, "invoices", [paid], seen_on=LATER)
        assert closed_on() == LATER.isoformat()


def test_a_changed_invoice_is_decided_again_and_an_unchanged_one_waits(store: Store) -> None:
    with store.write() as conn:
        book = a_book(conn)
        both = [invoice("I1"), invoice("I2", customer="C2")]
        mirror.upsert(conn, book.id, "invoices", both, seen_on=TODAY)
        newest = agenda.newest_touch(conn, book.id)
        agenda.clear_touched(conn, book.id, through=newest, after=newest)
        both[1] = invoice("I2", customer="C2", balance=100)
        mirror.upsert(conn, book.id, "invoices", both, seen_on=TODAY)
        assert agenda.touched(conn, book.id) == {"C2"}
        mirror.decide_again(conn, book.id, ["C1"])
        assert agenda.touched(conn, book.id) == {"C1", "C2"}


def test_a_deleted_invoice_owes_nothing_and_is_remembered(store: Store) -> None:
    with store.write() as conn:
        book = a_book(conn)
        mirror.upsert(conn, book.id, "invoices", [invoice()], seen_on=TODAY)
        mirror.mark_deleted(conn, book.id, ["I1", "never seen"], seen_on=TODAY)
        (found,) = mirror.invoices_by_id(conn, book.id, ["I1"])
        assert (found.status, found.balance) == ("deleted", 0)
        assert mirror.open_invoices(conn, book.id) == {}


def test_invoices_and_customers_answer_to_id_and_name(store: Store) -> None:
    with store.write() as conn:
        book = a_book(conn)
        twice = [invoice("I1", number="7"), invoice("I2", number="7"), invoice("7", number="9")]
        mirror.upsert(conn, book.id, "invoices", twice, seen_on=TODAY)
        mirror.upsert(conn, book.id, "customers", [customer(name="North Ltd")], seen_on=TODAY)
        assert {i.id for i in mirror.invoices_named(conn, book.id, "7")} == {"I1", "I2", "7"}
        assert [c.id for c in mirror.customers_named(conn, book.id, "north ltd")] == ["C1"]
        assert mirror.customers_named(conn, book.id, "nobody") == []


def test_books_do_not_see_each_other(store: Store) -> None:
    with store.write() as conn:
        one = a_book(conn)
        other = books.register(
            conn,
            msgspec.structs.replace(COMPANY, id="other"),
            name="other",
            connected_on=date(2026, 10, 1),
        )
        for book in (one, other):
            mirror.upsert(conn, book.id, "invoices", [invoice()], seen_on=TODAY)
        mirror.mark_deleted(conn, one.id, ["I1"], seen_on=TODAY)
        mirror.upsert(conn, one.id, "payments", [payment()], seen_on=TODAY)
        assert mirror.open_invoices(conn, one.id) == {}
        assert list(mirror.open_invoices(conn, other.id)) == ["I1"]
        assert list(mirror.bodies(conn, other.id, "payments")) == []


def test_quarantine_keeps_the_first_sighting_and_ends_with_a_good_reading(store: Store) -> None:
    bad = Quarantined(entity="invoices", id="I1", reason="no total")
    worse = Quarantined(entity="invoices", id="I1", reason="no customer")
    with store.write() as conn:
        book = a_book(conn)
        quarantine.add(conn, book.id, [bad], at=NOW)
        quarantine.add(conn, book.id, [bad, worse], at=NOW.replace(hour=12))
        (held,) = quarantine.listed(conn, book.id)
        assert (held.reason, held.seen_at) == ("no customer", NOW)
        mirror.upsert(conn, book.id, "invoices", [invoice("I2")], seen_on=TODAY)
        assert len(quarantine.listed(conn, book.id)) == 1
        mirror.upsert(conn, book.id, "invoices", [invoice("I1")], seen_on=TODAY)
        assert quarantine.listed(conn, book.id) == []
