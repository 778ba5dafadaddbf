"""Ledger records that could not be read: named, and kept apart until they can be read again."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import quarantine
from connectors.port import Quarantined

NAMELESS: Final = "?"
"""First sign of the name we give to a record that cannot even tell its id."""

_LOOKUP = 500


class QuarantineRow(msgspec.Struct, frozen=True, kw_only=True):
    """One unreadable record. `seen_at` is when it was first found so."""

    entity: str
    id: str
    reason: str
    seen_at: datetime
    customer: str = ""
    """Whose it is, as far as the row told when it was last read."""


def add(
    conn: Connection,
    book_id: int,
    records: Iterable[Quarantined],
    *,
    at: datetime,
    tenant: str = "default",
) -> None:
    """Name records that could not be read; the first sighting of each stays."""
    known = {(row.entity, row.id): row for row in listed(conn, book_id)}
    for record in {(record.entity, record.id): record for record in records}.values():
        before = known.get((record.entity, record.id))
        # A reading that tells less does not make us forget whose it is.
        customer = record.customer or (before.customer if before else "")
        if before is not None and (before.reason, before.customer) == (record.reason, customer):
            continue
        release(conn, book_id, record.entity, [record.id])
        conn.execute(
            quarantine.insert().values(
                tenant_id=tenant,
                book_id=book_id,
                entity=record.entity,
                record_id=record.id,
                reason=record.reason,
                seen_at=instant_text(before.seen_at if before else at),
                customer=customer,
            )
        )


def listed(conn: Connection, book_id: int) -> list[QuarantineRow]:
    """Every record that cannot be read at present."""
    rows = conn.execute(
        select(quarantine)
        .where(quarantine.c.book_id == book_id)
        .order_by(quarantine.c.entity, quarantine.c.record_id)
    )
    return [
        QuarantineRow(
            entity=row.entity,
            id=row.record_id,
            reason=row.reason,
            seen_at=datetime.fromisoformat(row.seen_at),
            customer=row.customer,
        )
        for row in rows
    ]


def release(conn: Connection, book_id: int, entity: str, ids: Collection[str]) -> None:
    """Records that were read again, or are gone from the ledger."""
    of_entity = (quarantine.c.book_id == book_id, quarantine.c.entity == entity)
    held = conn.execute(select(quarantine.c.record_id).where(*of_entity)).scalars()
    readable = [record for record in held if record in ids]
    for start in range(0, len(readable), _LOOKUP):
        some = readable[start : start + _LOOKUP]
        conn.execute(quarantine.delete().where(*of_entity, quarantine.c.record_id.in_(some)))
