"""The audit chain: any later change shows, and personal data can still be erased."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ar_bridge import audit
from ar_bridge.store import tables
from ar_bridge.store.engine import Store, open_store
from tests.store.records import NOW
from tests.store.tampering import unguarded


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
        change(unguarded(conn))
        assert str(audit.verify(conn)[0]).startswith(said)


def _erase(conn: Connection, *seqs: int) -> int:
    return audit.erase(
        conn, seqs, book_id=1, at=NOW, actor="ann", reason="asked to", subject="customer/C1"
    )


def test_an_erasure_that_no_entry_tells_of_shows(store: Store) -> None:
    with store.write() as conn:
        _filled(conn)
        _payload(conn, body=None, erased=True)  # what the guards let through
        (problem,) = audit.verify(conn)
        assert str(problem) == "audit entry 2: its payload was erased and no entry says by whom"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'bob' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 4",
        "INSERT INTO audit SELECT 9, tenant_id, book_id, at, actor, event, subject, payload_hash, "
        "previous, hash FROM audit WHERE seq = 4",
        "UPDATE audit_payloads SET body = '{}' WHERE seq = 2",
        "UPDATE audit_payloads SET erased = true WHERE seq = 2",
        "DELETE FROM audit_payloads WHERE seq = 2",
        "DELETE FROM audit_payloads",
    ],
)
def test_the_database_refuses_to_change_the_audit(store: Store, statement: str) -> None:
    with store.write() as conn:
        _filled(conn)
    with pytest.raises(DBAPIError, match="audit entr"), store.write() as conn:
        conn.execute(text(statement))
    with store.read() as conn:
        assert audit.verify(conn) == []
        assert audit.head(conn)[0] == 4


def test_replacing_an_entry_is_refused_too(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'audit.db'}")
    with store.write() as conn:
        _filled(conn)
    for table, columns in (
        (
            "audit",
            "seq, tenant_id, book_id, at, 'bob', event, subject, payload_hash, previous, hash",
        ),
        ("audit_payloads", "seq, '{}', false"),
    ):
        with pytest.raises(DBAPIError, match="audit entr"), store.write() as conn:
            conn.execute(
                text(f"INSERT OR REPLACE INTO {table} SELECT {columns} FROM {table} WHERE seq = 2")
            )
    store.close()


def test_erasing_a_payload_leaves_the_chain_whole(store: Store) -> None:
    with store.write() as conn:
        _filled(conn)
        assert _erase(conn, 2, 99) == 1
        assert _erase(conn, 2) == 0
        assert audit.verify(conn) == []
        told, erasure = audit.history(conn, events=["PersonalDataErased"])
        assert erasure.payload == {"reason": "asked to", "entries": [[2, 2]]}
        # What tells of an erasure stays.
        assert _erase(conn, told.seq, erasure.seq) == 0
        (entry,) = audit.history(conn, subject="INV-1")
        assert entry.payload is None
