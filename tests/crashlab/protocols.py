"""What drives actions to the ledger, as the laboratory sees it."""

from collections.abc import Callable
from typing import Protocol

from ar_bridge import approvals
from ar_bridge.context import BookContext
from ar_bridge.planner import PlanResult
from ar_bridge.run import run_book
from ar_bridge.store import actions as action_store
from ar_bridge.store import mirror

Approve = Callable[[BookContext, PlanResult], None]


class Drives(Protocol):
    """Plans what is due, and does it. Called again after a crash, it goes on."""

    def __call__(self, desk: BookContext) -> None: ...


def approve_all(desk: BookContext, plan: PlanResult | None = None) -> None:
    """A person who releases everything that waits for one."""
    with desk.store.write() as conn:
        rows = action_store.actions_in(conn, desk.book_id, ("planned",))
        about = {item.invoice for row in rows for item in row.action.items if item.invoice}
        found = mirror.invoices_by_id(conn, desk.book_id, about)
        approvals.approve(
            conn,
            desk,
            rows,
            actor="pat",
            reason="looked at it",
            numbers={one.id: one.number for one in found},
        )


def intent_first(desk: BookContext) -> None:
    """Ours: an intent is durable before each send, its receipt after it, and what is in doubt is
    looked for."""
    run_book(desk, approve=approve_all)
