"""Readings under way: pages as they arrived, kept until they become part of the book at once.

Each reading is named by the instant at which it began. Its first row says what it reads and who
reads it; the rows after it are its pages, in order.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import pull_pages
from connectors.port import Cursor, Page, Quarantined, Record
from rules.model import CreditNote, Customer, Estimate, Invoice, Payment

_HEAD: Final = 0
"""Position of the row that is no page."""

_AT_ONCE: Final = 4
"""Pages fetched at a time: a page holds a thousand records."""


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """A reading that has begun and is not part of the book yet."""

    began_at: datetime
    is_full: bool
    cursor: Cursor | None
    """What the reading started from; None reads everything."""
    reader: str
    """The process that reads, as `ar_bridge.processes` names it."""
    last_at: datetime
    """When its last page arrived."""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    v: int = 1
    cursor: Cursor | None = None
    reader: str
    last_at: datetime


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    v: int = 1
    entity: str
    records: msgspec.Raw
    quarantined: Sequence[Quarantined] = ()
    removed: Sequence[str] = ()
    total: int | None = None
    cursor: Cursor | None = None
    remarks: Sequence[str] = ()


_encoder = msgspec.msgpack.Encoder()
_heads = msgspec.msgpack.Decoder(_Head)
_pages = msgspec.msgpack.Decoder(_Body)
_records: Final[dict[str, msgspec.msgpack.Decoder[Any]]] = {
    "customers": msgspec.msgpack.Decoder(list[Customer]),
    "invoices": msgspec.msgpack.Decoder(list[Invoice]),
    "payments": msgspec.msgpack.Decoder(list[Payment]),
    "credits": msgspec.msgpack.Decoder(list[CreditNote]),
    "estimates": msgspec.msgpack.Decoder(list[Estimate]),
}


def begin(
    conn: Connection,
    book_id: int,
    *,
    began_at: datetime,
    cursor: Cursor | None,
    reader: str,
    tenant: str = "default",
) -> None:
    """Note that a reading begins. Raises IntegrityError where one began at that very instant."""
    conn.execute(
        pull_pages.insert().values(
            tenant_id=tenant,
            book_id=book_id,
            began_at=instant_text(began_at),
            position=_HEAD,
            is_full=cursor is None,
            body=_encoder.encode(_Head(cursor=cursor, reader=reader, last_at=began_at)),
        )
    )


def append(
    conn: Connection,
    book_id: int,
    began_at: datetime,
    position: int,
    page: Page,
    *,
    at: datetime,
    reader: str,
    tenant: str = "default",
) -> bool:
    """Keep a page (positions count from 1). False where another process has gone on with this
    reading: nothing is kept then."""
    head = _head(conn, book_id, began_at)
    if head is None or head.reader != reader:
        return False
    conn.execute(
        pull_pages.insert().values(
            tenant_id=tenant,
            book_id=book_id,
            began_at=instant_text(began_at),
            position=position,
            is_full=head.cursor is None,
            body=_encoder.encode(
                _Body(
                    entity=page.entity,
                    records=msgspec.Raw(_encoder.encode(list(page.records))),
                    quarantined=page.quarantined,
                    removed=page.removed,
                    total=page.total,
                    cursor=page.cursor,
                    remarks=page.remarks,
                )
            ),
            resume=page.resume,
        )
    )
    _set_head(conn, book_id, began_at, msgspec.structs.replace(head, last_at=at))
    return True


def take_over(
    conn: Connection, book_id: int, began_at: datetime, *, reader: str, at: datetime
) -> None:
    """Go on with the reading of a process that is gone."""
    head = _head(conn, book_id, began_at)
    if head is not None:
        head = msgspec.structs.replace(head, reader=reader, last_at=at)
        _set_head(conn, book_id, began_at, head)


def under_way(conn: Connection, book_id: int) -> list[UnderWay]:
    """Every reading that has begun, the newest first."""
    rows = conn.execute(
        select(pull_pages.c.began_at, pull_pages.c.is_full, pull_pages.c.body)
        .where(pull_pages.c.book_id == book_id, pull_pages.c.position == _HEAD)
        .order_by(pull_pages.c.began_at.desc())
    )
    found = []
    for row in rows:
        head = _heads.decode(row.body)
        found.append(
            UnderWay(
                began_at=datetime.fromisoformat(row.began_at),
                is_full=row.is_full,
                cursor=head.cursor,
                reader=head.reader,
                last_at=head.last_at,
            )
        )
    return found


def pages(conn: Connection, book_id: int, began_at: datetime) -> Iterator[tuple[int, Page]]:
    """The pages of a reading with their positions, in order and a few at a time."""
    after = _HEAD
    while True:
        rows = conn.execute(
            select(pull_pages.c.position, pull_pages.c.body, pull_pages.c.resume)
            .where(
                pull_pages.c.book_id == book_id,
                pull_pages.c.began_at == instant_text(began_at),
                pull_pages.c.position > after,
            )
            .order_by(pull_pages.c.position)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        for row in rows:
            after = row.position
            yield row.position, _page(row.body, row.resume)


def drop(conn: Connection, book_id: int, began_at: datetime) -> None:
    """Forget a reading: it is part of the book now, or too old to go on with."""
    conn.execute(
        pull_pages.delete().where(
            pull_pages.c.book_id == book_id, pull_pages.c.began_at == instant_text(began_at)
        )
    )


def _page(body: bytes, resume: str) -> Page:
    kept = _pages.decode(body)
    records: list[Record] = _records[kept.entity].decode(kept.records)
    return Page(
        entity=kept.entity,
        records=records,
        quarantined=kept.quarantined,
        removed=kept.removed,
        total=kept.total,
        cursor=kept.cursor,
        remarks=kept.remarks,
        resume=resume,
    )


def _head(conn: Connection, book_id: int, began_at: datetime) -> _Head | None:
    body = conn.execute(
        select(pull_pages.c.body).where(
            pull_pages.c.book_id == book_id,
            pull_pages.c.began_at == instant_text(began_at),
            pull_pages.c.position == _HEAD,
        )
    ).scalar()
    return _heads.decode(body) if body is not None else None


def _set_head(conn: Connection, book_id: int, began_at: datetime, head: _Head) -> None:
    conn.execute(
        pull_pages.update()
        .where(
            pull_pages.c.book_id == book_id,
            pull_pages.c.began_at == instant_text(began_at),
            pull_pages.c.position == _HEAD,
        )
        .values(body=_encoder.encode(head))
    )
