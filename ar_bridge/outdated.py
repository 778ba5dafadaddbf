"""Records that are older than what the ledger holds: a backup that was put back, an old copy.

Such records look whole, and acting on them would do again what was done since. Three things show
it: a head of the audit that was kept outside of the database and that the database does not have;
a fee in the ledger under our number that the records do not know (`ar_bridge.sync`); notes of
ours in the ledger that they do not know. The notes are searched for after a pause, in which
somebody may have put an older copy in place: where one query finds them all after a day, and
where each invoice has to be asked after some days, just before something is done about it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from ar_bridge import audit, audit_heads
from ar_bridge.context import BookContext
from ar_bridge.store import books, marks

PAUSE_IN_BULK: Final = timedelta(hours=36)
PAUSE: Final = timedelta(days=4)
"""A weekend is no pause."""

_LOOKED_BACK: Final = 20
"""So many of the newest kept heads are looked at."""


def look_back(desk: BookContext, last_synced: datetime | None) -> None:
    """Have everything looked at again, by `rebuilding.first_look`, where our records may be older
    than the ledger; where they certainly are, the book is `rebuilt` from now on."""
    kept = audit_heads.kept(desk.heads)[-_LOOKED_BACK:] if desk.heads is not None else []
    now = desk.clock.now()
    able = desk.connector.capabilities
    pause = PAUSE_IN_BULK if able.can_find_notes_in_bulk else PAUSE
    with desk.store.read() as conn:
        began = audit.began_at(conn)
        # Heads of a chain that ended before this one began belong to records that were lost.
        gone = [
            head
            for head in audit_heads.missing(conn, kept)
            if head.at is not None and began is not None and head.at >= began
        ]
        known = marks.places(conn, desk.book_id) if gone else ()
        gone = [head for head in gone if _place(head) not in known]
    if gone:
        with desk.store.write() as conn:
            _distrust(conn, desk, gone, now)
    elif last_synced is not None and now - last_synced >= pause:
        with desk.store.write() as conn:
            marks.forget(conn, desk.book_id)


def _distrust(
    conn: Connection, desk: BookContext, gone: Sequence[audit_heads.KeptHead], now: datetime
) -> None:
    marks.remember(conn, desk.book_id, map(_place, gone), at=now)
    marks.forget(conn, desk.book_id)
    books.set_state(conn, desk.book_id, "rebuilt")
    row = books.get(conn, desk.book_id)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor="sync",
        event="RecordsOutdated",
        subject=f"{row.ledger}/{row.company_id}",
        payload={"missing": [str(head) for head in gone], "state": "rebuilt"},
    )


def _place(head: audit_heads.KeptHead) -> str:
    return f"head/{head.seq}:{head.hash[:16]}"
