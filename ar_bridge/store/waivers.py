"""Fees that a person let a customer off: they are never charged again."""

from datetime import date

from sqlalchemy import Connection, select

from ar_bridge.store.tables import waivers
from rules.model import Waiver


def add(conn: Connection, book_id: int, waiver: Waiver, *, tenant: str = "default") -> None:
    """Record a waiver of (a part of) one fee document."""
    conn.execute(
        waivers.insert().values(
            tenant_id=tenant,
            book_id=book_id,
            on=waiver.on.isoformat(),
            document=waiver.document,
            amount=waiver.amount,
            reason=waiver.reason,
        )
    )


def listed(conn: Connection, book_id: int) -> list[Waiver]:
    """All waivers of a book, in the order in which they were given."""
    rows = conn.execute(
        select(waivers).where(waivers.c.book_id == book_id).order_by(waivers.c.id)
    ).mappings()
    return [
        Waiver(
            on=date.fromisoformat(row["on"]),
            document=row["document"],
            amount=row["amount"],
            reason=row["reason"],
        )
        for row in rows
    ]
