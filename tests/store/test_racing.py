"""Several workers on one database at once: what each reads still holds when it commits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from ar_bridge import audit
from ar_bridge.store import books, commitments, nudges, outbox, tokens
from ar_bridge.store.actions import action_by_id
from ar_bridge.store.engine import Store, open_store
from connectors.webhooks import Nudge
from rules.actions.action import Item
from rules.actions.internal import OpenTask
from rules.model import CustomerId, InvoiceId, ItemKey, Pause, StageId
from tests.store.postgresql import Server
from tests.store.records import COMPANY, NOW, TODAY, a_book, an_action

WORKERS = 8

TASK = msgspec.json.encode(
    OpenTask(key=ItemKey("k"), customer=CustomerId("C1"), items=(), text="Look at it.")
).decode()


def at_once(work: Callable[[int], object], workers: int = WORKERS) -> list[object]:
    """What each of them came to, begun at the same moment: its value, or its error."""
    begin = threading.Barrier(workers)
    came: list[object] = []

    def take_part(number: int) -> None:
        begin.wait(timeout=60)
        try:
            came.append(work(number))
        except Exception as error:
            came.append(error)

    threads = [threading.Thread(target=take_part, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


@pytest.fixture
def stores(url: str, stack: ExitStack) -> list[Store]:
    """The same database as several processes have it open, one for each worker."""
    opened = [open_store(url) for _ in range(WORKERS)]
    for store in opened:
        stack.callback(store.close)
    return opened


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_the_audit_chain_has_one_entry_after_the_other(stores: list[Store]) -> None:
    def tell(number: int) -> None:
        for _ in range(5):
            with stores[number].write() as conn:
                audit.append(
                    conn, book_id=1, at=NOW, actor=f"worker-{number}", event="PlanMade",
                    subject="plan", payload={},
                )  # fmt: skip

    assert at_once(tell) == [None] * WORKERS
    with stores[0].read() as conn:
        assert audit.head(conn)[0] == 5 * WORKERS
        assert audit.verify(conn) == []


def renewed(store: Store) -> int:
    with store.write() as conn:
        return tokens.store(conn, "xero", "acme", b"sealed", at=NOW)


def test_what_is_read_and_written_back_is_never_overtaken(stores: list[Store]) -> None:
    versions = at_once(lambda number: renewed(stores[number]))
    assert sorted(versions, key=str) == list(range(1, WORKERS + 1))


def test_nor_where_the_server_would_rather_show_an_older_moment(
    postgresql: Server, stack: ExitStack
) -> None:
    address = make_url(stack.enter_context(postgresql.database()))
    options = {"options": r"-cdefault_transaction_isolation=repeatable\ read"}
    store = open_store(address.update_query_dict(options).render_as_string(hide_password=False))
    stack.callback(store.close)
    versions = at_once(lambda _: renewed(store))
    assert sorted(versions, key=str) == list(range(1, WORKERS + 1))


def reminder(invoice: str) -> Item:
    return Item(
        key=ItemKey(f"reminder/{invoice}/first/1"),
        kind="reminder",
        invoice=InvoiceId(invoice),
        stage=StageId("first"),
    )


def test_one_of_many_gets_the_lease_and_the_old_token_holds_nothing(stores: list[Store]) -> None:
    with stores[0].write() as conn:
        row_id = an_action(
            conn, a_book(conn), key="k", items=(reminder("I1"),), state="approved", body=TASK
        )
        action = action_by_id(conn, row_id)

    def take(number: int) -> int | None:
        with stores[number].write() as conn:
            return outbox.lease(conn, action, NOW, 10)

    taken = at_once(take)
    assert sorted(taken, key=str) == [1] + [None] * (WORKERS - 1)

    later = NOW + timedelta(minutes=11)
    with stores[1].write() as conn:
        (left,) = outbox.due(conn, action.book_id, later)
        second = outbox.lease(conn, left, later, 10)
        assert second == 2
    with stores[0].write() as conn, pytest.raises(outbox.LeaseLostError):
        outbox.hold_lease(conn, row_id, 1)
    with stores[0].write() as conn:
        outbox.hold_lease(conn, row_id, second)


def test_one_item_is_planned_by_one_of_them(stores: list[Store]) -> None:
    with stores[0].write() as conn:
        row = a_book(conn)

    def plan(number: int) -> bool:
        with stores[number].write() as conn:
            an_action(conn, row, key=f"k{number}", items=(reminder("I1"),))
        return True

    came = at_once(plan)
    assert came.count(True) == 1
    refused = [one for one in came if one is not True]
    assert {type(one) for one in refused} == {IntegrityError}


def test_a_company_becomes_one_book_and_a_promise_one_promise(stores: list[Store]) -> None:
    def connect(number: int) -> int:
        with stores[number].write() as conn:
            book = books.register(conn, COMPANY, name="acme", connected_on=TODAY).id
            name = commitments.new_id(conn, book, "pause", "C1", TODAY)
            pause = Pause(id=name, customer=CustomerId("C1"), on=TODAY, until=TODAY)
            commitments.add(conn, book, pause)
            return book

    assert len(set(at_once(connect))) == 1
    with stores[0].read() as conn:
        (book,) = books.all_books(conn)
        assert len({one.id for one in commitments.listed(conn, book.id)}) == WORKERS


def test_the_same_record_is_told_of_by_all_and_waits_once(stores: list[Store]) -> None:
    with stores[0].write() as conn:
        a_book(conn)
    told = [Nudge(company_id="acme", entity="invoices", record_id=str(n)) for n in range(20)]

    def tell(number: int) -> int:
        with stores[number].write() as conn:
            return nudges.add(conn, "xero", told[number:] + told[:number], at=NOW)

    assert at_once(tell) == [20] * WORKERS
    with stores[0].read() as conn:
        assert len(nudges.waiting(conn, "xero", "acme")) == 20


def test_an_empty_database_is_set_up_once(
    request: pytest.FixtureRequest, backend: str, tmp_path: object, stack: ExitStack
) -> None:
    if backend == "postgresql":
        url = stack.enter_context(request.getfixturevalue("postgresql").database(tables=False))
    else:
        url = f"sqlite:///{tmp_path}/empty.db"

    def start(_: int) -> int:
        store = open_store(url)
        try:
            with store.read() as conn:
                return int(conn.execute(text("select count(*) from books")).scalar_one())
        finally:
            store.close()

    assert at_once(start, 4) == [0] * 4
