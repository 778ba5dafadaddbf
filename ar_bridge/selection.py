"""From what a person typed to actions: a plan, an action key, an item key, a document number."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.plan_seal import stored_plan
from ar_bridge.plan_view import listed
from ar_bridge.store import actions as action_store
from ar_bridge.store.actions import ActionRow

KINDS: Final = frozenset({"write_off_proposal", "deposit_request", "credit_hold", "credit_release"})
"""Kinds that may be meant as a whole, because a person looks at them as one batch."""


def selected(
    conn: Connection, desk: BookContext, targets: Sequence[str], states: Collection[str]
) -> list[ActionRow]:
    """The actions meant, each once, all in one of the states. `targets` are plans, keys, numbers
    of documents, or one of `KINDS`.

    Raises UsageError that names every target that is unknown or in another state.
    """
    problems: list[str] = []
    found: dict[int, ActionRow] = {}
    for target in targets:
        plan = stored_plan(conn, desk.book_id, target)
        if plan is not None:
            wanted = listed(plan.body)
            rows = [
                row
                for row in action_store.actions_in(conn, desk.book_id, states)
                if (row.key, row.revision) in wanted
            ]
            if not rows and wanted:
                problems.append(f"nothing in plan {plan.id} is {' or '.join(states)} any more")
        elif target in KINDS:
            rows = action_store.actions_in(conn, desk.book_id, states, kind=target)
            if not rows:
                problems.append(f"no {target} is {' or '.join(states)}")
        else:
            named = action_store.actions_named(conn, desk.book_id, target)
            rows = [row for row in named if row.state in states]
            if not named:
                problems.append(f"{target} is neither a plan nor an action of {desk.name}")
            elif not rows:
                last = named[-1]
                why = f" ({last.ended_reason})" if last.ended_reason else ""
                problems.append(f"{target} is {last.state}{why}")
        found.update((row.id, row) for row in rows)
    if problems:
        raise UsageError(
            "Nothing was changed.",
            problems=problems,
            remedy="ar-bridge plan shows plans and keys",
        )
    return [found[row_id] for row_id in sorted(found)]
