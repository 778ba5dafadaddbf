"""What the tables hold of actions, plans and effects, beside what the audit tells of them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from ar_bridge.store.tables import actions, audit, audit_payloads, effects, plans

_AT_ONCE: Final = 500


def action_states(conn: Connection, book_id: int) -> Iterator[Sequence[Any]]:
    """(id, key, revision, state) of every action, some at a time, oldest first."""
    last = 0
    while True:
        rows = conn.execute(
            select(actions.c.id, actions.c.key, actions.c.revision, actions.c.state)
            .where(actions.c.book_id == book_id, actions.c.id > last)
            .order_by(actions.c.id)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        last = rows[-1].id
        yield rows


def plan_digests(conn: Connection, book_id: int) -> Iterator[Sequence[Any]]:
    """(id, digest) of every plan, some at a time."""
    last = ""
    while True:
        rows = conn.execute(
            select(plans.c.id, plans.c.digest)
            .where(plans.c.book_id == book_id, plans.c.id > last)
            .order_by(plans.c.id)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        last = rows[-1].id
        yield rows


def entries_about(conn: Connection, book_id: int, subjects: Sequence[str]) -> list[Any]:
    """(subject, event, body) of the audit entries about these subjects, in their order."""
    return list(
        conn.execute(
            select(audit.c.subject, audit.c.event, audit_payloads.c.body)
            .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
            .where(audit.c.book_id == book_id, audit.c.subject.in_(subjects))
            .order_by(audit.c.seq)
        )
    )


def done_effects(conn: Connection, action_ids: Sequence[int]) -> list[Any]:
    """(action_id, key, name, receipt) of the effects of these actions that are done."""
    return list(
        conn.execute(
            select(effects.c.action_id, effects.c.key, effects.c.name, effects.c.receipt)
            .where(effects.c.action_id.in_(action_ids), effects.c.state == "done")
            .order_by(effects.c.action_id, effects.c.position)
        )
    )
