"""Whatever single thing is changed in the audit's tables, `verify` finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from ar_bridge import audit
from ar_bridge.store import tables
from ar_bridge.store.engine import Store, open_store
from tests.store.records import NOW
from tests.store.tampering import unguarded

ENTRIES = 7
ERASED = 3


@pytest.fixture(scope="module")
def tampered() -> Iterator[Store]:
    """A chain of which one payload was erased in the open, without guards or foreign keys."""
    store = open_store("sqlite://")
    with store.write() as conn:
        for number in range(1, ENTRIES):
            audit.append(
                conn,
                book_id=number % 2 or None,
                at=NOW + timedelta(minutes=number),
                actor=f"ann {number % 3}",
                event="PromiseRecorded",
                subject=f"INV-{number}",
                payload={"amount": number},
            )
        audit.erase(
            conn, [ERASED], book_id=1, at=NOW, actor="ann", reason="asked to", subject="customer/C"
        )
        unguarded(conn)
    with store.read() as conn:
        conn.exec_driver_sql("COMMIT")  # the pragma means nothing within a transaction
        conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
        conn.exec_driver_sql("BEGIN")
        assert audit.verify(conn) == []
        assert audit.head(conn)[0] == ENTRIES
    yield store
    store.close()


class _BackAgain(Exception):
    """Ends a transaction of which nothing is kept."""


@contextmanager
def _for_once(store: Store) -> Iterator[Connection]:
    try:
        with store.write() as conn:
            yield conn
            raise _BackAgain
    except _BackAgain:
        pass


def _value(column: Any) -> st.SearchStrategy[Any]:
    if column.name in ("seq", "book_id"):
        return st.integers(0, 40) | (st.none() if column.nullable else st.nothing())
    if column.name == "erased":
        return st.booleans()
    texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
    return texts | (st.none() if column.nullable else st.nothing())


@given(data=st.data())
def test_any_change_of_any_field_is_found(tampered: Store, data: st.DataObject) -> None:
    table = data.draw(st.sampled_from([tables.audit, tables.audit_payloads]))
    column = data.draw(st.sampled_from(list(table.columns)))
    seq = data.draw(st.integers(1, ENTRIES))
    value = data.draw(_value(column))
    with _for_once(tampered) as conn:
        before = conn.execute(select(column).where(table.c.seq == seq)).scalar_one()
        taken = column.name == "seq" and value in set(conn.execute(select(column)).scalars())
        if value == before or taken:
            return
        conn.execute(table.update().where(table.c.seq == seq).values({column.name: value}))
        assert audit.verify(conn) != []


@given(seq=st.integers(1, ENTRIES - 1), whole=st.booleans())
def test_any_deletion_is_found(tampered: Store, seq: int, whole: bool) -> None:
    with _for_once(tampered) as conn:
        conn.execute(tables.audit_payloads.delete().where(tables.audit_payloads.c.seq == seq))
        if whole:
            conn.execute(tables.audit.delete().where(tables.audit.c.seq == seq))
        assert audit.verify(conn) != []


@given(pair=st.sets(st.integers(1, ENTRIES), min_size=2, max_size=2), whole=st.booleans())
def test_any_swap_is_found(tampered: Store, pair: set[int], whole: bool) -> None:
    one, other = sorted(pair)
    swapped = ("audit", "audit_payloads") if whole else ("audit_payloads",)
    with _for_once(tampered) as conn:
        for table in swapped:
            for old, new in ((one, 99), (other, one), (99, other)):
                conn.execute(text(f"UPDATE {table} SET seq = {new} WHERE seq = {old}"))
        assert audit.verify(conn) != []


@given(of=st.integers(1, ENTRIES), at=st.integers(0, ENTRIES + 3))
def test_any_insertion_of_a_copy_is_found(tampered: Store, of: int, at: int) -> None:
    with _for_once(tampered) as conn:
        for table in ("audit_payloads", "audit"):
            conn.execute(text(f"UPDATE {table} SET seq = -seq - 1 WHERE seq >= {at}"))
            conn.execute(text(f"UPDATE {table} SET seq = -seq WHERE seq < 0"))
            columns = ", ".join(
                c.name for c in tables.metadata.tables[table].columns if c.name != "seq"
            )
            source = of + 1 if of >= at else of
            conn.execute(
                text(
                    f"INSERT INTO {table} (seq, {columns}) SELECT {at}, {columns} FROM {table} "
                    f"WHERE seq = {source}"
                )
            )
        assert audit.verify(conn) != []
