"""How much may leave a book: in a run, on a day, to one customer.

What goes by rule is counted twice: when it is approved, so that a person is asked for what is
above the limits of a run, and when it is begun, together with everything that other workers and
other runs of the day have begun (`exceeded`). A fee and the message that announces it are one
unit: both go or both wait.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from ar_bridge import breaker, canary
from ar_bridge.context import BookContext
from ar_bridge.store import counters
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.counters import Load, Member
from rules.model import format_minor
from rules.policy.limits import Limits, fees_on_a_day, mails_on_a_day, mails_to_one

BY_RULE = ("auto", "draft")
"""Modes in which nobody is asked."""


class Exceeded(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that an action does not fit under."""

    why: str
    may_on: date | None = None
    """The day on which it may go; None where only another run or another limit lets it."""


def within_limits(conn: Connection, desk: BookContext, rows: list[ActionRow]) -> list[ActionRow]:
    """The rows that may be approved by rule, whole groups of fees and notice at a time: where one
    of a group asks a person, all of it does.

    None at all where a plan is out of the ordinary; a few where the book or the policy is applied
    for the first time. What waits for such a reason has it in `waits_why`.
    """
    groups = [group for group in _groups(rows) if all(row.mode in BY_RULE for row in group)]
    ground = breaker.ground(conn, desk, [row for group in groups for row in group])
    if ground:
        _let_wait(conn, [(group, ground) for group in groups])
    if ground or not groups:
        return []
    limits = desk.policy.limits
    room = canary.room(conn, desk)
    today = desk.today()
    run = counters.in_run(conn, desk.book_id, desk.run_id) if desk.run_id is not None else Load()
    day = counters.on_day(conn, desk.book_id, today)
    is_trial = False
    allowed: list[ActionRow] = []
    waiting: list[tuple[list[ActionRow], str]] = []
    for group in groups:
        load = sum((counters.weight(row) for row in group), Load())
        external = len(group) if load.mails or load.fees else 0
        above = next(_above_run(limits, run, load), None) or next(
            _above_day(limits, day, load, today), None
        )
        if above is not None:
            waiting.append((group, above.why))
            continue
        if room is not None and external > room:
            waiting.append((group, canary.WAITS))
            continue
        run, day = run + load, day + load
        if room is not None:
            room -= external
            is_trial = is_trial or external > 0
        allowed.extend(group)
    if is_trial:
        canary.begin(conn, desk)
    _let_wait(conn, waiting)
    return allowed


def exceeded(
    conn: Connection, desk: BookContext, row: ActionRow, unit: Sequence[Member]
) -> Exceeded | None:
    """The limit that an action would exceed now, with what it belongs to; None: it may begin.

    To be asked, and answered by `counters.set_aside`, in one write transaction: what another
    worker has begun by then is counted.
    """
    load = sum((one.load for one in unit), Load())
    if not load.mails and not load.fees:
        return None
    limits, today = desk.policy.limits, desk.today()
    ids = [one.id for one in unit]
    if desk.run_id is not None and any(
        one.approved_by == "rule" and not one.is_ordered for one in unit
    ):
        run = counters.in_run(conn, desk.book_id, desk.run_id, without=ids)
        found = next(_above_run(limits, run, load), None)
        if found is not None:
            return found
    day = counters.on_day(conn, desk.book_id, today, without=ids)
    found = next(_above_day(limits, day, load, today), None)
    return found or _above_customer(conn, desk, row, load, ids)


def may_go_at(desk: BookContext, day: date) -> datetime:
    """The beginning of a day, where the company is (UTC)."""
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(desk.company.timezone))
    return midnight.astimezone(UTC)


def _above_run(limits: Limits, run: Load, load: Load) -> Iterator[Exceeded]:
    after = run + load
    if load.mails and after.mails > limits.mails_per_run:
        yield _reached("mails_per_run", f"{limits.mails_per_run} messages in a run")
    if load.fees and after.fees > limits.fees_per_run:
        yield _reached("fees_per_run", f"{limits.fees_per_run} fees in a run")
    if load.fees and _is_above(after, load, limits.fee_total_per_run):
        yield _reached("fee_total_per_run", f"{limits.fee_total_per_run} of fees in a run")


def _above_day(limits: Limits, day: Load, load: Load, today: date) -> Iterator[Exceeded]:
    after, tomorrow = day + load, today + timedelta(days=1)
    most = mails_on_a_day(limits)
    if load.mails and after.mails > most:
        text = f"{most} messages in a day"
        yield _reached("mails_per_day", text, tomorrow, is_alone=load.mails > most)
    most = fees_on_a_day(limits)
    if load.fees and after.fees > most:
        text = f"{most} fees in a day"
        yield _reached("fees_per_day", text, tomorrow, is_alone=load.fees > most)
    total = limits.fee_total_per_day
    if load.fees and _is_above(after, load, total):
        text = f"{total} of fees in a day"
        is_alone = _is_above(load, load, total)
        yield _reached("fee_total_per_day", text, tomorrow, is_alone=is_alone)


def _above_customer(
    conn: Connection, desk: BookContext, row: ActionRow, load: Load, ids: Sequence[int]
) -> Exceeded | None:
    today = desk.today()
    most = mails_to_one(desk.policy)
    if load.mails:
        sent = counters.of_customer_on(conn, desk.book_id, row.customer, today, without=ids)
        if sent.mails + load.mails > most:
            return _reached(
                "mails_per_customer_per_day",
                f"{most} messages to one customer in a day",
                today + timedelta(days=1),
                is_alone=load.mails > most,
            )
    total = desk.policy.limits.fee_total_per_customer_per_month
    if load.fees and total is not None:
        month = today.replace(day=1)
        charged = counters.of_customer_on(conn, desk.book_id, row.customer, month, without=ids)
        if _is_above(charged + load, load, total):
            return _reached(
                "fee_total_per_customer_per_month",
                f"{total} of fees to one customer in a month",
                (month + timedelta(days=31)).replace(day=1),
                is_alone=_is_above(load, load, total),
            )
    return None


def _reached(
    key: str, limit: str, may_on: date | None = None, *, is_alone: bool = False
) -> Exceeded:
    if is_alone:
        return Exceeded(why=f"by itself it is above the limit of {limit} ([limits] {key})")
    when = f"; it may go on {may_on}" if may_on is not None else ""
    return Exceeded(why=f"the limit of {limit} is reached ([limits] {key}){when}", may_on=may_on)


def _is_above(after: Load, load: Load, most: Decimal | None) -> bool:
    return most is not None and any(
        Decimal(format_minor(after.sums[currency], currency)) > most for currency in load.sums
    )


def _let_wait(conn: Connection, waiting: Sequence[tuple[Sequence[ActionRow], str]]) -> None:
    reasons: dict[str, list[int]] = {}
    for group, why in waiting:
        reasons.setdefault(why, []).extend(row.id for row in group if row.waits_why != why)
    for why, ids in reasons.items():
        for start in range(0, len(ids), 500):
            counters.let_wait(conn, ids[start : start + 500], why)


def _groups(rows: list[ActionRow]) -> list[list[ActionRow]]:
    """Fees with the message that announces them; everything else by itself."""
    notice_of = {key: row.key for row in rows for key in row.waits_for}
    groups: dict[str, list[ActionRow]] = {}
    for row in rows:
        groups.setdefault(notice_of.get(row.key, row.key), []).append(row)
    return list(groups.values())
