"""What is looked at next: accounts that something happened to, and those whose day has come."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from ar_bridge.store.parts import parts_of
from ar_bridge.store.tables import accounts, actions, plannings, plans, touched_customers

_CHUNK = 1_000


class Planning(msgspec.Struct, frozen=True, kw_only=True):
    """How things stood when a book was last planned."""

    basis: str
    """Digest of what is the same for all accounts: policy, settings, company."""
    on: date
    day: str
    """Digest of what the texts of the day rest on."""
    whole_on: date
    """When every account was last looked at."""
    plan_id: str


class NextLook(msgspec.Struct, frozen=True, kw_only=True):
    """When an account is to be looked at again."""

    payer: str
    next_on: date | None
    zone: str = ""
    """Of its planned messages; empty for none."""
    goes_on: date | None = None
    """The day for which its planned actions are written; None for none."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts of one time zone with messages that are written for one day."""

    zone: str
    goes_on: date
    payer: str
    """One of them."""


def planning_of(conn: Connection, book_id: int) -> Planning | None:
    """How the book was last planned; None where it never was, or where that plan is gone."""
    row = conn.execute(
        select(plannings)
        .join(plans, plans.c.id == plannings.c.plan_id)
        .where(plannings.c.book_id == book_id)
    ).first()
    if row is None:
        return None
    return Planning(
        basis=row.basis,
        on=date.fromisoformat(row.on),
        day=row.day,
        whole_on=date.fromisoformat(row.whole_on),
        plan_id=row.plan_id,
    )


def record_planning(conn: Connection, book_id: int, made: Planning) -> None:
    """Remember how the book was planned."""
    conn.execute(plannings.delete().where(plannings.c.book_id == book_id))
    conn.execute(
        plannings.insert().values(
            book_id=book_id,
            basis=made.basis,
            on=made.on.isoformat(),
            day=made.day,
            whole_on=made.whole_on.isoformat(),
            plan_id=made.plan_id,
        )
    )


def forget_planning(conn: Connection, book_id: int) -> None:
    """Have every account looked at in the next run."""
    conn.execute(plannings.delete().where(plannings.c.book_id == book_id))


def newest_touch(conn: Connection, book_id: int) -> int:
    """Number of the newest change; 0 for none since the last plan."""
    newest = select(func.max(touched_customers.c.id)).where(touched_customers.c.book_id == book_id)
    return int(conn.execute(newest).scalar() or 0)


def touched(conn: Connection, book_id: int) -> set[str]:
    """Customers to whom something happened since they were last looked at."""
    query = select(touched_customers.c.customer).where(touched_customers.c.book_id == book_id)
    return set(conn.execute(query.distinct()).scalars())


def clear_touched(conn: Connection, book_id: int, *, through: int, after: int) -> None:
    """Forget changes that were looked at: those up to a number, and those after another one."""
    conn.execute(
        touched_customers.delete().where(
            touched_customers.c.book_id == book_id,
            (touched_customers.c.id <= through) | (touched_customers.c.id > after),
        )
    )


def due(conn: Connection, book_id: int, today: date) -> set[str]:
    """Payers whose day has come."""
    query = select(accounts.c.payer).where(
        accounts.c.book_id == book_id, accounts.c.next_on <= today.isoformat()
    )
    return set(conn.execute(query).scalars())


def with_plans(conn: Connection, book_id: int) -> set[str]:
    """Payers for whom something is planned, as of the last plan."""
    query = select(accounts.c.payer).where(
        accounts.c.book_id == book_id, accounts.c.goes_on.is_not(None)
    )
    return set(conn.execute(query).scalars())


def windows(conn: Connection, book_id: int) -> list[Window]:
    """For which days messages to each time zone are written."""
    rows = conn.execute(
        select(accounts.c.zone, accounts.c.goes_on, func.min(accounts.c.payer).label("payer"))
        .where(
            accounts.c.book_id == book_id,
            accounts.c.goes_on.is_not(None),
            accounts.c.zone != "",
        )
        .group_by(accounts.c.zone, accounts.c.goes_on)
    )
    return [
        Window(zone=row.zone, goes_on=date.fromisoformat(row.goes_on), payer=row.payer)
        for row in rows
    ]


def in_window(conn: Connection, book_id: int, window: Window) -> set[str]:
    """The accounts of a window."""
    query = select(accounts.c.payer).where(
        accounts.c.book_id == book_id,
        accounts.c.zone == window.zone,
        accounts.c.goes_on == window.goes_on.isoformat(),
    )
    return set(conn.execute(query).scalars())


def record_looks(
    conn: Connection,
    book_id: int,
    looks: Mapping[str, NextLook],
    *,
    looked_at: Collection[str] | None,
) -> None:
    """When the accounts that were looked at are due again. `looked_at` are those customers; None:
    all of the book."""
    if looked_at is None:
        conn.execute(accounts.delete().where(accounts.c.book_id == book_id))
    else:
        for some in parts_of(looked_at):
            conn.execute(
                accounts.delete().where(accounts.c.book_id == book_id, accounts.c.payer.in_(some))
            )
    rows: list[dict[str, Any]] = [
        {
            "book_id": book_id,
            "payer": look.payer,
            "next_on": look.next_on.isoformat() if look.next_on else None,
            "zone": look.zone,
            "goes_on": look.goes_on.isoformat() if look.goes_on else None,
        }
        for look in looks.values()
    ]
    for start in range(0, len(rows), _CHUNK):
        conn.execute(accounts.insert(), rows[start : start + _CHUNK])


def waits_for_rules(conn: Connection, book_id: int, modes: Collection[str]) -> bool:
    """Whether anything planned may be approved by rule."""
    query = select(actions.c.id).where(
        actions.c.book_id == book_id,
        actions.c.state == "planned",
        actions.c.mode.in_(modes),
    )
    return conn.execute(query.limit(1)).first() is not None
