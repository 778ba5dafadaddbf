"""Books: which company's receivables these are, and how far they have been read.

A book is found by (tenant, ledger, company id). Its name in the configuration may change.
"""

from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, select

from ar_bridge.store.bodies import Bodies, body_of, day, instant, instant_text
from ar_bridge.store.tables import books
from connectors.port import Cursor
from rules.model import Company

DEFAULT_TENANT = "default"

STATES = ("normal", "rebuilt")
"""rebuilt: our database was lost and the ledger knows of actions that we do not."""


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """One connected book."""

    id: int
    tenant_id: str
    ledger: str
    company_id: str
    name: str
    company: Company
    """As last read from the ledger, with `connected_on` filled in."""
    connected_on: date
    state: str
    cursor: Cursor | None
    synced_at: datetime | None
    """When the last complete reading began: the data are at least this old."""
    full_synced_at: datetime | None = None
    """When the last reading of everything began: what went away unseen since is not known."""
    entered_through: date | None = None


_companies: Bodies[Company] = Bodies(Company)
_cursors: Bodies[Cursor] = Bodies(Cursor)


def register(
    conn: Connection,
    company: Company,
    *,
    name: str,
    connected_on: date,
    tenant: str = DEFAULT_TENANT,
) -> BookRow:
    """Store a book at its first connection, or refresh its company and name at a later one.

    The day of connection is written once and never moves: fees and stages count from it.
    """
    known = find(conn, company.ledger, company.id, tenant=tenant)
    stored = body_of(msgspec.structs.replace(company, connected_on=None))
    if known is not None:
        conn.execute(books.update().where(books.c.id == known.id).values(company=stored, name=name))
        return get(conn, known.id)
    inserted = conn.execute(
        books.insert().values(
            tenant_id=tenant,
            ledger=company.ledger,
            company_id=company.id,
            name=name,
            company=stored,
            connected_on=connected_on.isoformat(),
        )
    ).inserted_primary_key
    assert inserted is not None
    return get(conn, inserted[0])


def find(
    conn: Connection, ledger: str, company_id: str, *, tenant: str = DEFAULT_TENANT
) -> BookRow | None:
    """The book of this company, or None where it was never connected."""
    row = (
        conn.execute(
            select(books).where(
                books.c.tenant_id == tenant,
                books.c.ledger == ledger,
                books.c.company_id == company_id,
            )
        )
        .mappings()
        .first()
    )
    return _book_row(row) if row else None


def get(conn: Connection, book_id: int) -> BookRow:
    """A book by its row id. Raises NoResultFound."""
    return _book_row(conn.execute(select(books).where(books.c.id == book_id)).mappings().one())


def all_books(conn: Connection, *, tenant: str = DEFAULT_TENANT) -> list[BookRow]:
    """Every book of a tenant, in the order of their connection."""
    query = select(books).where(books.c.tenant_id == tenant).order_by(books.c.id)
    return [_book_row(row) for row in conn.execute(query).mappings()]


def record_sync(
    conn: Connection,
    book_id: int,
    *,
    cursor: Cursor | None,
    synced_at: datetime,
    is_full: bool = False,
) -> None:
    """Remember how far the ledger was read. Without a cursor the next reading is a full one."""
    read = {"synced_at": instant_text(synced_at)}
    if is_full:
        read["full_synced_at"] = instant_text(synced_at)
    _set(
        conn,
        book_id,
        cursor=msgspec.json.encode(cursor).decode() if cursor is not None else None,
        **read,
    )


def set_company(conn: Connection, book_id: int, company: Company) -> None:
    """The company as the ledger states it now."""
    _set(conn, book_id, company=body_of(msgspec.structs.replace(company, connected_on=None)))


def set_state(conn: Connection, book_id: int, state: str) -> None:
    """Mark a book as rebuilt, or as normal again."""
    if state not in STATES:
        raise ValueError(f"a book is {' or '.join(STATES)}, not {state!r}")
    _set(conn, book_id, state=state)


def read_again(conn: Connection, book_id: int) -> None:
    """Have everything read from the ledger at the next sync."""
    _set(conn, book_id, cursor=None, full_synced_at=None)


def set_entered_through(conn: Connection, book_id: int, through: date | None) -> None:
    """A person says up to which day payments have been entered."""
    _set(conn, book_id, entered_through=through.isoformat() if through else None)


def _set(conn: Connection, book_id: int, **columns: Any) -> None:
    conn.execute(books.update().where(books.c.id == book_id).values(**columns))


def _book_row(row: RowMapping) -> BookRow:
    connected_on = date.fromisoformat(row["connected_on"])
    return BookRow(
        id=row["id"],
        tenant_id=row["tenant_id"],
        ledger=row["ledger"],
        company_id=row["company_id"],
        name=row["name"],
        company=msgspec.structs.replace(_companies.read(row["company"]), connected_on=connected_on),
        connected_on=connected_on,
        state=row["state"],
        # The cursor carries its own v.
        cursor=_cursors.read(row["cursor"]) if row["cursor"] else None,
        synced_at=instant(row["synced_at"]),
        full_synced_at=instant(row["full_synced_at"]),
        entered_through=day(row["entered_through"]),
    )
