"""Reading the working set of a QuickBooks company, page by page to the end.

Calls of a full pull: a page per thousand rows of each entity, one for the preferences, one for
closed late fees, and one more page where an entity's last page is full, because only an empty
page proves that a full one was the last.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec

from connectors.errors import RefusedError, TransientError
from connectors.port import Cursor, Page, Quarantined, Record
from connectors.quickbooks import parse, wire
from connectors.quickbooks.answers import Rows, decoded, read_records, rows
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.requests import PAGE, moment, select

OVERLAP: Final = timedelta(minutes=10)
"""An incremental read starts this much before the last one: clocks differ."""

FEES_KEPT_FOR: Final = timedelta(days=400)

_CUSTOMERS_OF_ANY_STATE: Final = "Active in (true, false)"
_OPEN: Final = "Balance > '0'"

Reader: TypeAlias = Callable[[Any, parse.Names], Record]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One entity: how it is called there and here."""

    entity: str
    page: str
    shape: type
    reader: Reader


CUSTOMERS: Final = Source(
    entity="Customer", page="customers", shape=wire.WireCustomer, reader=parse.customer
)
INVOICES: Final = Source(
    entity="Invoice", page="invoices", shape=wire.WireInvoice, reader=parse.invoice
)
PAYMENTS: Final = Source(
    entity="Payment", page="payments", shape=wire.WirePayment, reader=parse.payment
)
CREDITS: Final = Source(
    entity="CreditMemo", page="credits", shape=wire.WireCreditMemo, reader=parse.credit
)


class Pull:
    """One walk. Ids that were seen are not given twice, whatever the pages hold."""

    def __init__(self, api: MountedQuickBooks, names: parse.Names, now: datetime) -> None:
        self._api = api
        self._names = names
        self._now = now
        self._at: datetime | None = None
        self._seen: set[tuple[str, str]] = set()

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Every page; the last one carries the cursor."""
        held: Page | None = None
        for page in self._all(cursor):
            if held is not None:
                yield held
            held = page
        if held is not None:
            yield msgspec.structs.replace(held, cursor=Cursor(at=self._at or self._now))

    def _all(self, cursor: Cursor | None) -> Iterator[Page]:
        if cursor is not None:
            changed = f"MetaData.LastUpdatedTime >= {moment(cursor.at - OVERLAP)}"
            yield from self._customers(f"{_CUSTOMERS_OF_ANY_STATE} and {changed}", changed)
            for source in (INVOICES, PAYMENTS, CREDITS):
                yield from self.of(source, changed)
            return
        yield from self._customers(_CUSTOMERS_OF_ANY_STATE, "")
        yield from self.of(INVOICES, _OPEN)
        yield from self._closed_fees()
        for source in (PAYMENTS, CREDITS):
            yield from self.of(source, "")

    def _customers(self, where: str, plain: str) -> Iterator[Page]:
        """Inactive customers too, for they may owe; only active ones where that is refused."""
        try:
            yield from self.of(CUSTOMERS, where)
        except RefusedError:
            yield from self.of(CUSTOMERS, plain)

    def _closed_fees(self) -> Iterator[Page]:
        """Our fee documents that are paid or void: what was charged is not charged again."""
        since = (self._now - FEES_KEPT_FOR).date().isoformat()
        where = f"DocNumber like 'LF-%' and Balance = '0' and TxnDate >= '{since}'"
        try:
            yield from self.of(INVOICES, where)
        except RefusedError as error:
            reason = f"closed late fees could not be listed: {error}"
            yield Page(
                entity=INVOICES.page,
                quarantined=(Quarantined(entity=INVOICES.page, id="", reason=reason),),
            )

    def of(self, source: Source, where: str) -> Iterator[Page]:
        """The pages of one entity, read into the book's records."""
        for number, page in enumerate(self.walk(source.entity, where)):
            if source is CUSTOMERS:
                self._learn_names(page.records)
            good, bad = read_records(
                source.page, page.records, source.shape, source.reader, self._names
            )
            fresh = [record for record in good if self._is_new(source.page, record.id)]
            odd = [row for row in bad if self._is_new(source.page, row.id or row.reason)]
            if number and page.records and not fresh and not odd:
                raise TransientError(f"QuickBooks repeats a page of {source.page}: read it again")
            yield Page(entity=source.page, records=fresh, quarantined=odd)

    def walk(self, entity: str, where: str) -> Iterator[Rows]:
        """Raw pages. One that is full, or suspiciously round, is followed by another."""
        start = 1
        while True:
            answer = self._api.select(select(entity, where, start=start))
            page = rows(answer.content, entity)
            self._at = self._at or page.at
            yield page
            count = len(page.records)
            if count == 0 or (count < PAGE and count % 100):
                return
            start += min(count, PAGE)

    def _is_new(self, entity: str, id: str) -> bool:
        known = (entity, id) in self._seen
        self._seen.add((entity, id))
        return not known

    def _learn_names(self, records: Sequence[msgspec.Raw]) -> None:
        """Customer types and terms, once, and only where customers refer to them."""
        wanted = set()
        for record in records:
            try:
                customer = decoded(record, wire.WireCustomer)
            except msgspec.DecodeError:
                continue
            kind = customer.customer_type_ref
            if kind is not None and kind.value and not kind.name:
                wanted.add("CustomerType")
            if customer.sales_term_ref is not None and customer.sales_term_ref.value:
                wanted.add("Term")
        if "CustomerType" in wanted and not self._names.customer_types:
            types = {row.id: row.name for row in self._named("CustomerType") if row.name}
            self._names = msgspec.structs.replace(self._names, customer_types=types)
        if "Term" in wanted and not self._names.terms_days:
            terms = {row.id: row.due_days for row in self._named("Term") if row.due_days}
            self._names = msgspec.structs.replace(self._names, terms_days=terms)

    def _named(self, entity: str) -> list[wire.WireNamed]:
        """A short list that only adds words: a refusal leaves it empty."""
        try:
            page = rows(self._api.select(select(entity)).content, entity)
            return [decoded(record, wire.WireNamed) for record in page.records]
        except (RefusedError, msgspec.DecodeError):
            return []
