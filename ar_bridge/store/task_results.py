"""What became of tasks and calls: who did them, when, and what came of it."""

from collections.abc import Collection
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, select

from ar_bridge.store.parts import rows_of
from ar_bridge.store.tables import actions, task_results

DONE = "done"
REACHED = "reached"
PROMISED = "promised"
NO_ANSWER = "no_answer"

RESULTS = (DONE, REACHED, PROMISED, NO_ANSWER)
ENDS = (DONE, REACHED, PROMISED)
"""Results after which nothing is left to do; a call that nobody answered is made again."""

SPOKEN = (REACHED, PROMISED)
"""Results that are a contact with the customer."""


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a task or call."""

    action_id: int
    on: date
    at: datetime
    actor: str
    result: str
    note: str = ""


def add(conn: Connection, book_id: int, result: TaskResult, *, tenant: str = "default") -> None:
    """Record what came of it."""
    conn.execute(
        task_results.insert().values(
            tenant_id=tenant,
            book_id=book_id,
            action_id=result.action_id,
            on=result.on.isoformat(),
            at=result.at.isoformat(),
            actor=result.actor,
            result=result.result,
            note=result.note,
        )
    )


def listed(
    conn: Connection, book_id: int, *, action_ids: Collection[int] | None = None
) -> dict[int, list[TaskResult]]:
    """Attempts by action, the oldest first."""
    query = (
        select(task_results).where(task_results.c.book_id == book_id).order_by(task_results.c.id)
    )
    found: dict[int, list[TaskResult]] = {}
    for row in conn.execute(query):
        if action_ids is None or row.action_id in action_ids:
            found.setdefault(row.action_id, []).append(
                TaskResult(
                    action_id=row.action_id,
                    on=date.fromisoformat(row.on),
                    at=datetime.fromisoformat(row.at),
                    actor=row.actor,
                    result=row.result,
                    note=row.note,
                )
            )
    return found


def spoken(
    conn: Connection, book_id: int, *, since: date, customers: Collection[str] | None = None
) -> list[tuple[str, str, date, int]]:
    """(action key, customer, day, row id) of every call in which somebody was spoken to."""
    query = (
        select(actions.c.key, actions.c.customer, task_results.c.on, task_results.c.id)
        .join(actions, actions.c.id == task_results.c.action_id)
        .where(
            task_results.c.book_id == book_id,
            task_results.c.result.in_(SPOKEN),
            task_results.c.on >= since.isoformat(),
        )
        .order_by(task_results.c.id)
    )
    return [
        (row.key, row.customer, date.fromisoformat(row.on), row.id)
        for row in rows_of(conn, query, actions.c.customer, customers)
    ]
