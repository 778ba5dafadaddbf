"""What the tables hold of actions, plans and effects, beside what the audit tells of them.

Pages follow the primary key. By an index on the book each page would read and sort all of it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, func, select

from ar_bridge.store.tables import actions, audit, audit_payloads, effects, plans

_AT_ONCE: Final = 500

_STATE: Final = (
    actions.c.id,
    actions.c.key,
    actions.c.revision,
    actions.c.state,
    actions.c.plan_id,
    actions.c.customer,
    actions.c.facts,
    actions.c.facts_digest,
    actions.c.policy_hash,
    actions.c.approved_by,
)


def sizes(conn: Connection, book_id: int) -> tuple[int, int, int]:
    """How many actions and plans a book has, and the number of the newest audit entry."""
    held = [
        conn.execute(select(func.count()).where(table.c.book_id == book_id)).scalar_one()
        for table in (actions, plans)
    ]
    newest = conn.execute(select(func.max(audit.c.seq))).scalar() or 0
    return int(held[0]), int(held[1]), int(newest)


def action_states(conn: Connection, book_id: int) -> Iterator[Sequence[Any]]:
    """Who, what and in which state of every action, some at a time, oldest first."""
    return _pages(conn, book_id, actions, _STATE, 0)


def plans_kept(conn: Connection, book_id: int) -> Iterator[Sequence[Any]]:
    """Every plan without its body, some at a time."""
    columns = (plans.c.id, plans.c.on, plans.c.policy_hash, plans.c.digest)
    return _pages(conn, book_id, plans, columns, "")


def _pages(
    conn: Connection, book_id: int, table: Table, columns: Sequence[Column[Any]], last: Any
) -> Iterator[Sequence[Any]]:
    """The rows of a book in the order of their ids, which come after `last`."""
    while True:
        rows = conn.execute(
            select(*columns)
            .where(table.c.book_id + 0 == book_id, table.c.id > last)
            .order_by(table.c.id)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        last = rows[-1].id
        yield rows


def actions_by_plan(conn: Connection, book_id: int) -> dict[str, int]:
    """How many actions each plan brought."""
    query = (
        select(actions.c.plan_id, func.count())
        .where(actions.c.book_id == book_id)
        .group_by(actions.c.plan_id)
    )
    return {plan_id: int(count) for plan_id, count in conn.execute(query)}


def keys_of_plan(conn: Connection, book_id: int, plan_id: str) -> list[tuple[str, int]]:
    """(key, revision) of the actions that a plan brought."""
    query = (
        select(actions.c.key, actions.c.revision)
        .where(actions.c.book_id == book_id, actions.c.plan_id == plan_id)
        .order_by(actions.c.id)
    )
    return [(row.key, row.revision) for row in conn.execute(query)]


def revisions_known(
    conn: Connection, book_id: int, keys: Collection[str]
) -> dict[tuple[str, int], str]:
    """Those of these keys that there are, with each revision, to the plan that brought it."""
    found: dict[tuple[str, int], str] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), _AT_ONCE):
        rows = conn.execute(
            select(actions.c.key, actions.c.revision, actions.c.plan_id).where(
                actions.c.book_id == book_id,
                actions.c.key.in_(wanted[start : start + _AT_ONCE]),
            )
        )
        found.update(((row.key, row.revision), row.plan_id) for row in rows)
    return found


def plans_known(conn: Connection, book_id: int, ids: Collection[str]) -> set[str]:
    """Those of these plans that there are."""
    query = select(plans.c.id).where(plans.c.book_id == book_id, plans.c.id.in_(ids))
    return set(conn.execute(query).scalars())


def entries_about(conn: Connection, book_id: int, subjects: Sequence[str]) -> list[Any]:
    """(subject, event, actor, body) of the audit entries about these subjects, in their order."""
    return list(
        conn.execute(
            select(audit.c.subject, audit.c.event, audit.c.actor, audit_payloads.c.body)
            .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
            .where(audit.c.book_id == book_id, audit.c.subject.in_(subjects))
            .order_by(audit.c.seq)
        )
    )


def entries_of(
    conn: Connection, book_id: int, events: Collection[str]
) -> Iterator[tuple[int, Sequence[Any]]]:
    """(seq, event, subject, body) of the audit entries of these events, oldest first, some at a
    time; each time with the number up to which the chain was read."""
    last = 0
    newest = conn.execute(select(func.max(audit.c.seq))).scalar() or 0
    while last < newest:
        until = last + 10 * _AT_ONCE
        rows = conn.execute(
            select(audit.c.seq, audit.c.event, audit.c.subject, audit_payloads.c.body)
            .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
            .where(
                audit.c.seq > last,
                audit.c.seq <= until,
                audit.c.book_id + 0 == book_id,
                audit.c.event.in_(events),
            )
            .order_by(audit.c.seq)
        ).all()
        last = until
        yield min(until, newest), rows


def outbox_of(conn: Connection, action_ids: Sequence[int]) -> list[Any]:
    """(action_id, key, name, state, body, receipt) of the effects of these actions, in order."""
    return list(
        conn.execute(
            select(
                effects.c.action_id,
                effects.c.key,
                effects.c.name,
                effects.c.state,
                effects.c.body,
                effects.c.receipt,
            )
            .where(effects.c.action_id.in_(action_ids))
            .order_by(effects.c.action_id, effects.c.position)
        )
    )
