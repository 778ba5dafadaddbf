"""The ledger's records as last read: customers, invoices, payments, credits, estimates.

Rows that could not be read are named in `store.quarantine`. A record that was readable
before keeps its last readable state next to its quarantine row; whoever loads the book sees
both and leaves its customer alone (see `book_loader`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Table, case, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from ar_bridge.store import quarantine
from ar_bridge.store.bodies import Bodies, body_of
from ar_bridge.store.parts import rows_of
from ar_bridge.store.tables import (
    credits,
    customers,
    estimates,
    invoices,
    payments,
    plannings,
    touched_customers,
)
from connectors.port import Record
from rules.model import CreditNote, Customer, CustomerId, Estimate, Invoice, Payment

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


class Change(msgspec.Struct, frozen=True):
    """A record that is new or says something else than before."""

    record: Record
    before: str | None
    """Its stored body; None for a new one."""


def upsert(
    conn: Connection,
    book_id: int,
    entity: str,
    records: Sequence[Record],
    *,
    seen_on: date,
    tenant: str = "default",
) -> list[Change]:
    """Store records as they are now; returns those that changed. `seen_on` is the day on which
    an invoice that is no longer open left the open set, unless it had left it before.

    Whose account a change is about is noted by the database itself (`store.agenda`). An inactive
    customer without a parent keeps the one that we know: who took over its documents.
    """
    table = _TABLES[entity]
    statement = _upsert_statement(conn, table)
    changes: list[Change] = []
    for chunk in _chunks(records, _LOOKUP):
        known = _bodies_by_id(conn, book_id, table, [record.id for record in chunk])
        fresh: list[Change] = []
        for record in chunk:
            before = known.get(record.id)
            if before is not None and isinstance(record, Customer):
                record = _with_known_parent(record, before)
            if before != body_of(record):
                fresh.append(Change(record, before))
        if fresh:
            conn.execute(
                statement,
                [
                    {"tenant_id": tenant, "book_id": book_id, **_columns(one.record, seen_on)}
                    for one in fresh
                ],
            )
        changes += fresh
    quarantine.release(conn, book_id, entity, {record.id for record in records})
    return changes


def _bodies_by_id(
    conn: Connection, book_id: int, table: Table, ids: Sequence[str]
) -> dict[str, str]:
    rows = conn.execute(
        select(table.c.id, table.c.body).where(table.c.book_id == book_id, table.c.id.in_(ids))
    )
    return {row.id: row.body for row in rows}


def _with_known_parent(record: Customer, before: str) -> Customer:
    if record.is_active or record.parent is not None:
        return record
    known = _customers.read(before)
    return record if known.parent is None else msgspec.structs.replace(record, parent=known.parent)


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


def name_only(
    conn: Connection, book_id: int, ids: Collection[str], *, taken_over_by: Mapping[str, str] = {}
) -> None:
    """Customers that the ledger no longer has while we still need them: kept by name, so that
    nobody writes to them, and with whoever took over their documents."""
    kept: list[Customer] = []
    for some in _chunks(sorted(ids), _LOOKUP):
        for body in _bodies_by_id(conn, book_id, customers, some).values():
            known = _customers.read(body)
            survivor = taken_over_by.get(known.id) or known.parent
            kept.append(
                Customer(
                    id=known.id,
                    name=known.name,
                    currency=known.currency,
                    is_active=False,
                    parent=CustomerId(survivor) if survivor else None,
                )
            )
    upsert(conn, book_id, "customers", kept, seen_on=date.min)


def set_parents(conn: Connection, book_id: int, taken_over_by: Mapping[str, str]) -> None:
    """Have the documents of merged customers looked at together with those of the survivors."""
    known = customers_by_id(conn, book_id, taken_over_by)
    changed: list[Record] = [
        msgspec.structs.replace(customer, parent=CustomerId(taken_over_by[name]))
        for name, customer in known.items()
    ]
    upsert(conn, book_id, "customers", changed, seen_on=date.min)


def customers_by_id(conn: Connection, book_id: int, ids: Collection[str]) -> dict[str, Customer]:
    """These customers, as last read; unknown ids are left out."""
    return {
        known: _customers.read(body)
        for some in _chunks(sorted(ids), _LOOKUP)
        for known, body in _bodies_by_id(conn, book_id, customers, some).items()
    }


def parents(conn: Connection, book_id: int) -> set[str]:
    """Customers that another one names as its payer."""
    rows = conn.execute(
        select(customers.c.parent)
        .where(customers.c.book_id == book_id, customers.c.parent.is_not(None))
        .distinct()
    )
    return {row.parent for row in rows}


def everybody(conn: Connection, book_id: int) -> set[str]:
    """Ids of all customers, those included that only an invoice names."""
    known = set(
        conn.execute(select(customers.c.id).where(customers.c.book_id == book_id)).scalars()
    )
    named = select(invoices.c.customer).where(invoices.c.book_id == book_id).distinct()
    return known | set(conn.execute(named).scalars())


def open_invoices(
    conn: Connection, book_id: int, ids: Collection[str] | None = None
) -> dict[str, OpenInvoice]:
    """Invoices that we hold for open, by id: of these ids, or all (None)."""
    query = select(invoices.c.id, invoices.c.number, invoices.c.customer).where(
        invoices.c.book_id == book_id, invoices.c.status == "open"
    )
    rows = rows_of(conn, query, invoices.c.id, ids)
    return {known: OpenInvoice(number, customer) for known, number, customer in rows}


def bodies(conn: Connection, book_id: int, entity: str) -> Iterator[tuple[str, str]]:
    """(id, stored body) of every record of an entity."""
    table = _TABLES[entity]
    query = select(table.c.id, table.c.body).where(table.c.book_id == book_id)
    for row in conn.execute(query.execution_options(yield_per=CHUNK)):
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


def customer_names(conn: Connection, book_id: int) -> list[str]:
    """The names of all customers, in order."""
    named = select(customers.c.name).where(customers.c.book_id == book_id)
    return list(conn.execute(named.distinct().order_by(customers.c.name)).scalars())


def decide_again(conn: Connection, book_id: int, ids: Collection[str]) -> None:
    """Have these customers looked at in the next run, whatever it was waiting for."""
    for some in _chunks(sorted(set(ids)), CHUNK):
        conn.execute(
            touched_customers.insert(),
            [{"book_id": book_id, "customer": customer} for customer in some],
        )


def decide_all_again(conn: Connection, book_id: int) -> None:
    """Have every account looked at in the next run, whatever it was waiting for."""
    conn.execute(plannings.delete().where(plannings.c.book_id == book_id))


def _columns(record: Record, seen_on: date) -> dict[str, Any]:
    match record:
        case Invoice():
            return {
                "id": record.id,
                "number": _plain(record.number),
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
                "name": _plain(record.name),
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


def _plain(text: str) -> str:
    # PostgreSQL keeps no NUL in a text; in the body it is escaped.
    return text.replace("\0", "")


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
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def _chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
