"""Applying exactly a plan, and telling of every action of it what became of it.

Only what the plan lists is done, at the revision that it lists and as it shows it. What took its
place since is named, never done instead.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from ar_bridge.approvals import withdraw
from ar_bridge.as_shown import difference
from ar_bridge.context import BookContext
from ar_bridge.dispatcher import ApplyReport, apply
from ar_bridge.plan_seal import sealed
from ar_bridge.plan_view import listed
from ar_bridge.store import actions as action_store
from ar_bridge.store import revisions
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.plans import PlanRow

UNDER_WAY: Final = ("approved", "leased")


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one action."""

    key: str
    revision: int
    kind: str
    customer: str
    became: str
    """`done`, or why not: `withdrawn`, `superseded`, `rejected`, `expired`, `refused`, `unknown`,
    `parked`; `waiting` for a person, `later` for its time or another try, `missing`."""
    reason: str = ""
    newer: int | None = None
    """The revision that took its place."""
    newer_state: str | None = None
    at: datetime | None = None
    """When it is tried (UTC), of what is `later`."""


def apply_told(
    desk: BookContext,
    *,
    plan: PlanRow | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ApplyReport, list[Fate]]:
    """Apply a plan, or all that is approved, and say of each action what became of it.

    Raises AlteredPlanError for a plan that is not what was stored, and ConnectorError as
    `dispatcher.apply` does.
    """
    altered: list[tuple[str, str]] = []
    with desk.store.read() as conn:
        before = action_store.actions_in(conn, desk.book_id, UNDER_WAY)
    if plan is not None:
        altered = _refuse_altered(desk, sealed(plan), before)
    report = apply(desk, plan=plan, progress=progress)
    report.withdrawn[:0] = altered
    told = {key: text for key, _, text in report.problems}
    if plan is not None:
        return report, _fates_of_plan(desk, plan, told)
    with desk.store.read() as conn:
        after = revisions.by_ids(conn, [row.id for row in before])
    return report, [_fate(desk, row, row, told) for row in after]


def _fates_of_plan(desk: BookContext, plan: PlanRow, told: Mapping[str, str]) -> list[Fate]:
    wanted = listed(plan.body)
    with desk.store.read() as conn:
        rows = revisions.of_keys(conn, desk.book_id, {key for key, _ in wanted})
    known = {(row.key, row.revision): row for row in rows}
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.revision)}
    entries = [
        (entry, part) for entry in plan.body["actions"] for part in (entry, *entry["companions"])
    ]
    found: list[Fate] = []
    for entry, part in entries:
        row = known.get((part["key"], part["revision"]))
        if row is not None:
            found.append(_fate(desk, row, newest[row.key], told))
            continue
        found.append(
            Fate(
                key=part["key"],
                revision=part["revision"],
                kind=entry["kind"],
                customer=entry["customer"],
                became="missing",
                reason="our records no longer hold it",
            )
        )
    return found


def _fate(desk: BookContext, row: ActionRow, newest: ActionRow, told: Mapping[str, str]) -> Fate:
    became, reason = row.state, row.ended_reason or ""
    at = None
    if row.state == "planned":
        became, reason = "waiting", "nobody has approved it"
        if row.mode == "observe":
            reason = "the book only observes"
    elif row.state in UNDER_WAY:
        became, at = "later", row.try_after or row.send_at
        if at <= desk.clock.now():
            at = None
        reason = told.get(row.key) or ("its time comes" if at else "not done yet")
    is_replaced = newest.revision > row.revision
    return Fate(
        key=row.key,
        revision=row.revision,
        kind=row.kind,
        customer=row.customer,
        became=became,
        reason=reason,
        newer=newest.revision if is_replaced else None,
        newer_state=newest.state if is_replaced else None,
        at=at,
    )


def _refuse_altered(
    desk: BookContext, plan: PlanRow, rows: list[ActionRow]
) -> list[tuple[str, str]]:
    """Withdraw approved actions of the plan whose stored content is not what the plan shows."""
    known = {(row.key, row.revision): row for row in rows}
    bad: list[tuple[ActionRow, str]] = []
    for entry in plan.body["actions"]:
        parts = [
            known[part["key"], part["revision"]]
            for part in (entry, *entry["companions"])
            if (part["key"], part["revision"]) in known
        ]
        what = difference(entry, parts)
        if what:
            why = f"its stored {what} is not what plan {plan.id} shows"
            bad += [(row, why) for row in parts]
    told: list[tuple[str, str]] = []
    with desk.store.write() as conn:
        for row, why in bad:
            if not action_store.has_started(conn, row.id):
                now = desk.clock.now()
                withdraw(
                    conn, desk, [row], state="withdrawn", actor=desk.worker, reason=why, now=now
                )
                told.append((row.key, why))
    return told
