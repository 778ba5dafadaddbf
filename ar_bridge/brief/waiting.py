"""What waits for a person: approvals, tasks, calls, lost answers, holds past their review."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
from sqlalchemy import Connection

from ar_bridge.brief.model import Money, OverdueHold, Unsure, Waiting
from ar_bridge.context import BookContext
from ar_bridge.expiry import expires_on
from ar_bridge.store import actions as action_store
from ar_bridge.store.actions import ActionRow
from ar_bridge.worklist import TO_APPROVE, Entry, worklist
from rules.calendar import local_date
from rules.commitment_words import HoldWords


def waiting(conn: Connection, desk: BookContext) -> tuple[list[Waiting], list[Waiting]]:
    """(approvals, tasks and calls), what waits longest or is due first at the top."""
    today = desk.today()
    entries = worklist(conn, desk)
    asked = [one for one in entries if one.state == TO_APPROVE]
    planned = action_store.actions_in(conn, desk.book_id, ("planned",))
    by_key = {row.key: row for row in planned}
    approvals = [_asked(_waits(one, today), by_key.get(one.key), desk) for one in asked]
    tasks = [_waits(one, today) for one in entries if one.state != TO_APPROVE]
    return (
        sorted(approvals, key=lambda one: (-one.days, one.customer, one.key)),
        sorted(tasks, key=lambda one: (not one.is_late, one.due_on or one.since, one.key)),
    )


def unsure(conn: Connection, desk: BookContext, names: Mapping[str, str]) -> list[Unsure]:
    """Actions of which nobody knows whether they were done, and those stopped half way."""
    rows = action_store.actions_in(conn, desk.book_id, ("unknown", "parked"))
    return [
        Unsure(
            key=row.key,
            kind=row.kind,
            customer=names.get(row.customer, row.customer),
            state=row.state,
            why=row.ended_reason or "",
            since=local_date(row.ended_at, desk.company.timezone) if row.ended_at else None,
        )
        for row in rows
    ]


def past_review(held: Sequence[HoldWords]) -> list[OverdueHold]:
    """Holds that should have been looked at, the oldest review first."""
    return [
        OverdueHold(
            id=one.id,
            kind=one.kind,
            customer=one.customer_name,
            invoices=one.invoices,
            since=one.since,
            review_on=one.review_on,
            owner=one.owner,
            text=one.text[0] if one.text else "",
        )
        for one in held
        if one.is_past_review and one.review_on is not None
    ]


def _asked(found: Waiting, row: ActionRow | None, desk: BookContext) -> Waiting:
    """With the day since which it has waited, over all its revisions, and the day it expires."""
    if row is None or row.waiting_since is None:
        return found
    zone = desk.company.timezone
    since = local_date(row.waiting_since, zone)
    asked_on = local_date(row.asked_at or row.waiting_since, zone)
    return msgspec.structs.replace(
        found,
        since=since,
        days=max(0, (desk.today() - since).days),
        expires_on=expires_on(desk.policy, asked_on),
    )


def _waits(entry: Entry, today: date) -> Waiting:
    since = date.fromisoformat(entry.opened_on)
    money = None
    if entry.amount is not None and entry.currency:
        money = Money(currency=entry.currency, amount=entry.amount)
    return Waiting(
        key=entry.key,
        kind=entry.kind,
        customer=entry.customer_name,
        invoices=entry.invoices,
        money=money,
        owner=entry.owner_name,
        text=entry.text,
        since=since,
        days=max(0, (today - since).days),
        due_on=date.fromisoformat(entry.due_on) if entry.due_on else None,
        is_late=entry.is_late,
    )
