"""How long an action may wait: for a person, or, once approved, for its day.

What expires is planned anew if it is still due: nothing is lost, and nobody approves what was
written weeks ago. The day since which it has waited goes with it from revision to revision.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import approvals
from ar_bridge.business_facts import lasting
from ar_bridge.context import BookContext
from ar_bridge.drafts import Draft
from ar_bridge.holiday_sets import holiday_set
from ar_bridge.store import actions as action_store
from ar_bridge.store import revisions
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.bodies import instant_text
from rules.calendar import BusinessCalendar, local_date
from rules.decision import Reason, Skip
from rules.explain import sentence
from rules.model import HolidaySet
from rules.policy.schema import Policy

WAITS_ON: Final = ("planned", "superseded", "expired")
"""States after which the same action still waits for the same decision of a person."""


SHORT_BREAK: Final = timedelta(days=7)
"""An action that is planned again with the same facts within this time has waited all the time."""


def expire(desk: BookContext) -> list[ActionRow]:
    """Take out what has waited too long, each with its reason and an audit entry; returns it.

    Approved actions expire when their day has passed (their text belongs to it) or when their
    policy is no longer in force; planned ones when nobody approved them in the time that
    `[approval] expires` gives. What a person ordered, and what was begun, never does.
    """
    today, now = desk.today(), desk.clock.now()
    with desk.store.read() as conn:
        if not _outdated(conn, desk, today):
            return []
    with desk.store.write() as conn:
        found = _outdated(conn, desk, today)
        for row, reason in found:
            approvals.withdraw(
                conn, desk, [row], state="expired", actor="planner", reason=reason, now=now
            )
    return [row for row, _ in found]


def expires_on(policy: Policy, asked_on: date) -> date | None:
    """The day on which an action that has waited since `asked_on` expires; None: it never does.

    Business days leave out the holidays of the policy's region and its closures.
    """
    length = policy.approval.expires
    if length is None:
        return None
    rules = policy.calendar
    holidays = HolidaySet(region="")
    if length.unit == "bd" and rules.region:
        # No unit counts further than this: what is asked next year has next year's set.
        holidays = holiday_set(rules.region, range(asked_on.year, asked_on.year + 3))
    calendar = BusinessCalendar(holidays, rules.closures)
    return calendar.shift(asked_on, length)


def waiting(
    desk: BookContext, made: Sequence[Draft], latest: Mapping[str, ActionRow]
) -> list[Draft]:
    """The drafts, each with the instants since which it waits for a person; those that wait since
    an earlier day say so. `latest` are the newest stored revisions by key."""
    today, now, zone = desk.today(), desk.clock.now(), desk.company.timezone
    found: list[Draft] = []
    for draft in made:
        before = latest.get(draft.action.key)
        since, asked, reasons = now, now, draft.reasons
        if before is not None and before.waiting_since and _waits_on(before, draft, now):
            since, asked = before.waiting_since, before.asked_at or now
            until = expires_on(desk.policy, local_date(asked, zone))
            is_late = until is not None and until <= today
            if before.state == "expired" or is_late:
                asked = now
            if local_date(since, zone) < today:
                facts = [("since", local_date(since, zone).isoformat())]
                if until is not None and is_late:
                    facts.append(("until", until.isoformat()))
                reasons = (*reasons, Reason("waited", tuple(facts)))
        found.append(
            msgspec.structs.replace(
                draft,
                waiting_since=since,
                asked_at=asked,
                reasons=reasons,
                expires_on=None
                if draft.mode == "observe"
                else expires_on(desk.policy, local_date(asked, zone)),
            )
        )
    return found


def withdraw_gone(
    conn: Connection, desk: BookContext, gone: Sequence[ActionRow], skipped: Sequence[Skip]
) -> None:
    """Take out planned actions that are not decided any more, each with the ground to wait that
    took its place today."""
    grounds = {skip.key: skip for skip in skipped if skip.key is not None and skip.reasons}
    now = desk.clock.now()
    for row in gone:
        found = next((grounds[i.key] for i in row.action.items if i.key in grounds), None)
        reason = "no longer due" if found is None else f"not now: {sentence(found.reasons[0])}"
        approvals.withdraw(
            conn, desk, [row], state="withdrawn", actor="planner", reason=reason, now=now
        )


def columns(draft: Draft) -> dict[str, Any]:
    """What of a draft the store keeps about waiting and about whose words it has."""
    return {
        "waiting_since": instant_text(draft.waiting_since) if draft.waiting_since else None,
        "asked_at": instant_text(draft.asked_at) if draft.asked_at else None,
        "edited_by": draft.edited_by or None,
        "edited_why": draft.edited_why or None,
        "drafted": msgspec.json.encode(draft.drafted).decode() if draft.drafted else None,
    }


def _waits_on(before: ActionRow, draft: Draft, now: datetime) -> bool:
    """Whether the draft waits for what its last revision waited for: a few closed days, or a day
    without calls, are no break."""
    if before.state != "withdrawn":
        return before.state in WAITS_ON
    ended_at = before.ended_at or now
    return now - ended_at <= SHORT_BREAK and lasting(before.facts) == lasting(draft.facts)


def _outdated(conn: Connection, desk: BookContext, today: date) -> list[tuple[ActionRow, str]]:
    found: list[tuple[ActionRow, str]] = []
    rows = action_store.actions_in(conn, desk.book_id, ("approved",))
    length = desk.policy.approval.expires
    if length is not None:
        # No unit is shorter than a day: what was asked later cannot have expired.
        at_least = timedelta(days=max(0, length.count - 1))
        rows += revisions.asked_before(conn, desk.book_id, desk.clock.now() - at_least)
    for row in rows:
        if row.action.is_ordered:
            continue
        reason = _why(desk, row, today)
        if reason and not (row.state == "approved" and action_store.has_started(conn, row.id)):
            found.append((row, reason))
    return found


def _why(desk: BookContext, row: ActionRow, today: date) -> str:
    zone = desk.company.timezone
    if row.state == "approved":
        if row.send_on < today:
            return f"approved, but not done on its day, {row.send_on}; planned again {today}"
        if row.policy_hash != desk.policy_hash:
            return f"approved under another policy; planned again {today}"
        return ""
    if row.mode == "observe" or row.asked_at is None or row.waiting_since is None:
        return ""
    asked_on, since = local_date(row.asked_at, zone), local_date(row.waiting_since, zone)
    ends_on = expires_on(desk.policy, asked_on)
    if ends_on is None or today < ends_on:
        return ""
    length = desk.policy.approval.expires
    words = length.words if length is not None else ""
    return f"nobody approved it within {words}; it has waited since {since}"
