"""Outages: a ledger that does not answer is left alone for a while, by every worker.

answers --THRESHOLD failures in a row, or asked to wait--> left alone until a moment
             ^                                                    |
             |--an answer                                one worker tries one effect
             `----------------------------------------------------|
                                                    a failure: left alone for twice as long
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from ar_bridge.store.bodies import instant, instant_text
from ar_bridge.store.tables import outages

THRESHOLD: Final = 3
"""One failure may be the record's own trouble; so many in a row are the ledger's."""

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
"""The wait doubles with each further failure, up to this."""

PROBE: Final = timedelta(minutes=3)
"""How long the one that tries has the ledger to itself."""

LONGEST_ASKED: Final = timedelta(days=2)
"""A wait beyond this is believed of no vendor: the clock was set back."""


class OutageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger's failures in a row."""

    failures: int
    action_id: int | None
    """The only action that failed; None where several did."""
    until: datetime | None
    """Left alone until then; None while it may still be the action's own trouble."""
    probe_until: datetime | None
    probe: int | None
    reason: str
    since: datetime


def found(conn: Connection, book_id: int) -> OutageRow | None:
    """The failures since the ledger's last answer; None where it answers."""
    row = conn.execute(select(outages).where(outages.c.book_id == book_id)).mappings().first()
    if row is None:
        return None
    return OutageRow(
        failures=row["failures"],
        action_id=row["action_id"],
        until=instant(row["until"]),
        probe_until=instant(row["probe_until"]),
        probe=row["probe"],
        reason=row["reason"],
        since=datetime.fromisoformat(row["since"]),
    )


def failed(
    conn: Connection,
    book_id: int,
    action_id: int | None,
    *,
    reason: str,
    now: datetime,
    asked: timedelta | None = None,
) -> OutageRow:
    """Note that the ledger did not answer an action, or several together (None), or `asked` us
    to wait so long."""
    before = found(conn, book_id)
    closed = before.until if before is not None else None
    is_left_alone = closed is not None and now < closed <= now + LONGEST_ASKED
    # What was under way when others failed says nothing new.
    failures = (before.failures if before else 0) + (not is_left_alone)
    wait = asked
    if failures >= THRESHOLD:
        grown = min(FIRST_WAIT * 2 ** min(failures - THRESHOLD, 12), LONGEST_WAIT)
        wait = grown if asked is None else max(asked, grown)
    until = closed if is_left_alone else None
    if wait is not None and not (is_left_alone and asked is None):
        until = max(now + wait, until or now)
    is_one = action_id is not None and (before is None or before.action_id == action_id)
    values: dict[str, Any] = {
        "failures": failures,
        "action_id": action_id if is_one else None,
        "until": instant_text(until) if until is not None else None,
        "probe_until": None,
        "probe": None,
        "reason": reason,
    }
    if before is None:
        conn.execute(outages.insert().values(book_id=book_id, since=instant_text(now), **values))
    else:
        conn.execute(outages.update().where(outages.c.book_id == book_id).values(**values))
    after = found(conn, book_id)
    assert after is not None
    return after


def answered(conn: Connection, book_id: int) -> None:
    """The ledger answered: nothing is held against it any more."""
    conn.execute(outages.delete().where(outages.c.book_id == book_id))


def admit(conn: Connection, book_id: int, action_id: int, now: datetime) -> OutageRow | None:
    """None: the action may go to the ledger, after a wait as the only one that tries.

    Otherwise the outage that keeps it from going.
    """
    outage = found(conn, book_id)
    if outage is None or outage.until is None:
        return None
    if now < outage.until <= now + LONGEST_ASKED:
        return outage
    is_tried = (
        outage.probe is not None
        and outage.probe != action_id
        and outage.probe_until is not None
        and now < outage.probe_until <= now + PROBE
    )
    if is_tried:
        return outage
    conn.execute(
        outages.update()
        .where(outages.c.book_id == book_id)
        .values(probe=action_id, probe_until=instant_text(now + PROBE))
    )
    return None
