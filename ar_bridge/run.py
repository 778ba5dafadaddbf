"""One run of a book: sync, finish what was begun, plan, approve by rule, apply, and once more for
what drifted.

The command line, the demo and any timetable call this same function.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from ar_bridge import audit_heads
from ar_bridge.context import BookContext
from ar_bridge.dispatcher import ApplyReport, apply, finish
from ar_bridge.notices import mail_notices
from ar_bridge.planner import PlanResult, make_plan
from ar_bridge.reconciling import sync_book
from ar_bridge.store import runs
from ar_bridge.sync import SyncReport

ROUNDS = 3
"""Plan and apply again while something was withdrawn because the facts had moved."""


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to."""

    synced: SyncReport
    plans: tuple[PlanResult, ...]
    applied: tuple[ApplyReport, ...]

    @property
    def plan(self) -> PlanResult:
        """The last plan: what is still to be approved."""
        return self.plans[-1]

    def total(self, field: str) -> dict[str, int]:
        """`applied` or `written`, summed over the rounds."""
        sums: dict[str, int] = {}
        for report in self.applied:
            counts: Mapping[str, int] = getattr(report, field)
            for name, count in counts.items():
                sums[name] = sums.get(name, 0) + count
        return sums

    @property
    def withdrawn(self) -> list[tuple[str, str]]:
        return [entry for report in self.applied for entry in report.withdrawn]

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        return [entry for report in self.applied for entry in report.problems]


def run_book(
    desk: BookContext,
    *,
    approve: Callable[[BookContext, PlanResult], None] | None = None,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> RunReport:
    """Do everything that is due for a book today. Running it again does nothing twice.

    `approve` plays the person who looks at the plan, where one does so within the run. Raises
    ConnectorError when the ledger cannot be worked with; what was done is recorded.
    """
    now = desk.clock.now()
    with desk.store.write() as conn:
        run_id = runs.start(conn, desk.book_id, "run", on=desk.today(), at=now)
    desk = replace(desk, run_id=run_id)
    plans: list[PlanResult] = []
    applied: list[ApplyReport] = []
    outcome, counts = "failed", dict[str, Any]()
    try:
        synced = sync_book(desk, progress=progress)
        desk = desk.renewed()
        begun = finish(desk)
        if begun.applied or begun.written or begun.withdrawn or begun.problems:
            applied.append(begun)
        for _ in range(ROUNDS):
            plan = make_plan(desk)
            plans.append(plan)
            if approve is not None:
                approve(desk, plan)
            report = apply(
                desk,
                progress=(lambda done, total: progress("applying", done, total))
                if progress
                else None,
            )
            applied.append(report)
            if not report.withdrawn or report.is_over:
                break
        mailed = mail_notices(desk)
        if mailed is not None:
            applied.append(mailed)
        if desk.heads is not None:
            # After every run that did something: a copy put back from before it shows.
            has_acted = any(report.written or report.applied for report in applied)
            audit_heads.keep(desk.store, desk.heads, desk.clock.now(), at_once=has_acted)
        result = RunReport(synced=synced, plans=tuple(plans), applied=tuple(applied))
        outcome = "done" if not result.problems else "problems"
        counts = {"applied": result.total("applied"), "written": result.total("written")}
        return result
    finally:
        with desk.store.write() as conn:
            runs.finish(conn, run_id, at=desk.clock.now(), outcome=outcome, counts=counts)
