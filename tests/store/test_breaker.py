"""The circuit breaker trips on what is out of the ordinary, and leaves a small book alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from ar_bridge import breaker
from ar_bridge.clock import VirtualClock
from ar_bridge.context import BookContext
from ar_bridge.store import actions as action_store
from ar_bridge.store import halts, mirror, runs
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.engine import Store, open_store
from ar_bridge.store.tables import actions
from ar_bridge.usual import usual
from rules.actions.action import RenderedMessage
from tests.store.records import NOW, TODAY, customer, invoice
from tests.store.test_admission import a_desk, an_approved

_numbers = iter(range(1_000_000))


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    store = open_store("sqlite://")
    yield store
    store.close()


@pytest.fixture
def desk(shared: Store) -> BookContext:
    return a_desk(shared, f"company-{next(_numbers)}")


def on(desk: BookContext, days: int) -> BookContext:
    """The same book so many days later."""
    return replace(desk, clock=VirtualClock(NOW + timedelta(days=days)))


def past(desk: BookContext, *counts: int, fee: int | None = None) -> None:
    """So many messages, or fees, on each of the days before today."""
    for back, count in enumerate(reversed(counts), start=1):
        for number in range(count):
            row = an_approved(
                desk, f"past-{fee}-{back}-{number}", f"P{number}", amount=fee, notice="n"
            )
            with desk.store.write() as conn:
                conn.execute(
                    actions.update()
                    .where(actions.c.id == row)
                    .values(state="done", begun_on=(TODAY - timedelta(days=back)).isoformat())
                )


def planned(desk: BookContext, count: int, *, fee: int | None = None) -> list[ActionRow]:
    """So many messages, or fees, that rules would approve."""
    ids = [
        an_approved(desk, f"now-{fee}-{number}", f"C{number}", amount=fee, notice="n")
        for number in range(count)
    ]
    with desk.store.read() as conn:
        return [action_store.action_by_id(conn, one) for one in ids]


def asked(desk: BookContext, rows: list[ActionRow]) -> str:
    with desk.store.write() as conn:
        return breaker.ground(conn, desk, rows)


def open_invoices(desk: BookContext, due: dict[str, date]) -> None:
    with desk.store.write() as conn:
        mirror.upsert(
            conn,
            desk.book_id,
            "invoices",
            [invoice(one, due_on=day) for one, day in due.items()],
            seen_on=TODAY,
        )


def test_far_more_messages_than_usual(desk: BookContext) -> None:
    past(desk, 4, 6, 5, 7, 6, 5)
    why = asked(desk, planned(desk, 25))
    assert "25 messages today, where a busy day has 7" in why
    with desk.store.read() as conn:
        (halt,) = halts.standing(conn, desk.book_id, halts.BREAKER)
    assert halt.code == "far_more_messages" and halt.measured == 25
    # It stays open, whatever comes, until a person closes it.
    assert "out of the ordinary" in asked(desk, [])


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ((1, 0, 2, 1, 1, 1), 20),  # a small book has its busy days
        ((4, 6, 5, 7, 6, 5), 21),  # three times a busy day
        ((1, 2), 100),  # nobody knows what is usual yet
        ((), 100),
    ],
)
def test_what_is_not_far_more(desk: BookContext, before: tuple[int, ...], now: int) -> None:
    past(desk, *before)
    assert asked(desk, planned(desk, now)) == ""


def test_fees_far_above_the_usual_sum(desk: BookContext) -> None:
    past(desk, 2, 1, 2, 2, 1, 2, fee=2_000)
    assert asked(desk, planned(desk, 4, fee=30_000)) == ""  # a few may be large invoices
    why = asked(desk, planned(desk, 6, fee=40_000))
    assert "fees of 3600.00 GBP" in why or "fees of 2400.00 GBP" in why
    assert "a busy day has 40.00" in why


def test_what_is_done_once_a_month_is_usual_a_month_later() -> None:
    days = {TODAY - timedelta(days=back): 4 for back in range(1, 60) if back != 30}
    assert usual(days, TODAY) == 4
    assert usual(days | {TODAY - timedelta(days=30): 80}, TODAY) == 80
    # One freak day, not a month ago, moves nothing.
    assert usual(days | {TODAY - timedelta(days=10): 300}, TODAY) == 4


def test_everything_overdue_at_once(desk: BookContext) -> None:
    ahead = TODAY + timedelta(days=20)
    open_invoices(desk, {f"I{n}": ahead for n in range(40)})
    rows = planned(desk, 1)
    assert asked(desk, rows) == ""
    open_invoices(desk, {f"I{n}": date(2026, 1, 1) for n in range(40)})
    why = asked(on(desk, 1), rows)
    assert "40 of 40 open invoices are overdue" in why and "import" in why


def test_much_that_falls_due_the_same_day_is_ordinary(desk: BookContext) -> None:
    open_invoices(desk, {f"I{n}": TODAY for n in range(40)})
    rows = planned(desk, 1)
    assert asked(desk, rows) == ""
    assert asked(on(desk, 1), rows) == ""


def test_a_bookkeeper_who_catches_up_on_a_small_book(desk: BookContext) -> None:
    open_invoices(desk, {f"I{n}": TODAY + timedelta(days=9) for n in range(5)})
    rows = planned(desk, 1)
    assert asked(desk, rows) == ""
    open_invoices(desk, {f"J{n}": date(2026, 9, 1) for n in range(9)})
    assert asked(on(desk, 1), rows) == ""


def test_the_same_customer_twice(desk: BookContext) -> None:
    rows = planned(desk, 2)
    twice = [msgspec.structs.replace(row, customer="C0") for row in rows]
    assert "hear from you more often today" in asked(desk, twice)


def test_the_same_invoices_twice_in_the_books(desk: BookContext) -> None:
    rows = planned(desk, 6)
    with desk.store.write() as conn:
        mirror.upsert(conn, desk.book_id, "customers", [customer("C1")], seen_on=TODAY)
        papers = [invoice(f"I{n}", number=f"INV-{n % 3}") for n in range(6)]
        mirror.upsert(conn, desk.book_id, "invoices", papers, seen_on=TODAY)
    about = [
        msgspec.structs.replace(
            row,
            action=msgspec.structs.replace(row.action, covers=(f"I{n}",), items=()),
        )
        for n, row in enumerate(rows)
    ]
    assert "3 invoices are in the books twice" in asked(desk, about)


def test_many_addresses_changed_at_once(desk: BookContext) -> None:
    past(desk, 8)
    rows = [
        msgspec.structs.replace(row, customer=f"P{n}") for n, row in enumerate(planned(desk, 8))
    ]
    assert asked(desk, rows) == ""
    other = RenderedMessage(to=("elsewhere@thief.example",), subject="", text="")
    few = [msgspec.structs.replace(row, message=other) for row in rows[:5]]
    assert asked(desk, [*few, *rows[5:]]) == ""
    many = [msgspec.structs.replace(row, message=other) for row in rows]
    assert "another address than at their last message" in asked(desk, many)


def test_what_a_person_let_pass_is_not_asked_again_at_once(desk: BookContext) -> None:
    past(desk, 4, 6, 5, 7, 6, 5)
    rows = planned(desk, 25)
    assert asked(desk, rows)
    with desk.store.write() as conn:
        ids = [one.id for one in halts.standing(conn, desk.book_id)]
        halts.close(conn, ids, at=desk.clock.now(), by="pat", reason="a sale")
    assert asked(on(desk, 1), rows) == ""
    assert asked(on(desk, 4), rows) != ""


def test_a_reading_that_failed_holds_until_one_succeeds(desk: BookContext) -> None:
    rows = planned(desk, 1)

    def read(outcome: str) -> None:
        with desk.store.write() as conn:
            run = runs.start(conn, desk.book_id, "sync", on=TODAY, at=NOW)
            runs.finish(conn, run, at=NOW, outcome=outcome, counts={"error": "gone away"})

    read("failed")
    assert "the last reading of the ledger failed (gone away)" in asked(desk, rows)
    assert asked(desk, rows)
    read("done")
    assert asked(desk, rows) == ""
    with desk.store.read() as conn:
        assert halts.standing(conn, desk.book_id) == []
