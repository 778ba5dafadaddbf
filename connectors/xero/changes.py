"""Reading what changed, in three calls where nothing did.

Every reading asks for the invoices (of every status: one that was paid or voided shows up in no
other way) and the contacts that changed. Payments, credit notes, overpayments, prepayments and
quotes take turns, one at a reading, each with its own watermark in the cursor. Where invoices
did change, money moved: then the payments are read at once, and two kinds have their turn, those
that the changed invoices name before others. So an unchanged book costs three calls, and a
hundred changed invoices two more.

What may be stale, and for how long. A payment or an applied credit changes an invoice, and is
read in the same turn. Credit that nobody applied (an overpayment, a credit note in waiting)
changes no invoice: it waits for its kind's turn, at most five readings. Until then a plan may
name a customer who has credit; nothing goes out for it, because everything of the customers
concerned is read again (`Connector.read_credits`) just before something is done. A kind that
was not read for STALEST is read whatever the calls, and `read_credits` looks back further than
that: so what it gives is complete whenever a kind had its last turn.

Rows that are older than what was asked for are told of: Xero gives everything to those who
misspell a time, and then every reading would cost as much as a full one.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connectors.errors import AuthorizationError, RefusedError
from connectors.port import Cursor, Page
from connectors.xero import wire
from connectors.xero.answers import readable
from connectors.xero.dates import DateError, instant_text, parse_instant
from connectors.xero.lists import (
    CONTACTS,
    CREDIT_NOTES,
    INVOICES,
    OVERLAP,
    OVERPAYMENTS,
    PAYMENTS,
    PREPAYMENTS,
    QUOTES,
    Listing,
    Lists,
)
from connectors.xero.paging import walk
from connectors.xero.pulling import REFUSED, WALKED, quotes_refused
from connectors.xero.rows import Rows, elements
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice

STALEST: Final = timedelta(days=7)
"""No kind of payment or credit goes unread for longer."""

_TURNS: Final = (PAYMENTS, CREDIT_NOTES, OVERPAYMENTS, PREPAYMENTS, QUOTES)
_WANTED: Final = "wanted"
_HEARD: Final = "heard"
_INVOICE_TRACES: Final = msgspec.json.Decoder(wire.InvoiceTrace, strict=False)
_TRACES: Final = msgspec.json.Decoder(wire.Trace, strict=False)


class _Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A sales invoice that changed, and which kinds of credit it names."""

    id: str
    at: datetime
    is_open: bool
    kinds: tuple[Listing, ...]


class Changes:
    """One reading of what changed since a cursor."""

    def __init__(self, lists: Lists, now: Callable[[], datetime]) -> None:
        self._lists = lists
        self._now = now
        self._began: dict[str, datetime] = {}
        self._owners: dict[str, tuple[CustomerId, str]] = {}

    def pages(self, cursor: Cursor) -> Iterator[Page]:
        """Every page; the last one carries the cursor."""
        yield from self._list(CONTACTS, cursor.at)
        changed: list[_Changed] = []
        yield from self._list(INVOICES, cursor.at, changed)
        if _may_hide_others(changed, cursor):
            yield from self._open_invoices()
        # What carries an earlier time than the last reading was in that reading.
        fresh = [row for row in changed if row.at >= cursor.at]
        if _digest(fresh) == cursor.state.get(_HEARD, ""):
            fresh = []
        at = min(self._began.values())
        turns, wanted = self._turns(cursor, fresh)
        # A list whose turn it never was goes on from where it is now, whenever its turn comes.
        state = {kind.collection: instant_text(cursor.at) for kind in _TURNS} | cursor.state
        state.pop(WALKED, None)
        held: Page | None = None
        for listing in turns:
            try:
                for page in self._list(listing, _watermark(listing, cursor)):
                    if held is not None:
                        yield held
                    held = page
            except (RefusedError, AuthorizationError) as error:
                if listing is not QUOTES:
                    raise
                if held is not None:
                    yield held
                held = Page(entity=QUOTES.entity, remarks=(quotes_refused(error),))
                state[QUOTES.collection] = REFUSED
                continue
            state[listing.collection] = instant_text(self._began[listing.collection])
        state[_WANTED] = ",".join(listing.collection for listing in wanted)
        state[_HEARD] = _digest([row for row in changed if row.at >= at])
        assert held is not None  # there is always somebody's turn
        done = Cursor(at=at, state={name: text for name, text in state.items() if text})
        yield msgspec.structs.replace(held, cursor=done)

    def _open_invoices(self) -> Iterator[Page]:
        for step in walk(lambda number: self._lists.page(INVOICES, number).rows):
            yield Page(
                entity=INVOICES.entity,
                records=step.rows.records,
                quarantined=step.rows.quarantined,
            )

    def _turns(
        self, cursor: Cursor, fresh: Sequence[_Changed]
    ) -> tuple[list[Listing], list[Listing]]:
        """The lists to read now, and those that are wanted next time."""
        now = self._now()
        named = {kind.collection for row in fresh for kind in row.kinds}
        wanted = [
            kind
            for kind in _TURNS
            if kind.collection in named
            or kind.collection in cursor.state.get(_WANTED, "").split(",")
        ]
        may = [kind for kind in _TURNS if cursor.state.get(kind.collection) != REFUSED]
        chosen = [kind for kind in may if now - _watermark(kind, cursor) > STALEST]
        if fresh and PAYMENTS not in chosen:
            chosen.append(PAYMENTS)
        turn = sorted(
            (kind for kind in may if kind not in chosen),
            key=lambda kind: (kind not in wanted, _watermark(kind, cursor)),
        )
        chosen += turn[: 2 if fresh else 1]
        order = [kind for kind in _TURNS if kind in chosen]
        return order, [kind for kind in wanted if kind not in order]

    def _list(
        self, listing: Listing, watermark: datetime, changed: list[_Changed] | None = None
    ) -> Iterator[Page]:
        since = watermark - OVERLAP
        strays = known = 0

        def read_page(number: int) -> Rows:
            nonlocal strays, known
            read = self._lists.page(listing, number, since, self._owners)
            self._began.setdefault(listing.collection, read.at)
            if changed is not None:
                found, times = _invoice_traces(read.content)
                changed.extend(found)
            else:
                times = _times(read.content, listing)
            known += len(times)
            # Watermarks are sent in whole seconds.
            strays += sum(time < since.replace(microsecond=0) for time in times)
            return read.rows

        for step in walk(read_page):
            for record in step.rows.records:
                if isinstance(record, Invoice):
                    self._owners[record.id] = (record.customer, record.currency)
            is_told = not step.next_page and strays * 2 > known
            yield Page(
                entity=listing.entity,
                records=step.rows.records,
                quarantined=step.rows.quarantined,
                total=step.rows.item_count,
                remarks=(_told_too_much(listing, since, strays),) if is_told else (),
            )


def _may_hide_others(changed: Sequence[_Changed], cursor: Cursor) -> bool:
    """Whether an invoice left the list of open ones while a full reading walked over its pages.

    It drew those behind it forward, one of them perhaps across a page that was being turned.
    Where as many came as left, no count betrayed it; so the list is read once more.
    """
    end = parse_instant(cursor.state.get(WALKED, ""))
    return end is not None and any(not row.is_open and cursor.at <= row.at < end for row in changed)


def _watermark(listing: Listing, cursor: Cursor) -> datetime:
    text = cursor.state.get(listing.collection, "")
    try:
        known = parse_instant(text) if text != REFUSED else None
    except DateError:
        known = None
    return known or cursor.at


def _told_too_much(listing: Listing, since: datetime, strays: int) -> str:
    return (
        f"asked for {listing.collection} changed since {instant_text(since)}, Xero gave {strays} "
        "that did not change: it seems not to understand If-Modified-Since, so every reading "
        "costs as many calls as a full one; nothing is lost"
    )


def _invoice_traces(content: bytes) -> tuple[list[_Changed], list[datetime]]:
    changed: list[_Changed] = []
    times: list[datetime] = []
    for raw in readable(lambda: elements(content, INVOICES.collection)):
        try:
            row = _INVOICE_TRACES.decode(raw)
            at = parse_instant(row.updated)
        except (msgspec.MsgspecError, DateError):
            continue  # quarantined where it is read
        if at is None:
            continue
        times.append(at)
        if row.type in (None, "ACCREC"):
            credits = (
                (CREDIT_NOTES, row.credit_notes),
                (OVERPAYMENTS, row.overpayments),
                (PREPAYMENTS, row.prepayments),
            )
            kinds = tuple(kind for kind, named in credits if named)
            is_open = row.status == "AUTHORISED"
            changed.append(_Changed(id=row.id or "", at=at, is_open=is_open, kinds=kinds))
    return changed, times


def _times(content: bytes, listing: Listing) -> list[datetime]:
    times: list[datetime] = []
    for raw in readable(lambda: elements(content, listing.collection)):
        try:
            at = parse_instant(_TRACES.decode(raw).updated)
        except (msgspec.MsgspecError, DateError):
            continue
        if at is not None:
            times.append(at)
    return times


def _digest(rows: Sequence[_Changed]) -> str:
    """Names a set of changes; empty for none."""
    if not rows:
        return ""
    said = "|".join(sorted(f"{row.id}@{row.at.isoformat()}" for row in rows))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
