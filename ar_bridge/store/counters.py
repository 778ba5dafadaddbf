"""What already counts against the limits, and what is set aside for an action that begins.

An action counts from the moment in which a worker takes it: done, under way, in doubt, or given
back and to be tried again the same day. What was withdrawn, refused or rejected does not count.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from ar_bridge.store.actions import STARTED, ActionRow
from ar_bridge.store.parts import by_scanning
from ar_bridge.store.plans import ORDER
from ar_bridge.store.tables import actions, effects, runs

COUNTED: Final = ("approved", "leased", "unknown", "parked", "done")
"""States in which what was set aside for an action stays set aside."""

FEE: Final = "late_fee"
INTERNAL: Final = "notice"
"""Mail to a colleague: no customer is reached."""
BY_LEDGER: Final = "send_invoice"
"""The ledger mails the customer."""

_MAILS: Final[ColumnElement[bool]] = or_(
    and_(actions.c.message.is_not(None), actions.c.kind != INTERNAL), actions.c.kind == BY_LEDGER
)


_IS_COUNTED: Final = by_scanning(actions.c.state).in_(COUNTED)
# Else SQLite takes the index on states, and reads everything that was ever done.

_SET_BACK: Final = timedelta(days=31)
"""By no more than this is a clock set back while a run lasts."""

_keys = msgspec.json.Decoder(tuple[str, ...])


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What some actions weigh. Sums of fees are in minor units, by currency."""

    mails: int = 0
    fees: int = 0
    sums: dict[str, int] = {}

    def __add__(self, other: "Load") -> "Load":
        sums = dict(self.sums)
        for currency, amount in other.sums.items():
            sums[currency] = sums.get(currency, 0) + amount
        return Load(mails=self.mails + other.mails, fees=self.fees + other.fees, sums=sums)


def weight(row: ActionRow) -> Load:
    """What one action weighs."""
    is_mail = (row.message is not None and row.kind != INTERNAL) or row.kind == BY_LEDGER
    is_fee = row.kind == FEE
    sums = {row.currency: row.amount or 0} if is_fee else {}
    return Load(mails=int(is_mail), fees=int(is_fee), sums=sums)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One action of a unit, as it stands in the store."""

    id: int
    key: str
    state: str
    approved_by: str | None
    approved_at: datetime | None
    begun_on: date | None
    run_id: int | None
    has_begun: bool
    """Something of it may have left this machine."""
    is_ordered: bool
    load: Load


def members(conn: Connection, book_id: int, keys: Collection[str]) -> list[Member]:
    """The approved actions of these keys and what became of them, oldest first."""
    started = (
        select(func.count())
        .where(
            effects.c.action_id == actions.c.id,
            effects.c.state.in_(STARTED),
        )
        .scalar_subquery()
    )
    rows = conn.execute(
        select(
            actions.c.id,
            actions.c.key,
            actions.c.state,
            actions.c.kind,
            actions.c.approved_by,
            actions.c.approved_at,
            actions.c.begun_on,
            actions.c.run_id,
            actions.c.amount,
            actions.c.currency,
            actions.c.plan_id,
            case((_MAILS, 1), else_=0).label("mails"),
            started.label("started"),
        )
        .where(
            actions.c.book_id == book_id,
            actions.c.key.in_(sorted(keys)),
            _IS_COUNTED,
        )
        .order_by(actions.c.id)
    )
    return [_member(row) for row in rows]


def announced_with(conn: Connection, book_id: int, notice: str) -> set[str]:
    """Keys of a message that counts and of the fees that it announces; empty where there is none
    of that key."""
    rows = conn.execute(
        select(actions.c.waits_for).where(
            actions.c.book_id == book_id, actions.c.key == notice, _IS_COUNTED
        )
    )
    found: set[str] = set()
    for row in rows:
        found |= {notice, *_keys.decode(row.waits_for)}
    return found


def _member(row: Any) -> Member:
    is_fee = row.kind == FEE
    return Member(
        id=row.id,
        key=row.key,
        state=row.state,
        approved_by=row.approved_by,
        approved_at=datetime.fromisoformat(row.approved_at) if row.approved_at else None,
        begun_on=date.fromisoformat(row.begun_on) if row.begun_on else None,
        run_id=row.run_id,
        has_begun=row.started > 0 or row.state in ("done", "unknown", "parked"),
        is_ordered=row.plan_id.startswith(ORDER),
        load=Load(
            mails=row.mails,
            fees=int(is_fee),
            sums={row.currency: row.amount or 0} if is_fee else {},
        ),
    )


def on_day(conn: Connection, book_id: int, day: date, *, without: Sequence[int] = ()) -> Load:
    """All that counts to a day. Days after it count too: the clock was set back."""
    return _sum(conn, book_id, actions.c.begun_on >= day.isoformat(), without)


def of_customer_on(
    conn: Connection, book_id: int, customer: str, day: date, *, without: Sequence[int] = ()
) -> Load:
    """What counts to a customer on a day."""
    own = and_(actions.c.customer == customer, actions.c.begun_on >= day.isoformat())
    return _sum(conn, book_id, own, without)


def in_run(conn: Connection, book_id: int, run_id: int, *, without: Sequence[int] = ()) -> Load:
    """What went by rule in a run."""
    own = and_(actions.c.run_id == run_id, actions.c.approved_by == "rule")
    on = conn.execute(select(runs.c.on).where(runs.c.id == run_id)).scalar()
    if on is not None:
        # So that only what began lately is read, not all that was ever done.
        since = date.fromisoformat(on) - _SET_BACK
        own = and_(own, actions.c.begun_on >= since.isoformat())
    return _sum(conn, book_id, own, without)


def _sum(
    conn: Connection, book_id: int, which: ColumnElement[bool], without: Sequence[int]
) -> Load:
    fees = case((actions.c.kind == FEE, 1), else_=0)
    rows = conn.execute(
        select(
            actions.c.currency,
            func.sum(case((_MAILS, 1), else_=0)).label("mails"),
            func.sum(fees).label("fees"),
            func.sum(fees * func.coalesce(actions.c.amount, 0)).label("amount"),
        )
        .where(
            actions.c.book_id == book_id,
            which,
            _IS_COUNTED,
            actions.c.id.not_in(list(without)),
        )
        .group_by(actions.c.currency)
    )
    load = Load()
    for row in rows:
        sums = {row.currency: int(row.amount)} if row.fees else {}
        load += Load(mails=int(row.mails), fees=int(row.fees), sums=sums)
    return load


def set_aside(
    conn: Connection, action_ids: Sequence[int], *, day: date, run_id: int | None
) -> None:
    """From now on these count to a day, and to a run."""
    conn.execute(
        actions.update()
        .where(actions.c.id.in_(list(action_ids)))
        .values(begun_on=day.isoformat(), run_id=run_id, waits_why=None)
    )


def let_wait(
    conn: Connection, action_ids: Sequence[int], why: str, *, until: datetime | None = None
) -> None:
    """Say why these are not begun, and not to be looked at again before a moment."""
    values: dict[str, Any] = {"waits_why": why}
    if until is not None:
        values["try_after"] = until.isoformat()
    conn.execute(actions.update().where(actions.c.id.in_(list(action_ids))).values(**values))


def waiting(conn: Connection, book_id: int) -> dict[str, int]:
    """Why actions wait that are planned or approved -> how many."""
    rows = conn.execute(
        select(actions.c.waits_why, func.count())
        .where(
            actions.c.book_id == book_id,
            actions.c.waits_why.is_not(None),
            actions.c.state.in_(("planned", "approved")),
        )
        .group_by(actions.c.waits_why)
        .order_by(func.min(actions.c.id))
    )
    return {why: count for why, count in rows}


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An action that somebody holds."""

    id: int
    token: int
    kind: str
    until: datetime | None
    owner: str


def under_way(conn: Connection, book_id: int, customer: str) -> list[Held]:
    """Actions of a customer that somebody holds, or held when their process ended."""
    rows = conn.execute(
        select(
            actions.c.id,
            actions.c.kind,
            actions.c.lease_token,
            actions.c.lease_until,
            actions.c.lease_owner,
        ).where(
            actions.c.book_id == book_id,
            actions.c.customer == customer,
            actions.c.state == "leased",
        )
    )
    return [
        Held(
            id=row.id,
            token=row.lease_token,
            kind=row.kind,
            until=datetime.fromisoformat(row.lease_until) if row.lease_until else None,
            owner=row.lease_owner,
        )
        for row in rows
    ]


def sent_by_day(conn: Connection, book_id: int, since: date, until: date) -> dict[date, Load]:
    """What began on each day of a span, the last one outside; days without anything are missing."""
    fees = case((actions.c.kind == FEE, 1), else_=0)
    rows = conn.execute(
        select(
            actions.c.begun_on,
            actions.c.currency,
            func.sum(case((_MAILS, 1), else_=0)).label("mails"),
            func.sum(fees).label("fees"),
            func.sum(fees * func.coalesce(actions.c.amount, 0)).label("amount"),
        )
        .where(
            actions.c.book_id == book_id,
            actions.c.begun_on >= since.isoformat(),
            actions.c.begun_on < until.isoformat(),
            actions.c.state.in_(COUNTED),
            or_(_MAILS, actions.c.kind == FEE),
        )
        .group_by(actions.c.begun_on, actions.c.currency)
    )
    days: dict[date, Load] = {}
    for row in rows:
        day = date.fromisoformat(row.begun_on)
        sums = {row.currency: int(row.amount)} if row.fees else {}
        more = Load(mails=int(row.mails), fees=int(row.fees), sums=sums)
        days[day] = days.get(day, Load()) + more
    return days
