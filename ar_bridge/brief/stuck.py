"""What keeps a book from being worked on: each thing in one sentence with its remedy."""

import shlex
from collections.abc import Iterator

from sqlalchemy import Connection

from ar_bridge.brief.model import Stuck
from ar_bridge.context import BookContext
from ar_bridge.plan_warnings import plan_warnings
from ar_bridge.pricing import DEFERRED
from ar_bridge.store import books, briefs, halts, outages, quarantine, runs, skips
from ar_bridge.unreadable import nobodys
from rules.calendar import local_date
from rules.frame import Frame
from rules.guards.freshness import is_stale
from rules.model import Book

NAMED = 5
"""Unreadable records that a brief names; the others are counted."""


def stuck(conn: Connection, desk: BookContext, book: Book) -> Iterator[Stuck]:
    """What is urgent first."""
    name = shlex.quote(desk.name)
    yield from _halts(conn, desk)
    yield from _reading(conn, desk, book, name)
    for finding in desk.alarms():
        yield Stuck(
            text=f"The connection: {finding.text}",
            remedy=finding.remedy,
            is_urgent=finding.level == "error",
        )
    row = books.get(conn, desk.book_id)
    for warning in plan_warnings(
        book.company,
        desk.policy,
        state=row.state,
        book_name=desk.name,
        nobodys=nobodys(conn, desk.book_id),
    ):
        text = warning["text"]
        yield Stuck(text=f"{text[:1].upper()}{text[1:]}.", remedy=warning["remedy"])
    bad = quarantine.listed(conn, desk.book_id)
    if bad:
        named = "; ".join(f"{one.entity} {one.id}: {one.reason}" for one in bad[:NAMED])
        more = f"; and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        records = "1 record" if len(bad) == 1 else f"{len(bad)} records"
        yield Stuck(
            text=f"{records} of the ledger cannot be read: {named}{more}.",
            remedy="mend them in the ledger: whose they are waits meanwhile",
        )
    yield from _deferred(conn, desk)
    before = briefs.latest(
        conn, desk.book_id, (briefs.UNKNOWN, briefs.REFUSED, briefs.SENDING), before=desk.today()
    )
    sent = briefs.latest(conn, desk.book_id, (briefs.SENT, briefs.QUIET), before=desk.today())
    if before is not None and (sent is None or sent.on < before.on):
        why = f": {before.said}" if before.said else ""
        yield Stuck(
            text=f"The brief of {before.on} may not have reached you{why}. This one goes back "
            "to the one before it.",
        )


def _halts(conn: Connection, desk: BookContext) -> Iterator[Stuck]:
    """What keeps everything from going out: a stop, a plan out of the ordinary, an outage."""
    start = 'ar-bridge start --reason "..." lets it go on'
    stopped = desk.stopped()
    if stopped:
        said = f"{stopped[:1].upper()}{stopped[1:].rstrip('.')}."
        yield Stuck(text=said, remedy=start, is_urgent=True)
    for halt in halts.standing(conn, desk.book_id):
        if halt.kind == halts.STOP and stopped:
            continue
        since = local_date(halt.opened_at, desk.company.timezone)
        head = "Stopped" if halt.kind == halts.STOP else "Nothing goes out by rule"
        text = f"{head} since {since}: {halt.reason.rstrip('.')}."
        yield Stuck(text=text, remedy=start, is_urgent=True)
    outage = outages.found(conn, desk.book_id)
    if outage is not None and outage.until is not None:
        since = local_date(outage.since, desk.company.timezone)
        yield Stuck(
            text=f"The ledger has not answered since {since}: {outage.reason.rstrip('.')}.",
            remedy="it is tried again by itself",
            is_urgent=True,
        )


def _deferred(conn: Connection, desk: BookContext) -> Iterator[Stuck]:
    """What waits for another day's calls to the ledger."""
    waiting = [one.skip for one in skips.listed(conn, desk.book_id, code=DEFERRED)]
    if waiting:
        count = len({one.customer for one in waiting})
        whom = "1 customer" if count == 1 else f"{count} customers"
        until = min(one.next_on or desk.today() for one in waiting)
        yield Stuck(
            text=f"What is due for {whom} waits until {until}: the ledger lets no more calls "
            "through before.",
            remedy="it goes by itself; formal messages and the oldest debts go first",
        )


def _reading(conn: Connection, desk: BookContext, book: Book, name: str) -> Iterator[Stuck]:
    limit = desk.policy.do_not_chase.stale_after
    sync = f"ar-bridge sync --book {name}"
    last = next(iter(runs.latest(conn, desk.book_id, kind="sync")), None)
    why = ""
    if last is not None and last.counts.get("error"):
        why = f" The last sync failed: {last.counts['error']}"
    if book.read_on is None:
        yield Stuck(text=f"The books were never read.{why}", remedy=sync, is_urgent=True)
    elif is_stale(Frame(book, desk.policy, desk.today())):
        yield Stuck(
            text=f"The books were last read {book.age_hours} hours ago; nothing is sent on data "
            f"older than {limit.words}.{why}",
            remedy=sync,
            is_urgent=True,
        )
    elif why:
        yield Stuck(text=why.strip(), remedy=sync)
    run = next(iter(runs.latest(conn, desk.book_id, kind="run")), None)
    if run is not None and run.outcome == "failed" and not why:
        yield Stuck(
            text=f"The last run ({run.on}) did not come to its end.",
            remedy=f"ar-bridge run --book {name} says why",
            is_urgent=True,
        )
