"""Briefs to the owner: one for each local day, stored before it is sent."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, func, or_, select

from ar_bridge.store.bodies import instant, instant_text
from ar_bridge.store.tables import (
    actions,
    briefs,
    credits,
    customers,
    inbound_mails,
    invoices,
    payments,
)
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


class OwedOn(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed in a currency on invoices that are due on one day."""

    currency: str
    due_on: date | None
    amount: int


class _Currency(msgspec.Struct, frozen=True):
    currency: str


_currency = msgspec.json.Decoder(_Currency)


def owed_by_day(conn: Connection, book_id: int, *, without: Collection[str]) -> list[OwedOn]:
    """Open balances by currency and due day, of everybody but these customers. Reads some rows at
    a time."""
    query = (
        select(invoices.c.customer, invoices.c.due_on, invoices.c.balance, invoices.c.body)
        .where(invoices.c.book_id == book_id, invoices.c.status == "open", invoices.c.balance > 0)
        .execution_options(yield_per=1000)
    )
    sums: dict[tuple[str, str | None], int] = {}
    for customer, due_on, balance, body in conn.execute(query):
        if customer not in without:
            key = (_currency.decode(body).currency, due_on)
            sums[key] = sums.get(key, 0) + balance
    return [
        OwedOn(currency=currency, due_on=date.fromisoformat(due) if due else None, amount=amount)
        for (currency, due), amount in sums.items()
    ]


def with_money(conn: Connection, book_id: int, *, since: date) -> set[str]:
    """Customers of whom money is dated on that day or later, or not used up."""
    found: set[str] = set()
    for table, left in ((payments, payments.c.unapplied), (credits, credits.c.remaining)):
        query = (
            select(table.c.customer)
            .where(table.c.book_id == book_id, or_(left > 0, table.c.on >= since.isoformat()))
            .distinct()
        )
        found.update(conn.execute(query).scalars())
    return found


def customers_told_of(conn: Connection, book_id: int, since: datetime) -> set[str]:
    """Customers whom a brief names: of what was done since, is open or unsure, and of mail."""
    ended = (actions.c.state == "done") & (actions.c.ended_at > instant_text(since))
    open_ones = actions.c.state.in_(("unknown", "parked"))
    acted = select(actions.c.customer).where(actions.c.book_id == book_id, or_(ended, open_ones))
    wrote = select(inbound_mails.c.customer).where(
        inbound_mails.c.book_id == book_id,
        inbound_mails.c.customer.is_not(None),
        inbound_mails.c.state == "open",
    )
    return {
        *conn.execute(acted.distinct()).scalars(),
        *conn.execute(wrote.distinct()).scalars(),
    }


def names_of(conn: Connection, book_id: int, ids: Collection[str]) -> dict[str, str]:
    """What these customers are called."""
    found: dict[str, str] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        query = select(customers.c.id, customers.c.name).where(
            customers.c.book_id == book_id, customers.c.id.in_(wanted[start : start + 500])
        )
        found.update((row.id, row.name) for row in conn.execute(query))
    return found


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
