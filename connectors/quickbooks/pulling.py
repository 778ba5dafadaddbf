"""Reading the whole working set of a QuickBooks company, page by page to the end.

Calls: a page per thousand rows of each entity, one more page where an entity's last page is
full (for it need not have been the last), one for closed late fees of ours, one for the account
of QuickBooks' own late fees where lines have items, and one for each list that customers refer
to. Every page says where to go on.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connectors.errors import RefusedError
from connectors.port import Cursor, Page, Quarantined, Record
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.names import Vocabulary
from connectors.quickbooks.requests import moment
from connectors.quickbooks.sources import (
    CREDITS,
    CUSTOMERS,
    ESTIMATES,
    INVOICES,
    OF_ANY_STATE,
    PAYMENTS,
    Source,
)
from connectors.quickbooks.walking import START, Position, Step, walk

OVERLAP: Final = timedelta(minutes=10)
"""An incremental read starts this much before the last one: clocks differ."""

FEES_KEPT_FOR: Final = timedelta(days=400)

RESUMABLE_FOR: Final = timedelta(days=2)
"""A walk that broke off longer ago begins anew: too much has changed on the way."""

_OPEN: Final = "Balance > '0'"
_LIVE_ESTIMATES: Final = "TxnStatus in ('Pending', 'Accepted')"

_ITEM: Final = b'"ItemRef"'
"""Only a line with an item can be a late fee of QuickBooks' own under another name."""

_STAGES: Final = ("fees", "customers", "invoices", "payments", "credits", "estimates")


class _Place(msgspec.Struct, frozen=True):
    """Where a walk stands: what a page's resume text holds."""

    at: datetime | None
    """The vendor's time of the walk's first answer."""
    stage: str
    position: Position = Position()
    names: str = ""
    v: int = 1


class Pull:
    """One walk. Ids that were seen are not given twice, whatever the pages hold."""

    def __init__(self, api: MountedQuickBooks, vocabulary: Vocabulary, now: datetime) -> None:
        self._api = api
        self._vocabulary = vocabulary
        self._now = now
        self._at: datetime | None = None
        self._seen: set[tuple[str, str]] = set()

    def pages(self, resume: str = "") -> Iterator[Page]:
        """Every page from the beginning, or from where `resume` says; the last has the cursor."""
        place = self._resumed(resume)
        if place is None:
            place = _Place(at=None, stage=_STAGES[0])
        self._at = place.at
        for stage in _STAGES[_STAGES.index(place.stage) :]:
            position = place.position if stage == place.stage else Position()
            for page, step in self._stage(stage, position):
                yield self._placed(page, stage, step)

    def of(self, source: Source, where: str, position: Position = START) -> Iterator[Page]:
        """The pages of one entity, read into the book's records."""
        for page, _ in self._steps(source, where, position):
            yield page

    @property
    def at(self) -> datetime | None:
        """The vendor's time of the first answer of this walk."""
        return self._at

    def read(
        self, source: Source, records: Sequence[msgspec.Raw]
    ) -> tuple[list[Record], list[Quarantined]]:
        """Raw records into the book's, those seen before left out."""
        good, bad = self._vocabulary.read(source, records)
        fresh = [record for record in good if self._is_new(source.page, record.id)]
        return fresh, [
            row
            for row in bad
            if self._is_new(source.page, row.id or f"{row.reason} {row.customer} {row.invoices}")
        ]

    def _resumed(self, text: str) -> _Place | None:
        """None where there is nothing to go on from, or not any more."""
        if not text:
            return None
        try:
            place = msgspec.json.decode(text, type=_Place)
        except msgspec.DecodeError:
            return None
        is_old = place.at is None or self._now - place.at > RESUMABLE_FOR
        if place.stage not in _STAGES or is_old:
            return None
        self._vocabulary.recall(place.names)
        return place

    def _placed(self, page: Page, stage: str, step: Step | None) -> Page:
        """The page with where to go on after it, or with the cursor at the end of the walk."""
        at = self._at or self._now
        names = self._vocabulary.text()
        if step is not None and step.next is not None:
            following = _Place(at=at, stage=stage, position=step.next, names=names)
        elif stage != _STAGES[-1]:
            following = _Place(at=at, stage=_STAGES[_STAGES.index(stage) + 1], names=names)
        else:
            return msgspec.structs.replace(page, cursor=Cursor(at=at, state={"names": names}))
        return msgspec.structs.replace(page, resume=msgspec.json.encode(following).decode())

    def _stage(self, stage: str, position: Position) -> Iterator[tuple[Page, Step | None]]:
        if stage == "fees":
            yield from self._fees(position)
        elif stage == "customers":
            yield from self._or_plainly(CUSTOMERS, OF_ANY_STATE, position)
        elif stage == "estimates":
            yield from self._estimates(position)
        else:
            source, where = {
                "invoices": (INVOICES, _OPEN),
                "payments": (PAYMENTS, ""),
                "credits": (CREDITS, ""),
            }[stage]
            yield from self._steps(source, where, position)

    def _steps(self, source: Source, where: str, position: Position) -> Iterator[tuple[Page, Step]]:
        for step in walk(self._api, source.entity, where, position):
            self._at = self._at or step.rows.at
            if source is INVOICES and any(_ITEM in bytes(record) for record in step.records):
                # Now, lest everything is read again for what could not be told at first.
                self._vocabulary.learn_fee_items()
            good, bad = self.read(source, step.records)
            yield Page(entity=source.page, records=good, quarantined=bad), step

    def _or_plainly(
        self, source: Source, where: str, position: Position
    ) -> Iterator[tuple[Page, Step]]:
        """Without the condition where that is refused: not everybody can filter by it."""
        try:
            yield from self._steps(source, where, position)
        except RefusedError:
            yield from self._steps(source, "", Position())

    def _estimates(self, position: Position) -> Iterator[tuple[Page, Step | None]]:
        try:
            yield from self._or_plainly(ESTIMATES, _LIVE_ESTIMATES, position)
        except RefusedError as error:
            words = f"estimates cannot be read: {error}"
            yield Page(entity=ESTIMATES.page, remarks=(words,)), None

    def _fees(self, position: Position) -> Iterator[tuple[Page, Step | None]]:
        """Our fee documents that are paid or void: what was charged is not charged again."""
        try:
            yield from self._steps(INVOICES, self._closed_fees(), position)
        except RefusedError as error:
            reason = f"closed late fees could not be listed: {error}"
            bad = Quarantined(entity=INVOICES.page, id="", reason=reason)
            yield Page(entity=INVOICES.page, quarantined=(bad,)), None

    def _closed_fees(self) -> str:
        since = (self._now - FEES_KEPT_FOR).date().isoformat()
        return f"DocNumber like 'LF-%' and Balance = '0' and TxnDate >= '{since}'"

    def _is_new(self, entity: str, id: str) -> bool:
        known = (entity, id) in self._seen
        self._seen.add((entity, id))
        return not known


def changed_since(at: datetime) -> str:
    """A condition on when a record was last changed."""
    return f"MetaData.LastUpdatedTime >= {moment(at)}"
