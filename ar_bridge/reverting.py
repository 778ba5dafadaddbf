"""Undoing what was done: compensating actions, proposed as a plan that a person approves.

Nothing is ever removed from the record or silently from the ledger. A late fee is taken back as a
waiver is (voided where nothing was paid on it, else credited) and never charged again until
somebody reinstates it; a note gets a correction beside it; a credit hold is released; a task is
closed; a hand-off gets a task to recall it. What left the house cannot be undone: the customer
gets an apology that names it. What was undone before, or was paid or waived since, is said so.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from ar_bridge.apologising import apologies
from ar_bridge.compensating import Found, Line, compensations, of_document
from ar_bridge.context import BookContext
from ar_bridge.giving_up import give_up
from ar_bridge.orders import Ordered, propose
from ar_bridge.runs_done import is_found_again, rows_of_target
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from rules.actions.action import Action
from rules.actions.apology import SendApology
from rules.actions.fee_waiver import WaiveLateFee

DONE = ("done", "parked", "unknown")
"""States of which something may have left the house."""


class Reverted(msgspec.Struct, frozen=True, kw_only=True):
    """What undoing comes to."""

    lines: tuple[Line, ...]
    ordered: Ordered | None = None
    """The plan that waits for a person; None where there is nothing to do."""


class _DryRunError(Exception):
    """Ends a transaction of which nothing is kept."""


def revert(
    desk: BookContext,
    targets: Sequence[str],
    *,
    actor: str,
    reason: str,
    is_trial: bool = False,
) -> Reverted:
    """Propose to undo runs, plans or actions; with `is_trial` only say what would be proposed.

    Raises UsageError where a target is unknown, and where the book observes.
    """
    made: list[Reverted] = []
    try:
        with desk.store.write() as conn:
            made.append(_revert(conn, desk, targets, actor=actor, reason=reason))
            if is_trial:
                raise _DryRunError
    except _DryRunError:
        pass
    return made[0]


def _revert(
    conn: Connection, desk: BookContext, targets: Sequence[str], *, actor: str, reason: str
) -> Reverted:
    found = Found()
    rows: dict[int, ActionRow] = {}
    for target in targets:
        if is_found_again(conn, desk, target):
            found.actions += of_document(conn, desk, found, target, reason)
        else:
            rows.update((row.id, row) for row in rows_of_target(conn, desk, target))
    effects = outbox.effects_by_action(conn, rows)
    for row in (rows[one] for one in sorted(rows)):
        done = [one for one in effects.get(row.id, ()) if one.state == "done"]
        if _is_open(found, row):
            continue
        if row.state == "parked":
            row = give_up(conn, desk, row, actor=actor, reason=reason)
            found.say(row, "undone", "what was left of it to do is given up")
        for_this = list(compensations(conn, desk, found, row, done, reason))
        found.actions += _new(conn, desk, found, row, for_this)
    after = [action for action in found.actions if isinstance(action, WaiveLateFee)]
    sorry = apologies(conn, desk, found.told)
    for told in sorry.again:
        found.say(told.row, "left", "the customer was sent an apology for it before")
    for told in sorry.told:
        found.say(told.row, "apologised", told.text)
    for told, why in sorry.silent:
        found.say(told.row, "left", f"{told.text}; no apology can be sent: {why}")
    found.actions += sorry.actions
    if not found.actions:
        return Reverted(lines=tuple(found.lines))
    waits = {
        str(action.key): [str(one.key) for one in after if one.customer == action.customer]
        for action in sorry.actions
        if isinstance(action, SendApology)
    }
    ordered = propose(
        conn,
        desk,
        found.actions,
        actor=actor,
        reason=reason,
        messages=sorry.messages,
        after=waits,
    )
    return Reverted(lines=tuple(found.lines), ordered=ordered)


def _is_open(found: Found, row: ActionRow) -> bool:
    """Whether there is nothing to undo yet, which is then said."""
    if row.state == "unknown":
        text = "nobody knows whether it was done: say so first with ar-bridge settle"
    elif row.state in ("planned", "approved"):
        text = f"it is only {row.state}: ar-bridge reject takes it out"
    elif row.state == "leased":
        text = "it is being done right now: try again when it is done"
    elif row.state not in DONE:
        text = f"it is {row.state}: nothing of it was done"
    else:
        return False
    found.say(row, "left", text)
    return True


def _new(
    conn: Connection,
    desk: BookContext,
    found: Found,
    row: ActionRow,
    actions: Sequence[Action],
) -> Iterator[Action]:
    """Those of the actions that were not proposed before; of the others it is said."""
    known = {str(item.key) for action in found.actions for item in action.items}
    keys = {str(item.key) for action in actions for item in action.items}
    taken = action_store.taken_items(conn, desk.book_id, keys)
    for action in actions:
        states = {taken[item.key] for item in action.items if item.key in taken}
        if states:
            how = "was done" if "done" in states else f"is {sorted(states)[0]} already"
            found.say(row, "left", f"undoing it {how}: {action.key}")
        elif known.isdisjoint(str(item.key) for item in action.items):
            yield action


def view_of(made: Reverted, *, book: str, is_trial: bool) -> dict[str, Any]:
    """As `revert --json` prints it."""
    ordered = made.ordered
    return {
        "schema": 1,
        "book": book,
        "is_trial": is_trial,
        "plan": ordered.plan_id if ordered is not None and not is_trial else None,
        "actions": ordered.view["actions"] if ordered is not None else [],
        "lines": msgspec.to_builtins(made.lines),
    }
