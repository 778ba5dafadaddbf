"""What was taken back of fees: waivers by a person, reinstatements, corrections of our own."""

from datetime import date
from typing import cast

from sqlalchemy import Connection, select

from ar_bridge.store.tables import waivers
from rules.model import InvoiceId, Waiver
from rules.model.history import TakenBack


def add(conn: Connection, book_id: int, waiver: Waiver, *, tenant: str = "default") -> None:
    """Record what was taken back of one fee document."""
    conn.execute(
        waivers.insert().values(
            tenant_id=tenant,
            book_id=book_id,
            on=waiver.on.isoformat(),
            document=waiver.document,
            amount=waiver.amount,
            reason=waiver.reason,
            kind=waiver.kind,
            invoice=waiver.invoice,
        )
    )


def listed(conn: Connection, book_id: int) -> list[Waiver]:
    """All of a book, in the order in which they were given; amounts as they were said."""
    rows = conn.execute(
        select(waivers).where(waivers.c.book_id == book_id).order_by(waivers.c.id)
    ).mappings()
    return [
        Waiver(
            on=date.fromisoformat(row["on"]),
            document=row["document"],
            amount=row["amount"],
            reason=row["reason"],
            kind=cast(TakenBack, row["kind"]),
            invoice=InvoiceId(row["invoice"]) if row["invoice"] else None,
        )
        for row in rows
    ]
