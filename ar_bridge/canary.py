"""The canary: the first actions of a book, or of a changed policy, go in small number.

A policy is told by what it decides: its name, its tests, its colleagues and its limits may change
without a trial, and a policy that has proved itself once is not tried again. The trial ends when
a person approves what it holds back, or says so with `trust`, or on the next day, where all of
the first actions went well.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.store import trials
from ar_bridge.store.actions import ActionRow
from rules.policy.limits import acting_hash

WAITS: Final = (
    "the policy is applied for the first time, and the first actions go in small number "
    "([limits] first_apply): the rest goes once you have approved it, or tomorrow where the first "
    "went well"
)

BY_PERSONS: Final = ("note", "fee_waiver", "attachment")
"""Kinds that say nothing of what the rules have done so far."""

_TROUBLED: Final = ("unknown", "parked", "refused")


def acting(desk: BookContext) -> str:
    """What the policy and the wording in force decide by, as one hash."""
    versions = [f"{one.from_} {acting_hash(one.policy)}" for one in desk.policy.versions]
    parts = (acting_hash(desk.policy), *versions, desk.templates.digest())
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def room(conn: Connection, desk: BookContext) -> int | None:
    """How many actions may still go by rule; None where the policy is not on trial."""
    first = desk.policy.limits.first_apply
    mark = acting(desk)
    trial = trials.found(conn, desk.book_id, mark)
    if trial is None:
        if trials.has_any(conn, desk.book_id) or not trials.has_acted(
            conn, desk.book_id, desk.policy_hash, besides=BY_PERSONS
        ):
            return first
        # Its first actions went before trials were kept.
        _end(conn, desk, mark, by="rule", reason="in force before")
        return None
    if trial.ended_at is not None:
        return None
    states = ("approved", "leased", "done", *_TROUBLED)
    gone = [
        row
        for row in trials.gone_by_rule(conn, desk.book_id, states, trial.began_at)
        if not row.action.is_ordered
    ]
    if desk.today() > trial.began_on:
        became = {row.state for row in gone}
        if "done" in became and not became & {*_TROUBLED}:
            _end(conn, desk, mark, by="rule", reason="the first actions went well")
            return None
    external = [row for row in gone if row.message is not None or row.action.is_customer_facing]
    return max(0, first - len(external))


def is_on_trial(conn: Connection, desk: BookContext) -> bool:
    """Whether the first actions of the policy have gone, and the rest waits."""
    trial = trials.found(conn, desk.book_id, acting(desk))
    return trial is not None and trial.ended_at is None


def begin(conn: Connection, desk: BookContext) -> None:
    """The first actions go by rule now."""
    mark = acting(desk)
    if trials.found(conn, desk.book_id, mark) is not None:
        return
    now = desk.clock.now()
    trials.begin(conn, desk.book_id, mark, at=now, on=desk.today())
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor="rule",
        event="PolicyOnTrial",
        subject=desk.policy.name,
        payload={"policy": desk.policy_hash, "first_apply": desk.policy.limits.first_apply},
    )


def looked_at(
    conn: Connection, desk: BookContext, approved: Sequence[ActionRow], *, actor: str
) -> None:
    """A person approved: where that is what the trial held back, they have looked."""
    if actor == "rule" or not any(
        row.mode in ("auto", "draft") and not row.action.is_ordered for row in approved
    ):
        return
    prove(conn, desk, by=actor, reason="approved what waited")


def prove(conn: Connection, desk: BookContext, *, by: str, reason: str) -> bool:
    """A person has looked: the policy is not on trial any more. False where it was not."""
    mark = acting(desk)
    trial = trials.found(conn, desk.book_id, mark)
    if trial is not None and trial.ended_at is not None:
        return False
    _end(conn, desk, mark, by=by, reason=reason)
    return True


def _end(conn: Connection, desk: BookContext, mark: str, *, by: str, reason: str) -> None:
    now = desk.clock.now()
    if trials.found(conn, desk.book_id, mark) is None:
        trials.begin(conn, desk.book_id, mark, at=now, on=desk.today())
    trials.end(conn, desk.book_id, mark, at=now, by=by, reason=reason)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=by,
        event="PolicyProved",
        subject=desk.policy.name,
        payload={"policy": desk.policy_hash, "reason": reason},
    )
