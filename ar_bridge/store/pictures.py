"""Pictures: how much of a book is open and overdue, and how much was at its last plan."""

from collections.abc import Collection
from datetime import date

import msgspec
from sqlalchemy import Connection, case, func, select

from ar_bridge.store.counters import COUNTED, INTERNAL
from ar_bridge.store.tables import actions, invoices, pictures
from rules.actions.action import RenderedMessage

_message = msgspec.json.Decoder(RenderedMessage)


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of invoices on a day."""

    on: date
    open: int
    overdue: int


def kept(conn: Connection, book_id: int) -> Picture | None:
    """The book at its last plan that was in order."""
    row = conn.execute(select(pictures).where(pictures.c.book_id == book_id)).first()
    if row is None:
        return None
    return Picture(on=date.fromisoformat(row.on), open=row.open, overdue=row.overdue)


def keep(conn: Connection, book_id: int, picture: Picture) -> None:
    """Remember how the book looks now."""
    values = {"on": picture.on.isoformat(), "open": picture.open, "overdue": picture.overdue}
    changed = conn.execute(pictures.update().where(pictures.c.book_id == book_id).values(**values))
    if not changed.rowcount:
        conn.execute(pictures.insert().values(book_id=book_id, **values))


def taken(conn: Connection, book_id: int, on: date, since: date | None) -> tuple[Picture, int]:
    """The book now, and how many of its open invoices fell due between `since` and the day."""
    overdue = invoices.c.due_on < on.isoformat()
    fresh = overdue & (invoices.c.due_on >= (since or on).isoformat())
    row = conn.execute(
        select(
            func.count().label("open"),
            func.coalesce(func.sum(case((overdue, 1), else_=0)), 0).label("overdue"),
            func.coalesce(func.sum(case((fresh, 1), else_=0)), 0).label("fresh"),
        ).where(invoices.c.book_id == book_id, invoices.c.status == "open")
    ).one()
    return Picture(on=on, open=int(row.open), overdue=int(row.overdue)), int(row.fresh)


def last_addresses(
    conn: Connection, book_id: int, customers: Collection[str]
) -> dict[str, frozenset[str]]:
    """Where the last message to each of these customers went, by e-mail."""
    found: dict[str, frozenset[str]] = {}
    wanted = sorted(customers)
    for start in range(0, len(wanted), 500):
        newest = (
            select(func.max(actions.c.id))
            .where(
                actions.c.book_id == book_id,
                actions.c.customer.in_(wanted[start : start + 500]),
                actions.c.state == "done",
                actions.c.channel == "email",
                actions.c.message.is_not(None),
                actions.c.kind != INTERNAL,
            )
            .group_by(actions.c.customer)
        )
        rows = conn.execute(
            select(actions.c.customer, actions.c.message).where(actions.c.id.in_(newest))
        )
        found.update((row.customer, frozenset(_message.decode(row.message).to)) for row in rows)
    return found


def messages_begun(
    conn: Connection, book_id: int, day: date, kinds: Collection[str]
) -> dict[str, int]:
    """Customer -> messages of these kinds that count to a day."""
    rows = conn.execute(
        select(actions.c.customer, func.count())
        .where(
            actions.c.book_id == book_id,
            actions.c.begun_on == day.isoformat(),
            actions.c.kind.in_(sorted(kinds)),
            actions.c.state.in_(COUNTED),
        )
        .group_by(actions.c.customer)
    )
    return {customer: count for customer, count in rows}
