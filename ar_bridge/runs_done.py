"""What a run did: the actions that came to an end while it went."""

from datetime import datetime

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.plan_view import listed
from ar_bridge.store import actions as action_store
from ar_bridge.store import mirror, plans, runs
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.runs import RunRow
from rules.actions.late_fee import ChargeLateFee

OF_RUNS = ("done", "unknown", "parked")


def rows_of_target(conn: Connection, desk: BookContext, target: str) -> list[ActionRow]:
    """The actions meant by the number of a run, a plan, an action key or a document number.

    Of a run and a plan only those of which something was done. Raises UsageError for what is
    unknown.
    """
    if target.isdecimal():
        run = runs.numbered(conn, desk.book_id, int(target))
        if run is not None:
            return rows_of_run(conn, desk, run)
    plan = plans.plan_named(conn, desk.book_id, target)
    if plan is not None:
        wanted = listed(plan.body)
        return [
            row
            for row in action_store.actions_in(conn, desk.book_id, OF_RUNS)
            if (row.key, row.revision) in wanted
        ]
    named = action_store.actions_named(conn, desk.book_id, target)
    if not named:
        raise UsageError(
            f"{target} is no run, plan, action or fee document of {desk.name}.",
            remedy="ar-bridge runs lists what was done when, ar-bridge audit show the keys",
        )
    done = [row for row in named if row.state in OF_RUNS]
    return done or named[-1:]


def is_found_again(conn: Connection, desk: BookContext, target: str) -> bool:
    """Whether it is a late fee of ours that only the ledger tells of: our own records of it were
    lost."""
    documents = mirror.invoices_named(conn, desk.book_id, target)
    if not any(one.is_fee and one.number == target for one in documents):
        return False
    known = action_store.actions_named(conn, desk.book_id, target)
    return not any(row.kind == ChargeLateFee.kind for row in known)


def rows_of_run(conn: Connection, desk: BookContext, run: RunRow) -> list[ActionRow]:
    """What came to an end between the beginning of a run and its end."""
    until = run.ended_at or _next_began(conn, desk, run) or desk.clock.now()
    return [
        row
        for row in action_store.actions_in(conn, desk.book_id, OF_RUNS)
        if row.ended_at is not None and run.started_at <= row.ended_at <= until
    ]


def _next_began(conn: Connection, desk: BookContext, run: RunRow) -> datetime | None:
    """When the run after one that was cut short began."""
    later = [
        one.started_at
        for one in runs.latest(conn, desk.book_id, kind=run.kind, limit=1000)
        if one.id > run.id
    ]
    return min(later, default=None)
