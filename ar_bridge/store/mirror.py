"""The ledger's records as last read: customers, invoices, payments, credits, estimates.

Rows that could not be read are named in `store.quarantine`. A record that was readable
before keeps its last readable state next to its quarantine row; whoever loads the book sees
both and leaves its customer alone (see `book_loader`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Table, bindparam, case, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from ar_bridge.store import quarantine
from ar_bridge.store.bodies import Bodies, body_of
from ar_bridge.store.tables import credits, customers, estimates, invoices, payments
from connectors.port import Record
from rules.model import CreditNote, Customer, Estimate, Invoice, Payment

ENTITIES: Final = ("customers", "invoices", "payments", "credits", "estimates")

_TABLES: Final[Mapping[str, Table]] = {
    "customers": customers,
    "invoices": invoices,
    "payments": payments,
    "credits": credits,
    "estimates": estimates,
}

CHUNK: Final = 1_000
"""Rows of one executemany: 73,000 rows/s on SQLite; larger chunks gain nothing."""

_LOOKUP: Final = 500
"""Values of one IN list."""

T = TypeVar("T")

_invoices: Bodies[Invoice] = Bodies(Invoice)
_customers: Bodies[Customer] = Bodies(Customer)


class OpenInvoice(msgspec.Struct, frozen=True):
    """What a sync has to know of an invoice that we hold for open."""

    number: str
    customer: str


def upsert(
    conn: Connection,
    book_id: int,
    entity: str,
    records: Sequence[Record],
    *,
    seen_on: date,
    tenant: str = "default",
) -> None:
    """Store records as they are now. `seen_on` is the day on which an invoice that is no longer
    open left the open set, unless it had left it before.

    An invoice whose content changed loses its `next_on`: it is to be decided again.
    """
    table = _TABLES[entity]
    statement = _upsert_statement(conn, table)
    for chunk in _chunks(records, CHUNK):
        conn.execute(
            statement,
            [
                {"tenant_id": tenant, "book_id": book_id, **_columns(record, seen_on)}
                for record in chunk
            ],
        )
    quarantine.release(conn, book_id, entity, {record.id for record in records})


def mark_deleted(conn: Connection, book_id: int, ids: Collection[str], *, seen_on: date) -> None:
    """Invoices that no longer exist in the ledger: nothing is owed on them."""
    gone = [
        msgspec.structs.replace(invoice, status="deleted", balance=0)
        for invoice in invoices_by_id(conn, book_id, ids)
    ]
    upsert(conn, book_id, "invoices", gone, seen_on=seen_on)


def remove(conn: Connection, book_id: int, entity: str, ids: Collection[str]) -> None:
    """Forget customers, payments or credits that the ledger no longer has."""
    if entity == "invoices":
        raise ValueError("an invoice is marked deleted, never forgotten: we may have acted on it")
    table = _TABLES[entity]
    for some in _chunks(sorted(ids), _LOOKUP):
        conn.execute(table.delete().where(table.c.book_id == book_id, table.c.id.in_(some)))
    quarantine.release(conn, book_id, entity, ids)


def open_invoices(conn: Connection, book_id: int) -> dict[str, OpenInvoice]:
    """Invoices that we hold for open, by id."""
    rows = conn.execute(
        select(invoices.c.id, invoices.c.number, invoices.c.customer).where(
            invoices.c.book_id == book_id, invoices.c.status == "open"
        )
    )
    return {row.id: OpenInvoice(row.number, row.customer) for row in rows}


def bodies(conn: Connection, book_id: int, entity: str) -> Iterator[tuple[str, str]]:
    """(id, stored body) of every record of an entity."""
    table = _TABLES[entity]
    for row in conn.execute(select(table.c.id, table.c.body).where(table.c.book_id == book_id)):
        yield row.id, row.body


def owners(conn: Connection, book_id: int, entity: str, ids: Collection[str]) -> dict[str, str]:
    """The customers of these invoices, payments or credits, as far as they are known."""
    table = _TABLES[entity]
    owner = table.c.id if entity == "customers" else table.c.customer
    found: dict[str, str] = {}
    for some in _chunks(sorted(ids), _LOOKUP):
        rows = conn.execute(
            select(table.c.id, owner.label("owner")).where(
                table.c.book_id == book_id, table.c.id.in_(some)
            )
        )
        found.update((row.id, row.owner) for row in rows)
    return found


def invoices_by_id(conn: Connection, book_id: int, ids: Collection[str]) -> list[Invoice]:
    """These invoices, as last read; unknown ids are left out."""
    found: list[Invoice] = []
    for some in _chunks(sorted(ids), _LOOKUP):
        rows = conn.execute(
            select(invoices.c.body).where(invoices.c.book_id == book_id, invoices.c.id.in_(some))
        )
        found.extend(_invoices.read(row.body) for row in rows)
    return found


def invoices_named(conn: Connection, book_id: int, name: str) -> list[Invoice]:
    """Invoices by id or by number; more than one where a number was used twice."""
    rows = conn.execute(
        select(invoices.c.body)
        .where(
            invoices.c.book_id == book_id,
            or_(invoices.c.id == name, invoices.c.number == name),
        )
        .order_by(invoices.c.id)
    )
    return [_invoices.read(row.body) for row in rows]


def customers_named(conn: Connection, book_id: int, name: str) -> list[Customer]:
    """Customers by id or by name, upper and lower case alike."""
    rows = conn.execute(
        select(customers.c.body)
        .where(
            customers.c.book_id == book_id,
            or_(customers.c.id == name, func.lower(customers.c.name) == name.lower()),
        )
        .order_by(customers.c.id)
    )
    return [_customers.read(row.body) for row in rows]


def decide_again(conn: Connection, book_id: int, ids: Collection[str]) -> None:
    """Have the open invoices of these customers looked at in the next run, whatever it was
    waiting for."""
    for some in _chunks(sorted(ids), _LOOKUP):
        conn.execute(
            invoices.update()
            .where(
                invoices.c.book_id == book_id,
                invoices.c.status == "open",
                invoices.c.customer.in_(some),
                invoices.c.next_on.is_not(None),
            )
            .values(next_on=None)
        )


def set_next_on(conn: Connection, book_id: int, days: Mapping[str, date | None]) -> None:
    """When each invoice is to be decided again; None: in the next run. Only changes are written."""
    known = {
        row.id: row.next_on
        for row in conn.execute(
            select(invoices.c.id, invoices.c.next_on).where(
                invoices.c.book_id == book_id, invoices.c.status == "open"
            )
        )
    }
    changed = [
        {"invoice": invoice, "day": text}
        for invoice, day in days.items()
        if invoice in known and known[invoice] != (text := day.isoformat() if day else None)
    ]
    statement = (
        invoices.update()
        .where(invoices.c.book_id == book_id, invoices.c.id == bindparam("invoice"))
        .values(next_on=bindparam("day"))
    )
    for some in _chunks(changed, CHUNK):
        conn.execute(statement, some)


def _columns(record: Record, seen_on: date) -> dict[str, Any]:
    match record:
        case Invoice():
            return {
                "id": record.id,
                "number": record.number,
                "customer": record.customer,
                "due_on": record.due_on.isoformat() if record.due_on else None,
                "status": record.status,
                "balance": record.balance,
                "body": body_of(record),
                "closed_on": None if record.status == "open" else seen_on.isoformat(),
            }
        case Customer():
            return {
                "id": record.id,
                "parent": record.parent,
                "name": record.name,
                "body": body_of(record),
            }
        case Payment():
            return {
                "id": record.id,
                "customer": record.customer,
                "on": record.on.isoformat(),
                "unapplied": record.unapplied,
                "body": body_of(record),
            }
        case CreditNote():
            return {
                "id": record.id,
                "customer": record.customer,
                "on": record.on.isoformat(),
                "remaining": record.remaining,
                "body": body_of(record),
            }
        case Estimate():
            return {
                "id": record.id,
                "customer": record.customer,
                "on": record.on.isoformat(),
                "status": record.status,
                "body": body_of(record),
            }


def _upsert_statement(conn: Connection, table: Table) -> Any:
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    new = statement.excluded
    changes: dict[str, Any] = {
        column.name: new[column.name]
        for column in table.columns
        if column.name not in (*keys, "tenant_id")
    }
    if table is invoices:
        changes["closed_on"] = case(
            (new.status == "open", None),
            else_=func.coalesce(invoices.c.closed_on, new.closed_on),
        )
        changes["next_on"] = case((invoices.c.body == new.body, invoices.c.next_on), else_=None)
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def _chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
