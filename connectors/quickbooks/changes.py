"""Reading what changed since the last time: one call for an unchanged book.

Change data capture answers for all entities at once, deletions included, and looks back 30 days.
It gives at most 1,000 objects and no second page. So a full answer is asked for again entity by
entity, and an entity that is full by itself is queried by its time of change: those pages hold
every changed row, but no deletion. Then, and where a customer was merged into another, the
cursor says that the next reading has to be a full one, which finds what this one could not tell.
An entity whose part of the answer stays a fault is queried in the same way; as that may last,
its deletions wait for the full reading that comes once in a while.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from connectors.errors import (
    AuthorizationError,
    CursorTooOldError,
    RateLimitedError,
    RefusedError,
    StaleError,
    TransientError,
)
from connectors.port import Cursor, Page
from connectors.quickbooks import wire
from connectors.quickbooks.answers import decoded, instant, rows_changed
from connectors.quickbooks.faults import faults, judged
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.names import Vocabulary
from connectors.quickbooks.pulling import OVERLAP, Pull, changed_since
from connectors.quickbooks.requests import iso
from connectors.quickbooks.sources import (
    CUSTOMERS,
    ESTIMATES,
    INVOICES,
    OF_ANY_STATE,
    SOURCES,
    Source,
)

MOST_OBJECTS: Final = 1000
"""Objects that one answer holds at most; there is no second page."""

LOOK_BACK: Final = timedelta(days=29)
"""The vendor looks back 30 days. A day less, because clocks and zones differ."""

_FAR_OLDER: Final = timedelta(hours=1)

_RECONCILE: Final = "reconcile"
_WITHOUT: Final = "without"

_Changed: TypeAlias = Mapping[str, Sequence[msgspec.Raw]]
"""Entity to its changed records, for the entities that were answered in full."""


class Changes:
    """One incremental reading."""

    def __init__(self, api: MountedQuickBooks, vocabulary: Vocabulary, now: datetime) -> None:
        self._api = api
        self._vocabulary = vocabulary
        self._now = now
        self._pull = Pull(api, vocabulary, now)
        self._at: datetime | None = None
        self._reconcile = ""
        self._without: tuple[str, ...] = ()
        self._failed: dict[str, str] = {}
        """Entities whose part of an answer was a fault, and its words."""
        self._gone: dict[str, set[str]] = {}
        """Deletions met in answers that were full."""
        self._asked = self._older = 0

    def pages(self, cursor: Cursor) -> Iterator[Page]:
        """What changed, a page or more for each entity; the last one carries the cursor.

        Raises CursorTooOldError where only a full reading can tell.
        """
        # Before anything else: a full reading that follows knows these names too.
        knew_fee_items = self._vocabulary.recall(cursor.state.get("names", ""))
        if cursor.state.get(_RECONCILE):
            raise CursorTooOldError(cursor.state[_RECONCILE])
        if self._now - cursor.at > LOOK_BACK:
            raise CursorTooOldError(
                f"QuickBooks tells what changed in the last 30 days; this book was last read on "
                f"{cursor.at.date().isoformat()}"
            )
        self._without = tuple(filter(None, cursor.state.get(_WITHOUT, "").split(",")))
        since = cursor.at - OVERLAP
        changed = self._all(since)
        held: Page | None = None
        for source in SOURCES:
            for page in self._of(source, changed, since):
                if held is not None:
                    yield held
                held = page
        assert held is not None
        if not knew_fee_items and self._vocabulary.learned.fee_items:
            self._reconcile = "the lines of QuickBooks' own late fees could not be told before"
        yield msgspec.structs.replace(
            held, cursor=self._cursor(cursor), remarks=(*held.remarks, *self._remarks(since))
        )

    def _cursor(self, before: Cursor) -> Cursor:
        state = {"names": self._vocabulary.text()}
        if self._reconcile:
            state[_RECONCILE] = self._reconcile
        if self._without:
            state[_WITHOUT] = ",".join(self._without)
        # A clock that is behind must not make us read the same span for ever.
        return Cursor(at=max(self._at or self._now, before.at), state=state)

    def _all(self, since: datetime) -> _Changed:
        """All entities in one call, as far as that answer can be relied on."""
        entities = [s.entity for s in SOURCES if s.entity not in self._without]
        try:
            return self._captured(entities, since)
        except (RefusedError, StaleError):
            if ESTIMATES.entity not in entities:
                return {}
        try:
            found = self._captured([e for e in entities if e != ESTIMATES.entity], since)
        except (RefusedError, StaleError):
            return {}
        self._without = (ESTIMATES.entity,)
        return found

    def _captured(self, entities: Sequence[str], since: datetime) -> _Changed:
        """Entities whose answer is whole. An answer that is full may hide more of any of them."""
        answer = self._api.changes(entities, iso(since))
        parts = rows_changed(answer, entities)
        self._at = self._at or parts.at
        for fault in parts.faults:
            error = judged(faults(fault), answer.status, answer.request_id)
            if isinstance(error, AuthorizationError | RateLimitedError):
                raise error
            if isinstance(error, TransientError):
                silent = (entity for entity in entities if entity not in parts.records)
                self._failed.update(dict.fromkeys(silent, error.message))
        if sum(len(records) for records in parts.records.values()) >= MOST_OBJECTS:
            for entity, records in parts.records.items():
                self._gone.setdefault(entity, set()).update(_deleted(records))
            return {}
        return parts.records

    def _of(self, source: Source, changed: _Changed, since: datetime) -> Iterator[Page]:
        records = changed.get(source.entity)
        if records is None and source.entity not in self._without:
            try:
                records = self._captured([source.entity], since).get(source.entity)
            except RateLimitedError:
                raise
            except (RefusedError, StaleError):
                records = None
            except TransientError as error:
                if source.entity not in self._failed:
                    raise
                self._failed[source.entity] = error.message
            if records is not None:
                self._failed.pop(source.entity, None)
        if records is None:
            yield from self._queried(source, since)
            return
        yield self._page(source, records, since)

    def _page(self, source: Source, records: Sequence[msgspec.Raw], since: datetime) -> Page:
        live: list[msgspec.Raw] = []
        removed: list[str] = []
        for record in records:
            try:
                stamp = decoded(record, wire.WireStamp)
            except msgspec.DecodeError:
                live.append(record)  # it will be quarantined by name
                continue
            if stamp.status == "Deleted":
                removed.append(stamp.id)
            else:
                live.append(record)
                self._check_age(stamp, since)
            if source is CUSTOMERS and self._has_left(stamp, since):
                self._reconcile = (
                    "a customer was removed, or merged into another with all documents: everything "
                    "is read again"
                )
        if source is INVOICES and live:
            self._vocabulary.learn_fee_items()
        good, bad = self._pull.read(source, live)
        return Page(entity=source.page, records=good, quarantined=bad, removed=removed)

    def _has_left(self, stamp: wire.WireStamp, since: datetime) -> bool:
        """Whether it is news that this customer was removed or made inactive. Readings overlap,
        so the same row comes again; it counts once."""
        if stamp.status != "Deleted" and stamp.active is not False:
            return False
        text = (stamp.meta_data.last_updated_time if stamp.meta_data else None) or ""
        left = self._vocabulary.learned.left
        if text and left.get(stamp.id) == text:
            return False
        for id, other in list(left.items()):
            at = instant(other)
            if at is None or at < since - _FAR_OLDER:
                del left[id]
        if text:
            left[stamp.id] = text
        return True

    def _queried(self, source: Source, since: datetime) -> Iterator[Page]:
        """Every changed row by its time of change, in pages. Deletions do not show here."""
        where = changed_since(since)
        if source is CUSTOMERS:
            where = f"{OF_ANY_STATE} and {where}"
        failed = self._failed.get(source.entity)
        if failed is None and source is not ESTIMATES:
            self._reconcile = (
                f"so many {source.page} changed at once that QuickBooks could not tell which were "
                "deleted: everything is read again"
            )
        gone = sorted(self._gone.get(source.entity, ()))
        try:
            for page in self._pull.of(source, where):
                yield msgspec.structs.replace(page, removed=gone)
                gone = []
        except RefusedError as error:
            if source is not ESTIMATES:
                raise
            yield Page(entity=source.page, remarks=(f"estimates cannot be read: {error}",))

    def _check_age(self, stamp: wire.WireStamp, since: datetime) -> None:
        at = instant(stamp.meta_data.last_updated_time) if stamp.meta_data else None
        if at is not None:
            self._asked += 1
            self._older += at < since - _FAR_OLDER

    def _remarks(self, since: datetime) -> tuple[str, ...]:
        """Whether the answer really was newer than what we know already."""
        found = []
        if self._reconcile:
            found.append(f"The next reading is a full one: {self._reconcile}.")
        for entity, words in self._failed.items():
            found.append(
                f"QuickBooks does not tell what was deleted of {entity} ({words}): that shows at "
                "the next full reading."
            )
        if self._older * 2 > self._asked:
            found.append(
                f"QuickBooks was asked for what changed since {iso(since)} and gave "
                f"{self._older} of {self._asked} records that are older: a full reading is safer."
            )
        if self._at is not None and self._at < since:
            found.append(
                f"QuickBooks dates its answer {iso(self._at)}, before what it was asked for: "
                "its clock or an earlier answer is in the way."
            )
        return tuple(found)


def _deleted(records: Sequence[msgspec.Raw]) -> Iterator[str]:
    for record in records:
        try:
            stamp = decoded(record, wire.WireStamp)
        except msgspec.DecodeError:
            continue
        if stamp.status == "Deleted":
            yield stamp.id
