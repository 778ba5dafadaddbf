"""Applying what is approved: what was begun is finished first, the rest is checked, then done."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from ar_bridge import audit
from ar_bridge.admission import halted_because
from ar_bridge.arrived_late import adopt
from ar_bridge.channels.errors import ChannelTransientError
from ar_bridge.context import BookContext
from ar_bridge.outcome import Outcome, Performed
from ar_bridge.plan_view import listed
from ar_bridge.processes import is_gone
from ar_bridge.recheck import not_as_approved, recheck, whole_groups
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox, runs
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.plans import PlanRow
from ar_bridge.waves import is_stopped, perform_all, withdraw
from ar_bridge.writer import channel_of
from connectors.budget import serving_writes
from rules.actions.table import ACTIONS

_ORDER = {action.kind: position for position, action in enumerate(ACTIONS)}

LOST_ANSWER_ROUNDS = 4
"""How often a run waits a minute to look for answers that were lost in it."""


class ApplyReport(msgspec.Struct, kw_only=True):
    """What an apply came to."""

    applied: dict[str, int] = {}
    """Kind of action to number done."""
    written: dict[str, int] = {}
    """Name of effect to number written."""
    withdrawn: list[tuple[str, str]] = []
    """Action key and reason."""
    problems: list[tuple[str, str, str]] = []
    """Action key, outcome and what went wrong."""
    ledger_refusals: int = 0
    """Problems that are the accounting system's own refusals."""
    waits: list[tuple[str, str]] = []
    """Action key and why it was not begun: a limit, a breaker, a ledger that does not answer."""
    halted: str = ""
    """Why nothing at all goes out of the book; empty where it does."""
    waiting: int = 0
    """Approved and not done yet."""
    next_at: datetime | None = None
    """When the first of those may be done (UTC); None where one may be done at once."""
    limited_until: datetime | None = None
    """The accounting system takes no more calls until then (UTC): the rest was not begun."""

    @property
    def is_over(self) -> bool:
        """Nothing more is begun: everything is stopped, or a limit lasts."""
        return bool(self.halted) or self.limited_until is not None

    def add(self, result: Performed) -> None:
        """Count one performed action."""
        for name in result.written:
            self.written[name] = self.written.get(name, 0) + 1
        if result.outcome is Outcome.DONE:
            self.applied[result.row.kind] = self.applied.get(result.row.kind, 0) + 1
        elif result.is_halted:
            self.halted = result.problem
        elif result.outcome is Outcome.WAITS:
            self.waits.append((result.row.key, result.problem))
        elif result.outcome is Outcome.STALE:
            self.withdrawn.append((result.row.key, result.problem))
        else:
            self.problems.append((result.row.key, result.outcome.value, result.problem))
            self.ledger_refusals += result.is_ledger_refusal


def apply(
    desk: BookContext,
    *,
    plan: PlanRow | None = None,
    progress: Callable[[int, int], None] | None = None,
    beyond_limits: str = "",
) -> ApplyReport:
    """Do every approved action whose time has come, of one plan or of the whole book.

    `beyond_limits` is a person's reason to go beyond the limits of a day and of a customer, this
    once. Raises ConnectorError when the ledger cannot be read or lets nobody in; what is done by
    then is done and recorded, the rest stays approved.
    """
    report = ApplyReport(halted=_halted(desk))
    if report.halted:
        return _with_waiting(desk, report)
    desk = _beyond(desk, beyond_limits)
    if desk.run_id is None:
        adopt(desk)  # in a run, `finish` has done so
    due = _due(desk, plan)
    with as_a_run(desk, due, report) as desk:
        return _applied(desk, due, report, progress)


def _applied(
    desk: BookContext,
    due: list[ActionRow],
    report: ApplyReport,
    progress: Callable[[int, int], None] | None,
) -> ApplyReport:
    rows = _reachable(desk, due, report)
    with desk.store.read() as conn:
        begun = outbox.has_begun(conn, desk.book_id)
    fresh = [row for row in rows if row.id not in begun]
    with desk.store.read() as conn:
        altered = not_as_approved(conn, fresh)
    with serving_writes():
        withdrawn = whole_groups(fresh, {**recheck(desk, fresh), **altered})
    for row in fresh:
        if row.id in withdrawn:
            report.add(withdraw(desk, row, withdrawn[row.id]))
    rows = [row for row in rows if row.id not in withdrawn]
    _perform_all(desk, rows, report, progress)
    for _ in range(LOST_ANSWER_ROUNDS):
        if report.is_over or not _wait_for_lost_answers(desk, report, {row.id for row in rows}):
            break
    return _with_waiting(desk, report)


def _with_waiting(desk: BookContext, report: ApplyReport) -> ApplyReport:
    with desk.store.read() as conn:
        waiting = action_store.actions_in(conn, desk.book_id, ("approved",))
    report.waiting = len(waiting)
    ahead = [
        at for at in (row.try_after or row.send_at for row in waiting) if at > desk.clock.now()
    ]
    report.next_at = min(ahead) if len(ahead) == len(waiting) > 0 else None
    if report.limited_until is not None:
        report.next_at = max(report.limited_until, report.next_at or report.limited_until)
    return report


def finish(desk: BookContext) -> ApplyReport:
    """Finish what an earlier run began and could not end, before anything new is planned: a fee
    that turns out to be posted is then announced with what is due today. What was unknown and
    has arrived in the ledger since is adopted first.

    Raises AuthorizationError when the ledger lets nobody in.
    """
    report = ApplyReport(halted=_halted(desk))
    if report.halted:
        return report
    adopt(desk)
    with desk.store.read() as conn:
        begun = outbox.has_begun(conn, desk.book_id)
    rows = [row for row in _reachable(desk, _due(desk, None), report) if row.id in begun]
    report.problems.clear()  # of channels: `apply` says so again
    _perform_all(desk, rows, report, None)
    for _ in range(LOST_ANSWER_ROUNDS):
        if report.is_over or not _wait_for_lost_answers(desk, report, {row.id for row in rows}):
            break
    return report


@contextmanager
def as_a_run(
    desk: BookContext, due: Sequence[ActionRow], report: ApplyReport
) -> Iterator[BookContext]:
    """An apply is a run of its own, where it is not a part of one and there is something to do."""
    if desk.run_id is not None or not due:
        yield desk
        return
    with desk.store.write() as conn:
        run_id = runs.start(conn, desk.book_id, "apply", on=desk.today(), at=desk.clock.now())
    outcome = "failed"
    try:
        yield replace(desk, run_id=run_id)
        outcome = "problems" if report.problems else "done"
    finally:
        counts = {"applied": dict(report.applied), "written": dict(report.written)}
        with desk.store.write() as conn:
            runs.finish(conn, run_id, at=desk.clock.now(), outcome=outcome, counts=counts)


def _halted(desk: BookContext) -> str:
    with desk.store.read() as conn:
        return halted_because(conn, desk)


def _beyond(desk: BookContext, reason: str) -> BookContext:
    """Lift the limits of the day and of the customer for this once, and have it on record."""
    if not reason.strip():
        return desk
    with desk.store.write() as conn:
        outbox.retry_waiting(conn, desk.book_id)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=desk.clock.now(),
            actor=desk.worker,
            event="LimitsLifted",
            subject=desk.name,
            payload={"reason": reason, "on": desk.today().isoformat()},
        )
    return replace(desk, beyond_limits=reason)


def _due(desk: BookContext, plan: PlanRow | None) -> list[ActionRow]:
    with desk.store.read() as conn:
        rows = outbox.due(conn, desk.book_id, desk.clock.now(), is_gone=is_gone)
    if plan is not None:
        wanted = listed(plan.body)
        rows = [row for row in rows if (row.key, row.revision) in wanted]
    return sorted(rows, key=_in_order)


def _in_order(row: ActionRow) -> tuple[str, bool, int, int]:
    """Customer by customer; what an ended process had in hand comes first, for nothing of the
    same customer begins before that has ended."""
    return row.customer, row.state != "leased", _ORDER[row.kind], row.id


def _reachable(desk: BookContext, rows: list[ActionRow], report: ApplyReport) -> list[ActionRow]:
    """Leave out messages that no channel takes at present, and the fees that they announce: a
    fee is never posted without its message. What was begun goes on."""
    troubles = _troubles(desk, {channel_of(row) for row in rows if row.channel})
    mute = [row for row in rows if row.channel and channel_of(row) in troubles]
    for row in mute:
        report.problems.append((row.key, "later", troubles[channel_of(row)]))
    left_out = {row.key for row in mute} | {key for row in mute for key in row.waits_for}
    if not left_out:
        return rows
    with desk.store.read() as conn:
        begun = outbox.has_begun(conn, desk.book_id)
    muted = {row.id for row in mute}
    return [
        row for row in rows if row.id not in muted and (row.key not in left_out or row.id in begun)
    ]


def _troubles(desk: BookContext, names: Collection[str]) -> dict[str, str]:
    """Channels that take nothing at present, and why."""
    found: dict[str, str] = {}
    for name in sorted(names):
        channel = desk.channels.get(name)
        if channel is None:
            found[name] = f"no {name} channel is set up (section [mail])"
            continue
        try:
            channel.check()
        except ChannelTransientError as trouble:
            found[name] = str(trouble)
    return found


def _perform_all(
    desk: BookContext,
    rows: Sequence[ActionRow],
    report: ApplyReport,
    progress: Callable[[int, int], None] | None,
) -> None:
    with desk.store.read() as conn:
        begun = outbox.has_begun(conn, desk.book_id)
    count = 0
    # What is looked at again before a write, or looked for after it, is part of writing.
    with serving_writes():
        for result in perform_all(desk, rows, begun):
            report.add(result)
            if is_stopped(result.limited_until, desk.clock.now()):
                report.limited_until = result.limited_until
            count += 1
            if progress is not None:
                progress(count, len(rows))
    if progress is not None and rows:
        progress(len(rows), len(rows))


def _wait_for_lost_answers(desk: BookContext, report: ApplyReport, checked: set[int]) -> bool:
    """Look for writes of this run whose answers were lost; False when there are none left.

    Only actions in `checked` go on behind them: nothing else was looked at again in this run.
    """
    with desk.store.read() as conn:
        begun = outbox.has_begun(conn, desk.book_id)
        rows = [
            row
            for row in action_store.actions_in(conn, desk.book_id, ("approved",))
            if row.id in begun and row.try_after is not None
        ]
    soon = desk.clock.now() + timedelta(minutes=2)
    due = [row for row in rows if row.try_after is not None and row.try_after <= soon]
    if not due:
        return False
    latest: datetime = max(row.try_after for row in due if row.try_after is not None)
    desk.clock.sleep(max(0.0, (latest - desk.clock.now()).total_seconds()))
    keys = {row.key for row in due}
    report.problems = [problem for problem in report.problems if problem[0] not in keys]
    followers = {row.customer for row in due}
    with desk.store.read() as conn:
        again = [
            row
            for row in outbox.due(conn, desk.book_id, desk.clock.now(), is_gone=is_gone)
            if row.customer in followers and row.id in checked
        ]
    again.sort(key=_in_order)
    _perform_all(desk, again, report, None)
    return True
