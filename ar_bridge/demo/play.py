"""The play itself: day by day, the demo syncs, plans, approves and applies, then counts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ar_bridge import approvals, words
from ar_bridge.context import BookContext
from ar_bridge.demo.hearsay import Hearsay, won_by
from ar_bridge.demo.result import LedgerResult, Story
from ar_bridge.demo.stage import ACTOR, MORNING, Stage
from ar_bridge.dispatcher import apply
from ar_bridge.planner import PlanResult
from ar_bridge.run import RunReport, run_book
from ar_bridge.store import actions as action_store
from ar_bridge.store import mirror


def play(
    stage: Stage,
    events: Sequence[Mapping[str, Any]],
    start: date,
    end: date,
    *,
    progress: Callable[[int], None],
) -> tuple[LedgerResult, Story]:
    """Run every day from `start` to `end`, then once more on the last day."""
    result = LedgerResult(from_=start, to=end, home=str(stage.home.root))
    story = Story()
    hearsay = Hearsay(events, stage.sandbox.vendor_id)
    day, number = start, 0
    while day <= end:
        _wake(stage, day)
        _hear(stage, hearsay, day)
        report = run_book(stage.desk, approve=_approve_all)
        _count(result, story, report)
        _stay_until_evening(stage, result, day)
        day += timedelta(days=1)
        number += 1
        progress(number)
    again = run_book(stage.desk, approve=_approve_all)
    result.second_run_writes = sum(again.total("written").values())
    _audit_against_ledger(stage, result)
    story.mail = _one_mail(stage)
    return result, story


def _wake(stage: Stage, day: date) -> None:
    zone = ZoneInfo(stage.desk.company.timezone)
    morning = datetime.combine(day, MORNING, tzinfo=zone).astimezone(UTC)
    if morning > stage.clock.now():
        stage.clock.advance_to(morning)


def _hear(stage: Stage, hearsay: Hearsay, day: date) -> None:
    """What customers told us: the ledger does not know it, a person notes it down."""
    made, ended = hearsay.told_on(day)
    if not made and not ended:
        return
    book_id, now = stage.desk.book_id, stage.clock.now()
    with stage.desk.store.write() as conn:
        for commitment in made:
            words.record(conn, book_id, commitment, at=now, actor=ACTOR)
        for commitment in ended:
            words.end(
                conn,
                book_id,
                commitment.id,
                on=commitment.ended_on or day,
                at=now,
                actor=ACTOR,
                reason="as told in the book file",
                won_by=won_by(commitment),
            )


def _approve_all(desk: BookContext, plan: PlanResult) -> None:
    """The person who has looked at the plan and finds it right."""
    with desk.store.write() as conn:
        rows = [
            row
            for row in action_store.actions_in(conn, desk.book_id, ("planned",))
            if row.mode != "observe"
        ]
        ids = {item.invoice for row in rows for item in row.action.items if item.invoice}
        numbers = {i.id: i.number for i in mirror.invoices_by_id(conn, desk.book_id, ids)}
        approvals.approve(
            conn,
            desk,
            rows,
            actor=ACTOR,
            reason=f"plan {plan.plan_id}, approved by the demo in place of a person",
            numbers=numbers,
        )


def _stay_until_evening(stage: Stage, result: LedgerResult, day: date) -> None:
    """Apply again when the send window opens for customers in other time zones."""
    for _ in range(24):
        with stage.desk.store.read() as conn:
            waiting = action_store.actions_in(conn, stage.desk.book_id, ("approved",))
        later = [row.send_at for row in waiting if row.send_on == day]
        if not later or min(later) <= stage.clock.now():
            return
        stage.clock.advance_to(min(later))
        report = apply(stage.desk)
        _add(result, report.applied, report.written)
        result.withdrawn += len(report.withdrawn)
        result.problems.extend(f"{key}: {text}" for key, _, text in report.problems)


def _count(result: LedgerResult, story: Story, report: RunReport) -> None:
    result.planned += sum(plan.planned for plan in report.plans)
    result.withdrawn += len(report.withdrawn)
    result.problems.extend(f"{key}: {text}" for key, _, text in report.problems)
    result.quarantined = len(report.synced.quarantined)
    for counts in report.applied:
        _add(result, counts.applied, counts.written)
    for plan in report.plans:
        if story.plan is None or _variety(plan.view) >= _variety(story.plan):
            story.plan = plan.view
    for skip in report.plan.view["skips"]:
        if skip["code"] == "not_due":
            continue  # That is no ground to wait, only a day to look again.
        ground = (skip["code"], skip["next_on"])
        about = (skip["customer"], skip["invoice"], skip["stage"], skip["fee"])
        if story.grounds.get(about) != ground:
            story.grounds[about] = ground
            result.skipped += 1
            result.skipped_by_code[skip["code"]] = result.skipped_by_code.get(skip["code"], 0) + 1
        if skip["reasons"]:
            story.examples.setdefault(skip["code"], skip["reasons"][0]["text"])


def _variety(view: Mapping[str, Any]) -> tuple[int, int]:
    """How much there is to see in a plan: kinds of actions, then a screenful of them."""
    kinds = {entry["kind"] for entry in view["actions"]}
    return len(kinds), min(len(view["actions"]), 12)


def _add(result: LedgerResult, applied: Mapping[str, int], written: Mapping[str, int]) -> None:
    result.applied += sum(applied.values())
    for kind, count in applied.items():
        result.applied_by_kind[kind] = result.applied_by_kind.get(kind, 0) + count
    for name, ours in (("post_note", "notes"), ("post_charge", "fees"), ("send_message", "mails")):
        result.written[ours] += written.get(name, 0)


def _audit_against_ledger(stage: Stage, result: LedgerResult) -> None:
    """What is really there: counted by the ledger and by the mail server, not by us."""
    records, stats = stage.sandbox.records(), stage.sandbox.stats()
    result.found_in_ledger = {"notes": len(records.notes), "fees": len(records.fees)}
    result.mails_received = len(stage.mailbox.messages)
    result.calls = {"read": stats.reads, "write": stats.writes}
    result.throttled = stats.throttled


def _one_mail(stage: Stage) -> str:
    telling = [mail for mail in stage.mailbox.messages if b"LF-" in mail.content]
    for mail in telling or stage.mailbox.messages:
        body = mail.parsed().get_body(("plain",))
        if body is not None:
            return f"Subject: {mail.subject}\n\n{body.get_content()}"
    return ""
