"""An accounting system in memory, as far as reading goes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

import msgspec

from connectors.errors import StaleError, TransientError
from connectors.port import (
    Capabilities,
    Clock,
    CompanyCheck,
    Cursor,
    LedgerEffect,
    MoneyReading,
    Page,
    Prepared,
    Quarantined,
    Reading,
    Receipt,
    Record,
)
from rules.model import CreditNote, Customer, CustomerId, Invoice, InvoiceId, Payment
from tests.store.records import COMPANY

_ENTITY = {
    Customer: "customers",
    Invoice: "invoices",
    Payment: "payments",
    CreditNote: "credits",
}


class MemoryLedger:
    """Holds records; a full pull lists what is open, money with it, and every customer."""

    def __init__(self, clock: Clock, records: Iterable[Record] = ()) -> None:
        self.clock = clock
        self.records: dict[tuple[str, str], Record] = {}
        self.unreadable: dict[tuple[str, str], str] = {}
        self.still_told: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
        """What unreadable records tell: whose they are, and the invoices that they settle."""
        self.changed: list[tuple[str, str]] = []
        self.breaks_after: int | None = None
        """Pages after which the connection breaks."""
        self.silent: set[str] = set()
        """Invoices that `read` says nothing about."""
        self.reads: list[list[str]] = []
        self.pulls: list[Cursor | None] = []
        self.resumed: list[str] = []
        self.can_resume = True
        self.forgets_places = False
        self.oldest_cursor = 0
        """Changes before this one are forgotten."""
        self.page_size = 2
        self.put(*records)

    def put(self, *records: Record) -> None:
        """Add or change records."""
        for record in records:
            key = (_ENTITY[type(record)], record.id)
            self.records[key] = record
            self.unreadable.pop(key, None)
            self.changed.append(key)

    def delete(self, entity: str, record_id: str) -> None:
        """Take a record away."""
        del self.records[entity, record_id]
        self.changed.append((entity, record_id))

    def spoil(
        self,
        entity: str,
        record_id: str,
        reason: str = "the total is missing",
        *,
        customer: str = "",
        invoices: Sequence[str] = (),
    ) -> None:
        """Make a record unreadable; the rest is what it tells all the same."""
        self.unreadable[entity, record_id] = reason
        self.still_told[entity, record_id] = (customer, tuple(invoices))
        self.changed.append((entity, record_id))

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(ledger="xero", effects=frozenset(), note_limit=250, read_batch=2)

    def check(self) -> CompanyCheck:
        return CompanyCheck(company=COMPANY)

    def pull(self, cursor: Cursor | None = None, *, resume: str = "") -> Iterator[Page]:
        """Sorted by id, so that a walk can go on after the last one that it saw."""
        self.pulls.append(cursor)
        self.resumed.append(resume)
        if resume and self.forgets_places:
            raise StaleError("where was that?")
        if cursor is not None and self.oldest_cursor > int(cursor.state["n"]):
            raise StaleError("changes of so long ago are not known any more")
        keys = (
            self._listed()
            if cursor is None
            else list(dict.fromkeys(self.changed[int(cursor.state["n"]) :]))
        )
        entities = list(_ENTITY.values())
        began, entity, last = (resume or f"{len(self.changed)}|{entities[0]}|").split("|")
        pages = 0
        for each in entities[entities.index(entity) :]:
            mine = sorted(key for key in keys if key[0] == each)
            left = [key for key in mine if key[1] > last or each != entity]
            for page in self._pages(each, left, total=len(mine)):
                if self.breaks_after is not None and pages >= self.breaks_after:
                    raise TransientError("the connection broke off")
                pages += 1
                token = f"{began}|{each}|{page[0]}"
                yield msgspec.structs.replace(page[1], resume=token if self.can_resume else "")
        if self.breaks_after is not None and pages >= self.breaks_after:
            raise TransientError("the connection broke off")
        yield Page(entity="credits", cursor=Cursor(at=self.clock.now(), state={"n": began}))

    def _listed(self) -> list[tuple[str, str]]:
        open_ids = {
            record.id
            for record in self.records.values()
            if isinstance(record, Invoice) and record.status == "open"
        }
        keys = []
        for key, record in self.records.items():
            is_listed = (
                isinstance(record, Customer)
                or (isinstance(record, Invoice) and record.id in open_ids)
                or (isinstance(record, Payment) and self._matters(record, open_ids))
                or (isinstance(record, CreditNote) and self._matters(record, open_ids))
            )
            if is_listed:
                keys.append(key)
        return keys + [key for key in self.unreadable if key not in keys]

    def _matters(self, money: Payment | CreditNote, open_ids: set[InvoiceId]) -> bool:
        unapplied = money.unapplied if isinstance(money, Payment) else money.remaining
        return bool(unapplied) or any(part.invoice in open_ids for part in money.allocations)

    def _pages(
        self, entity: str, keys: Sequence[tuple[str, str]], *, total: int
    ) -> Iterator[tuple[str, Page]]:
        """Each page with the last id on it."""
        for start in range(0, len(keys), self.page_size):
            some = keys[start : start + self.page_size]
            good = [key for key in some if key not in self.unreadable]
            yield (
                some[-1][1],
                Page(
                    entity=entity,
                    records=[self.records[key] for key in good if key in self.records],
                    removed=[key[1] for key in good if key not in self.records],
                    quarantined=[self._quarantined(key) for key in some if key in self.unreadable],
                    total=total,
                ),
            )

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        self.reads.append(list(invoices))
        found: list[Invoice] = []
        missing: list[InvoiceId] = []
        quarantined: list[Quarantined] = []
        for asked in invoices:
            record = self.records.get(("invoices", asked))
            if asked in self.silent:
                continue
            if ("invoices", asked) in self.unreadable:
                quarantined.append(self._quarantined(("invoices", asked)))
            elif isinstance(record, Invoice):
                found.append(record)
            else:
                missing.append(asked)
        return Reading(invoices=found, missing=missing, quarantined=quarantined)

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        return [
            record
            for record in self.records.values()
            if isinstance(record, Payment | CreditNote) and record.customer in customers
        ]

    def read_money(self, customers: Sequence[CustomerId], since: datetime) -> MoneyReading:
        return MoneyReading(
            records=self.read_credits(customers, since),
            quarantined=[
                self._quarantined(key)
                for key in self.unreadable
                if key[0] in ("payments", "credits")
            ],
        )

    def _quarantined(self, key: tuple[str, str]) -> Quarantined:
        customer, invoices = self.still_told.get(key, ("", ()))
        return Quarantined(
            entity=key[0],
            id=key[1],
            reason=self.unreadable[key],
            customer=customer,
            invoices=invoices,
        )

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        raise NotImplementedError

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        raise NotImplementedError

    def find(self, effect: LedgerEffect) -> Receipt | None:
        raise NotImplementedError

    def close(self) -> None:
        return None
