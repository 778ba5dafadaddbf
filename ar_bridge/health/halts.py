"""What keeps everything of a book from going out: a stop, a breaker, a ledger that is silent."""

import shlex
from collections.abc import Iterator

from ar_bridge import kill_switch
from ar_bridge.health.book import ExaminedBook
from ar_bridge.store import halts, outages
from connectors.port import Finding


def of_halts(examined: ExaminedBook) -> Iterator[Finding]:
    """Is anything stopped, and who has to look?"""
    desk = examined.desk
    subject = examined.subject("halts")
    start = f'ar-bridge start --book {shlex.quote(desk.name)} --reason "..."'
    by_file = kill_switch.stopped_because(examined.home, desk.name)
    if by_file:
        yield Finding(
            level="warning", subject=subject, text=by_file, remedy='ar-bridge start --reason "..."'
        )
    with desk.store.read() as conn:
        standing = halts.standing(conn, desk.book_id)
        outage = outages.found(conn, desk.book_id)
    for halt in standing:
        if halt.kind == halts.STOP and by_file:
            continue
        is_stop = halt.kind == halts.STOP
        text = f"stopped: {halt.reason}" if is_stop else f"nothing goes by rule: {halt.reason}"
        is_lasting = halt.kind in (halts.STOP, halts.BREAKER)
        remedy = f"look at it, then {start}" if is_lasting else "it ends with the next whole sync"
        yield Finding(level="warning", subject=subject, text=text, remedy=remedy)
    if outage is not None and outage.until is not None:
        yield Finding(
            level="warning",
            subject=subject,
            text=f"the ledger has not answered {outage.failures} times: {outage.reason}",
            remedy=f"it is tried again from {outage.until:%H:%M} UTC",
        )
