"""What an approved hand-off leaves in our records once it is done: the placement itself."""

from datetime import date, datetime

import msgspec
from sqlalchemy import Connection

from ar_bridge import words
from ar_bridge.store import commitments
from ar_bridge.store.actions import ActionRow
from rules.actions.hand_off import HandOff
from rules.model import Placement


def record_placement(
    conn: Connection, book_id: int, row: ActionRow, *, now: datetime, actor: str
) -> Placement:
    """Record that the invoices are with the collector or lawyer from the day of the hand-off on.

    Its note in the ledger says the same, so that the placement is found again after our own
    records were lost. The id is the one that is restored then.
    """
    action = row.action
    if not isinstance(action, HandOff):
        raise TypeError(f"{row.key} is no hand-off")
    on = row.send_on
    placed = Placement(
        id=_name(action, on),
        customer=action.customer,
        invoices=action.invoices,
        on=on,
        reason=f"approved: {action.text}",
        actor=actor,
        owner=action.owner,
        to=action.to,
        name=action.whom,
    )
    taken = {one.id for one in commitments.listed(conn, book_id, customers=[action.customer])}
    if placed.id in taken:
        free = commitments.new_id(conn, book_id, "placement", action.customer, on)
        placed = msgspec.structs.replace(placed, id=free)
    words.record(conn, book_id, placed, at=now, actor=actor)
    return placed


def _name(action: HandOff, on: date) -> str:
    first = f"placement/{action.customer}/{on.isoformat()}"
    return first if action.ordinal == 1 else f"{first}/{action.ordinal}"
