"""Whose parent is who, as the ledger says, without reading customers."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from ar_bridge.store.parts import parts_of
from ar_bridge.store.tables import customers


def parents(conn: Connection, book_id: int) -> dict[str, str]:
    """Parent by customer; customers without one are left out."""
    rows = conn.execute(
        select(customers.c.id, customers.c.parent).where(
            customers.c.book_id == book_id, customers.c.parent.is_not(None)
        )
    )
    return {row.id: row.parent for row in rows}


def known(conn: Connection, book_id: int, ids: Collection[str]) -> set[str]:
    """Those of the ids that the ledger has a customer for."""
    found = set[str]()
    for some in parts_of(ids):
        query = select(customers.c.id).where(
            customers.c.book_id == book_id, customers.c.id.in_(some)
        )
        found.update(conn.execute(query).scalars())
    return found
