"""What one reading of the ledger said, before any of it is part of the book.

The records themselves lie in pages: in memory for a few, in the store for a whole book. Kept at
hand is only what is needed to judge them: which page has the last word on each record, what
could not be read, and what is gone.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from ar_bridge.store.mirror import ENTITIES
from ar_bridge.store.quarantine import NAMELESS
from connectors.port import (
    Cursor,
    CustomerReading,
    EstimateReading,
    MoneyReading,
    Page,
    Quarantined,
    Reading,
    Record,
)
from rules.actions.keys import read_charge_tag
from rules.model import Customer, CustomerId, Invoice, InvoiceId, Payment


class Pages(Protocol):
    """Where the pages of a reading are kept."""

    def keep(self, position: int, page: Page) -> None: ...

    def read(self, conn: Connection) -> Iterator[tuple[int, Page]]:
        """All of them with their positions, in order."""
        ...


class PagesInMemory:
    """Pages of a small reading."""

    def __init__(self) -> None:
        self._pages: list[tuple[int, Page]] = []

    def keep(self, position: int, page: Page) -> None:
        self._pages.append((position, page))

    def read(self, conn: Connection) -> Iterator[tuple[int, Page]]:
        return iter(self._pages)


class Pull:
    """One reading: of two versions of one record the later page's counts."""

    def __init__(self, pages: Pages | None = None) -> None:
        self._pages: Pages = pages or PagesInMemory()
        self._position = 0
        self._last: dict[str, dict[str, int]] = {entity: {} for entity in ENTITIES}
        self.unreadable: dict[tuple[str, str], Quarantined] = {}
        self.gone: dict[str, set[str]] = {entity: set() for entity in ENTITIES}
        self.cursor: Cursor | None = None
        self.resume = ""
        """Where the walk under way can go on; empty where it can only begin anew."""
        self.counts: dict[str, int] = dict.fromkeys(ENTITIES, 0)
        self.remarks: dict[str, None] = {}
        self.open_invoices: set[str] = set()
        self.inactive: set[str] = set()
        """Customers that were read and are not active."""
        self.named_customers: set[str] = set()
        """Customers that invoices and children of this reading name."""
        self.fees_of_ours: set[str] = set()
        """Numbers of late fees under our tag."""

    # what was said --------------------------------------------------------------------------------

    def take(self, page: Page) -> None:
        """Add a page."""
        self._pages.keep(self._position + 1, page)
        self.learn(self._position + 1, page)

    def learn(self, position: int, page: Page) -> None:
        """Take note of a page that is kept already."""
        self._position = position
        last = self._last[page.entity]
        gone = self.gone[page.entity]
        for record in page.records:
            last[record.id] = position
            self._note(record)
        if self.unreadable:
            for record in page.records:
                self.unreadable.pop((page.entity, record.id), None)
        gone.difference_update(record.id for record in page.records)
        for bad in map(_named, page.quarantined):
            self.unreadable[bad.entity, bad.id] = bad
            if bad.entity in self._last:
                self._forget(bad.entity, bad.id)
        for record_id in page.removed:
            self._forget(page.entity, record_id)
            self.unreadable.pop((page.entity, record_id), None)
            gone.add(record_id)
        self.counts[page.entity] += len(page.records)
        self.remarks.update(dict.fromkeys(page.remarks))
        self.resume = page.resume
        if page.cursor is not None:
            self.cursor = page.cursor

    def reread(self, asked: Sequence[InvoiceId], reading: Reading) -> None:
        """Add invoices that were read again by id."""
        known = {one.id for one in reading.invoices} | {bad.id for bad in reading.quarantined}
        known.update(reading.missing)
        silent = [
            Quarantined(
                entity="invoices",
                id=invoice_id,
                reason="the ledger neither lists it nor says that it is gone",
            )
            for invoice_id in asked
            if invoice_id not in known
        ]
        self.take(
            Page(
                entity="invoices",
                records=reading.invoices,
                quarantined=[*reading.quarantined, *silent],
                removed=reading.missing,
                resume=self.resume,
            )
        )

    def reread_customers(self, reading: CustomerReading) -> None:
        """Add customers that were read again by id."""
        self.take(
            Page(
                entity="customers",
                records=reading.customers,
                quarantined=reading.quarantined,
                removed=reading.missing,
                resume=self.resume,
            )
        )

    def reread_estimates(self, reading: EstimateReading) -> None:
        """Add estimates that were read again by id."""
        self.take(
            Page(
                entity="estimates",
                records=reading.estimates,
                quarantined=reading.quarantined,
                removed=reading.missing,
                resume=self.resume,
            )
        )

    def reread_money(self, reading: MoneyReading) -> None:
        """Add payments and credits that were read again by customer."""
        records: dict[str, list[Record]] = {"payments": [], "credits": []}
        for record in reading.records:
            records["payments" if isinstance(record, Payment) else "credits"].append(record)
        for entity, found in records.items():
            bad = [each for each in reading.quarantined if each.entity == entity]
            self.take(Page(entity=entity, records=found, quarantined=bad, resume=self.resume))

    def mentions(self, entity: str, record_id: str) -> bool:
        """Whether this reading said anything about a record."""
        return (
            record_id in self._last[entity]
            or (entity, record_id) in self.unreadable
            or record_id in self.gone[entity]
        )

    def spoken_of(self, entity: str) -> set[str]:
        """Ids of the records that this reading says something else of than that they cannot be
        read."""
        return self._last[entity].keys() | self.gone[entity]

    def vanish(self, entity: str, record_id: str) -> None:
        """Count a record as gone because the reading would have named it."""
        self.gone[entity].add(record_id)

    # what is to be stored -------------------------------------------------------------------------

    def records(self, conn: Connection) -> Iterator[tuple[str, list[Record]]]:
        """The version that counts of every record, page by page, with its entity."""
        for position, page in self._pages.read(conn):
            last = self._last[page.entity]
            counting = {one.id: one for one in page.records if last.get(one.id) == position}
            if counting:
                yield page.entity, list(counting.values())

    def _note(self, record: Record) -> None:
        if isinstance(record, Invoice):
            self.named_customers.add(record.customer)
            if record.status == "open":
                self.open_invoices.add(record.id)
            else:
                self.open_invoices.discard(record.id)
            if record.is_fee and read_charge_tag(record.reference):
                self.fees_of_ours.add(record.number)
        elif isinstance(record, Customer):
            if record.parent is not None:
                self.named_customers.add(record.parent)
            if record.is_active:
                self.inactive.discard(record.id)
            else:
                self.inactive.add(record.id)

    def _forget(self, entity: str, record_id: str) -> None:
        self._last[entity].pop(record_id, None)
        if entity == "invoices":
            self.open_invoices.discard(record_id)
        elif entity == "customers":
            self.inactive.discard(CustomerId(record_id))


def _named(bad: Quarantined) -> Quarantined:
    if bad.id:
        return bad
    told = "\n".join((bad.reason, bad.customer, *bad.invoices))
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return msgspec.structs.replace(bad, id=NAMELESS + digest)
