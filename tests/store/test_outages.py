"""A ledger that does not answer is left alone, for longer each time, and tried by one alone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ar_bridge.store import outages
from ar_bridge.store.engine import open_store
from tests.store.records import NOW, a_book

MINUTE = timedelta(minutes=1)


@pytest.fixture
def conn() -> Iterator[Connection]:
    store = open_store("sqlite://")
    with store.write() as conn:
        a_book(conn)
        yield conn
    store.close()


def fail(conn: Connection, action: int | None, after: timedelta, asked: int = 0) -> None:
    outages.failed(
        conn,
        1,
        action,
        reason="gone",
        now=NOW + after,
        asked=timedelta(seconds=asked) if asked else None,
    )


def is_admitted(conn: Connection, action: int, after: timedelta) -> bool:
    return outages.admit(conn, 1, action, NOW + after) is None


def test_one_failure_may_be_the_records_own(conn: Connection) -> None:
    fail(conn, 7, MINUTE)
    fail(conn, 7, 2 * MINUTE)
    assert is_admitted(conn, 7, 2 * MINUTE) and is_admitted(conn, 8, 2 * MINUTE)


def test_the_wait_doubles_and_one_tries(conn: Connection) -> None:
    for _ in range(outages.THRESHOLD):
        fail(conn, 7, timedelta())
    assert not is_admitted(conn, 8, timedelta(seconds=59))
    assert is_admitted(conn, 8, MINUTE)
    assert not is_admitted(conn, 9, MINUTE)  # while one tries
    fail(conn, 8, MINUTE)
    assert not is_admitted(conn, 8, 2 * MINUTE + timedelta(seconds=59))
    assert is_admitted(conn, 9, 3 * MINUTE)
    outages.answered(conn, 1)
    assert is_admitted(conn, 7, 3 * MINUTE) and is_admitted(conn, 8, 3 * MINUTE)


def test_the_wait_ends_somewhere(conn: Connection) -> None:
    at = timedelta()
    for _ in range(30):
        fail(conn, None, at)
        outage = outages.found(conn, 1)
        assert outage is not None
        if outage.until is not None:
            assert outage.until - (NOW + at) <= outages.LONGEST_WAIT
            at = outage.until - NOW


def test_what_was_under_way_when_others_failed_says_nothing_new(conn: Connection) -> None:
    for action in range(20):
        fail(conn, action, timedelta())
    outage = outages.found(conn, 1)
    assert outage is not None and outage.failures == outages.THRESHOLD
    assert outage.until == NOW + outages.FIRST_WAIT


def test_a_wait_that_was_asked_for_is_kept(conn: Connection) -> None:
    fail(conn, 7, timedelta(), asked=600)
    fail(conn, 8, timedelta(), asked=5)
    assert not is_admitted(conn, 9, 9 * MINUTE)
    assert is_admitted(conn, 9, 10 * MINUTE)


def test_one_that_tried_and_never_came_back_blocks_nobody_for_long(conn: Connection) -> None:
    fail(conn, 7, timedelta(), asked=60)
    assert is_admitted(conn, 8, MINUTE)
    assert is_admitted(conn, 9, MINUTE + outages.PROBE)


def test_the_clock_set_back(conn: Connection) -> None:
    for _ in range(outages.THRESHOLD):
        fail(conn, 7, timedelta(days=30))
    assert is_admitted(conn, 8, timedelta())
