"""Nobody is written to at night because a machine slept through the day.

An action is planned for an instant inside the send window. Where its time came and went without
anybody at work, the window may be closed by now: then it waits for the next one. If that is on
another day, the look before the leap withdraws what was written for the day before, and it is
planned anew.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from ar_bridge.context import BookContext
from ar_bridge.processes import is_gone
from ar_bridge.store import outbox, schedule

_JUST_NOW: Final = timedelta(minutes=1)


def keep_to_windows(desk: BookContext) -> int:
    """Put off what may not go to customers at this hour, late fees that a message announces
    among it; how many actions. What was begun, or ordered by a person, goes on."""
    now = desk.clock.now()
    with desk.store.read() as conn:
        rows = outbox.due(conn, desk.book_id, now, is_gone=is_gone)
        begun = outbox.has_begun(conn, desk.book_id)
        facing = [
            row
            for row in rows
            if row.id not in begun and row.action.is_customer_facing and not row.action.is_ordered
        ]
        if not facing:
            return 0
        today = desk.today()
        book = desk.load(conn, today, {row.customer for row in facing}, ())
    put_off: dict[datetime, set[int]] = defaultdict(set)
    ids = {row.key: row.id for row in rows if row.id not in begun}
    for row in facing:
        opens = desk.send_at(book, row.action, today)
        if opens > now + _JUST_NOW:
            put_off[opens] |= {row.id, *(ids[key] for key in row.waits_for if key in ids)}
    if put_off:
        with desk.store.write() as conn:
            for opens, actions in put_off.items():
                schedule.put_off(conn, actions, opens)
    return sum(map(len, put_off.values()))
