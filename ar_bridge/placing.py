"""What some actions leave in our records once they are done: a hand-off its placement, the
closing of a task its result."""

from datetime import date, datetime

import msgspec
from sqlalchemy import Connection

from ar_bridge import words
from ar_bridge.store import actions as action_store
from ar_bridge.store import commitments, task_results
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.task_results import TaskResult
from rules.actions.apology import CloseTask
from rules.actions.hand_off import HandOff
from rules.model import Placement


def record_placement(
    conn: Connection, book_id: int, row: ActionRow, *, now: datetime, actor: str
) -> Placement:
    """Record that the invoices are with the collector or lawyer from the day of the hand-off on.

    Its note in the ledger says the same, so that the placement is found again after our own
    records were lost. The id is the one that is restored then.
    """
    action = row.action
    if not isinstance(action, HandOff):
        raise TypeError(f"{row.key} is no hand-off")
    on = row.send_on
    placed = Placement(
        id=_name(action, on),
        customer=action.customer,
        invoices=action.invoices,
        on=on,
        reason=f"approved: {action.text}",
        actor=actor,
        owner=action.owner,
        to=action.to,
        name=action.whom,
    )
    taken = {one.id for one in commitments.listed(conn, book_id, customers=[action.customer])}
    if placed.id in taken:
        free = commitments.new_id(conn, book_id, "placement", action.customer, on)
        placed = msgspec.structs.replace(placed, id=free)
    words.record(conn, book_id, placed, at=now, actor=actor)
    return placed


def record_closing(
    conn: Connection, book_id: int, row: ActionRow, *, now: datetime, actor: str
) -> None:
    """Take a task off the worklist whose ground was a mistake; what was finished stays so."""
    action = row.action
    if not isinstance(action, CloseTask):
        raise TypeError(f"{row.key} closes no task")
    for task in action_store.actions_in(conn, book_id, ("done",), keys=[action.task]):
        before = task_results.listed(conn, book_id, action_ids={task.id}).get(task.id, ())
        if not any(one.result in task_results.ENDS for one in before):
            result = TaskResult(
                action_id=task.id,
                on=row.send_on,
                at=now,
                actor=actor,
                result=task_results.DONE,
                note=action.text,
            )
            task_results.add(conn, book_id, result)


def _name(action: HandOff, on: date) -> str:
    first = f"placement/{action.customer}/{on.isoformat()}"
    return first if action.ordinal == 1 else f"{first}/{action.ordinal}"
