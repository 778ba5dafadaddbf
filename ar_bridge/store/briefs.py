"""Briefs to the owner: one for each local day, stored before it is sent."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, func, select

from ar_bridge.store.bodies import instant, instant_text
from ar_bridge.store.tables import actions, briefs
from rules.actions.effects import SendMessage

SENDING: Final = "sending"
SENT: Final = "sent"
QUIET: Final = "quiet"
"""There was nothing to say, and the owner wants no mail then."""
LATER: Final = "later"
UNKNOWN: Final = "unknown"
REFUSED: Final = "refused"


class BriefRow(msgspec.Struct, frozen=True, kw_only=True):
    """The brief of one day."""

    on: date
    state: str
    message: SendMessage
    payments: tuple[str, ...]
    """Ids of the payments that it and those before it told of."""
    made_at: datetime
    ended_at: datetime | None
    said: str


class Deeds(msgspec.Struct, frozen=True, kw_only=True):
    """What was done of one kind for one customer in one currency."""

    kind: str
    customer: str
    currency: str
    count: int
    amount: int | None


_message = msgspec.json.Decoder(SendMessage)
_encode = msgspec.json.Encoder().encode


def of_day(conn: Connection, book_id: int, on: date) -> BriefRow | None:
    """The brief of a day; None where none was made."""
    query = select(briefs).where(briefs.c.book_id == book_id, briefs.c.on == on.isoformat())
    row = conn.execute(query).mappings().first()
    return _row(row) if row is not None else None


def latest(
    conn: Connection, book_id: int, states: Collection[str], *, before: date
) -> BriefRow | None:
    """The newest brief in one of the states, of a day before another."""
    query = (
        select(briefs)
        .where(
            briefs.c.book_id == book_id,
            briefs.c.state.in_(states),
            briefs.c.on < before.isoformat(),
        )
        .order_by(briefs.c.on.desc())
        .limit(1)
    )
    row = conn.execute(query).mappings().first()
    return _row(row) if row is not None else None


def add(
    conn: Connection,
    book_id: int,
    *,
    on: date,
    state: str,
    message: SendMessage,
    payments: Collection[str],
    at: datetime,
) -> None:
    """Store a brief before it is sent. Raises IntegrityError where the day has one."""
    conn.execute(
        briefs.insert().values(
            book_id=book_id,
            on=on.isoformat(),
            state=state,
            message_id=message.message_id,
            message=_encode(message).decode(),
            told=_encode({"v": 1, "payments": sorted(payments)}).decode(),
            made_at=instant_text(at),
        )
    )


def settle(
    conn: Connection, book_id: int, on: date, state: str, *, at: datetime, said: str = ""
) -> None:
    """What became of it."""
    conn.execute(
        briefs.update()
        .where(briefs.c.book_id == book_id, briefs.c.on == on.isoformat())
        .values(state=state, ended_at=instant_text(at), said=said)
    )


def done_since(conn: Connection, book_id: int, since: datetime) -> list[Deeds]:
    """What was done after an instant, by kind, customer and currency."""
    query = (
        select(
            actions.c.kind,
            actions.c.customer,
            actions.c.currency,
            func.count().label("how_many"),
            func.sum(actions.c.amount).label("amount"),
        )
        .where(
            actions.c.book_id == book_id,
            actions.c.state == "done",
            actions.c.ended_at > instant_text(since),
        )
        .group_by(actions.c.kind, actions.c.customer, actions.c.currency)
        .order_by(actions.c.kind, actions.c.customer, actions.c.currency)
    )
    return [
        Deeds(
            kind=row.kind,
            customer=row.customer,
            currency=row.currency,
            count=row.how_many,
            amount=None if row.amount is None else int(row.amount),
        )
        for row in conn.execute(query)
    ]


def _row(row: RowMapping) -> BriefRow:
    told: dict[str, Any] = msgspec.json.decode(row["told"])
    return BriefRow(
        on=date.fromisoformat(row["on"]),
        state=row["state"],
        message=_message.decode(row["message"]),
        payments=tuple(told["payments"]),
        made_at=datetime.fromisoformat(row["made_at"]),
        ended_at=instant(row["ended_at"]),
        said=row["said"],
    )
