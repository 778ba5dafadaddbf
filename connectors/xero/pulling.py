"""Reading everything: open invoices, our own closed fees, contacts, payments, credits, quotes.

Calls: one for each thousand rows of each list, one for each list that is empty, one for fees
that are no longer open. Xero gives quotes by the hundred; only those that changed last are read.
A walk that broke off goes on after its last page, in another process too: the text that each
page carries names the list, the page and how the walk began.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from connectors.errors import AuthorizationError, RefusedError
from connectors.port import Cursor, Page
from connectors.xero.dates import instant_text, parse_instant
from connectors.xero.lists import (
    CLOSED_FEES,
    CONTACTS,
    CREDIT_NOTES,
    INVOICES,
    OVERPAYMENTS,
    PAYMENTS,
    PREPAYMENTS,
    QUOTES,
    Listing,
    Lists,
)
from connectors.xero.paging import Step, walk
from connectors.xero.rows import Rows
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice

REFUSED: Final = "refused"
"""Stands in a cursor for the time of a list that Xero does not let us read."""

WALKED: Final = "walked"
"""Names, in a cursor, the end of a walk over several pages of open invoices."""

_ORDER: Final = (
    CONTACTS,
    INVOICES,
    CLOSED_FEES,
    PAYMENTS,
    CREDIT_NOTES,
    OVERPAYMENTS,
    PREPAYMENTS,
    QUOTES,
)
_QUOTE_PAGES: Final = 2


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a walk stands; what `resume` carries."""

    v: int = 1
    list: int = 0
    """Position in _ORDER."""
    page: int = 1
    count: int | None = None
    """Rows that the list had when its last page came."""
    seen: int = 0
    began: dict[str, str] = {}
    """Collection to the time of its first page."""


class FullPull:
    """One reading of everything."""

    def __init__(self, lists: Lists, now: Callable[[], datetime]) -> None:
        self._lists = lists
        self._now = now
        self._owners: dict[str, tuple[CustomerId, str]] = {}

    def pages(self, resume: str = "") -> Iterator[Page]:
        """Every page from the place that `resume` names; the last one carries the cursor."""
        place = _read(resume)
        began = dict(place.began)
        held: Page | None = None
        for position, listing in enumerate(_ORDER):
            if position < place.list:
                continue
            start = place if position == place.list else _Place()
            for page, next_page, seen in self._list(listing, start, began):
                if held is not None:
                    yield held
                after = _Place(
                    list=position if next_page else position + 1,
                    page=next_page or 1,
                    count=page.total if next_page else None,
                    seen=seen if next_page else 0,
                    began=dict(began),
                )
                held = msgspec.structs.replace(page, resume=msgspec.json.encode(after).decode())
        if held is None:  # the walk had ended, and only its last page was not kept
            held = Page(entity=QUOTES.entity)
        yield msgspec.structs.replace(held, cursor=self._cursor(began), resume="")

    def _list(
        self, listing: Listing, start: _Place, began: dict[str, str]
    ) -> Iterator[tuple[Page, int, int]]:
        """Pages of one list, each with the page that follows it and its number of rows."""
        try:
            for step in self._walk(listing, start, began):
                for record in step.rows.records:
                    if isinstance(record, Invoice):
                        self._owners[record.id] = (record.customer, record.currency)
                more = listing is QUOTES and step.next_page > _QUOTE_PAGES
                page = Page(
                    entity=listing.entity,
                    records=step.rows.records,
                    quarantined=step.rows.quarantined,
                    total=step.rows.item_count,
                    remarks=(_only_the_latest(_QUOTE_PAGES),) if more else (),
                )
                yield page, 0 if more else step.next_page, step.rows.seen
                if more:
                    return
        except (RefusedError, AuthorizationError) as error:
            if listing is not QUOTES:
                raise
            began[QUOTES.collection] = REFUSED
            yield Page(entity=listing.entity, remarks=(quotes_refused(error),)), 0, 0

    def _walk(self, listing: Listing, start: _Place, began: dict[str, str]) -> Iterator[Step]:
        def read_page(number: int) -> Rows:
            read = self._lists.page(listing, number, owners=self._owners)
            began.setdefault(listing.collection, instant_text(read.at))
            if listing is INVOICES and number > 1:
                began[WALKED] = instant_text(read.at)
            if listing is CLOSED_FEES and read.rows.seen and not read.rows.records:
                # The service does not search: what it gave are other invoices. No more of them.
                return Rows()
            return read.rows

        before = Rows(item_count=start.count, seen=start.seen) if start.page > 1 else None
        return walk(read_page, first_page=start.page, before=before)

    def _cursor(self, began: Mapping[str, str]) -> Cursor:
        times = [parse_instant(began.get(name.collection)) for name in (CONTACTS, INVOICES)]
        return Cursor(
            at=min((time for time in times if time is not None), default=self._now()),
            state={
                name: time
                for name, time in began.items()
                if name not in (CONTACTS.collection, INVOICES.collection)
            },
        )


def quotes_refused(error: Exception) -> str:
    return (
        f"Xero does not let us read quotes ({error}): estimates are left out; connect the book "
        "again with the permission for invoices and quotes if you need them"
    )


def _only_the_latest(pages: int) -> str:
    return (
        f"of the quotes only the {pages * 100} that changed last were read: Xero gives a hundred "
        "a call"
    )


def _read(resume: str) -> _Place:
    """A text that is not ours begins the walk anew: rows then come twice, none is missed."""
    if not resume:
        return _Place()
    try:
        place = msgspec.json.decode(resume, type=_Place)
    except msgspec.MsgspecError:
        return _Place()
    is_ours = place.v == 1 and 0 <= place.list <= len(_ORDER) and place.page >= 1
    return place if is_ours else _Place()
