"""The audit chain: any later change shows, and personal data can still be erased."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.store import tables
from ar_bridge.store.engine import Store
from tests.store.records import NOW


def _filled(conn: Connection, entries: int = 4) -> None:
    for number in range(entries):
        audit.append(
            conn,
            book_id=1 + number % 2,
            at=NOW + timedelta(minutes=number),
            actor="ann",
            event="PromiseRecorded" if number % 2 else "ActionApproved",
            subject=f"INV-{number}",
            payload={"amount": number, "who": "Zoë"},
        )


def test_entries_are_numbered_and_found_again_newest_first(store: Store) -> None:
    with store.write() as conn:
        _filled(conn)
        assert [entry.seq for entry in audit.history(conn)] == [4, 3, 2, 1]
        (entry,) = audit.history(conn, subject="INV-1")
        assert (entry.seq, entry.book_id, entry.actor) == (2, 2, "ann")
        assert (entry.event, entry.at) == ("PromiseRecorded", NOW + timedelta(minutes=1))
        assert entry.payload == {"amount": 1, "who": "Zoë"}
        assert [e.seq for e in audit.history(conn, book_id=1)] == [3, 1]
        assert [e.seq for e in audit.history(conn, events=["ActionApproved"], limit=1)] == [3]
        assert [e.seq for e in audit.history(conn, since=NOW + timedelta(minutes=3))] == [4]
        assert audit.head(conn) == (4, audit.history(conn, limit=1)[0].hash)
        assert audit.verify(conn) == []


def test_an_empty_chain_holds(store: Store) -> None:
    with store.read() as conn:
        assert audit.verify(conn) == []
        assert audit.head(conn)[0] == 0


def test_an_entry_goes_with_the_transaction_that_it_tells_of(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as conn:
        _filled(conn)
        raise RuntimeError
    with store.write() as conn:
        assert audit.history(conn) == []
        _filled(conn, 1)
        assert audit.verify(conn) == []


def _edit(conn: Connection, **values: object) -> None:
    conn.execute(tables.audit.update().where(tables.audit.c.seq == 2).values(**values))


def _payload(conn: Connection, **values: object) -> None:
    payloads = tables.audit_payloads
    conn.execute(payloads.update().where(payloads.c.seq == 2).values(**values))


def _cut_out(conn: Connection) -> None:
    for table in (tables.audit_payloads, tables.audit):
        conn.execute(table.delete().where(table.c.seq == 2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: _edit(c, actor="bob"), "audit entry 2: was changed"),
        (lambda c: _edit(c, book_id=7), "audit entry 2: was changed"),
        (lambda c: _edit(c, at="2020-01-01T00:00:00+00:00"), "audit entry 2: was changed"),
        (lambda c: _edit(c, previous="0" * 64), "audit entry 2: does not follow"),
        (lambda c: _payload(c, body='{"amount":0}'), "audit entry 2: its payload was changed"),
        (lambda c: _payload(c, body=None), "audit entry 2: its payload is gone"),
        (_cut_out, "audit entry 3: entries 2 to 2 are missing"),
    ],
)
def test_every_kind_of_tampering_shows(
    store: Store, change: Callable[[Connection], None], said: str
) -> None:
    with store.write() as conn:
        _filled(conn)
        change(conn)
        assert str(audit.verify(conn)[0]).startswith(said)


def test_erasing_a_payload_leaves_the_chain_whole(store: Store) -> None:
    with store.write() as conn:
        _filled(conn)
        assert audit.erase(conn, [2, 99]) == 1
        assert audit.erase(conn, [2]) == 0
        assert audit.verify(conn) == []
        (entry,) = audit.history(conn, subject="INV-1")
        assert entry.payload is None
