"""How much may go by rule: what exceeds the policy's limits waits for a person.

Counted per run: mails, fees and the sum of fees per currency. The first time that a book applies
anything by rule, only a few actions go, so that a person sees them before the rest follows.
"""

from decimal import Decimal

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.store import actions as action_store
from ar_bridge.store.actions import ActionRow
from rules.model import format_minor

BY_RULE = ("auto", "draft")
"""Modes in which nobody is asked."""

BY_PERSONS = ("note", "fee_waiver", "attachment")
"""Kinds that say nothing of what the rules have done so far."""


def within_limits(conn: Connection, desk: BookContext, rows: list[ActionRow]) -> list[ActionRow]:
    """The rows that may be approved by rule, whole groups of fees and notice at a time: where one
    of a group asks a person, all of it does."""
    limits = desk.policy.limits
    counts = action_store.counts_by_state(conn, desk.book_id)
    has_applied = any(state == "done" and kind not in BY_PERSONS for kind, state in counts)
    room = None if has_applied else limits.first_apply
    mails = fees = 0
    sums: dict[str, Decimal] = {}
    allowed: list[ActionRow] = []
    for group in _groups(rows):
        if any(row.mode not in BY_RULE for row in group):
            continue
        more_mails = sum(
            1 for row in group if row.message is not None or row.kind == "send_invoice"
        )
        charged = [row for row in group if row.kind == "late_fee"]
        more_sums = dict(sums)
        for row in charged:
            value = Decimal(format_minor(row.amount or 0, row.currency))
            more_sums[row.currency] = more_sums.get(row.currency, Decimal(0)) + value
        external = len(group) if more_mails or charged else 0
        if (
            mails + more_mails > limits.mails_per_run
            or fees + len(charged) > limits.fees_per_run
            or (
                limits.fee_total_per_run is not None
                and any(value > limits.fee_total_per_run for value in more_sums.values())
            )
            or (room is not None and external > room)
        ):
            continue
        mails += more_mails
        fees += len(charged)
        sums = more_sums
        if room is not None:
            room -= external
        allowed.extend(group)
    return allowed


def _groups(rows: list[ActionRow]) -> list[list[ActionRow]]:
    """Fees with the message that announces them; everything else by itself."""
    notice_of = {key: row.key for row in rows for key in row.waits_for}
    groups: dict[str, list[ActionRow]] = {}
    for row in rows:
        groups.setdefault(notice_of.get(row.key, row.key), []).append(row)
    return list(groups.values())
