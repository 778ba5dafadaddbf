"""The lists of an organisation: how each is asked for and read, one page at a time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from connectors.port import Clock
from connectors.transport import Answer
from connectors.xero import parse, reads
from connectors.xero.answers import readable
from connectors.xero.faults import check_answer
from connectors.xero.rows import Context, RowReader, Rows, rows
from connectors.xero.sdk import MountedApi
from rules.model.ids import CustomerId

OVERLAP: Final = timedelta(minutes=5)
"""Readings of changes start this much early: Xero compares whole seconds, and what is written
while it answers may carry an earlier time."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One list of Xero's."""

    entity: str
    """Of the page that it becomes: customers, invoices, payments, credits, estimates."""
    collection: str
    """Its name in the answer, and in cursors."""
    id_field: str
    ask: Callable[[int, datetime | None], reads.Read]
    reader: RowReader[Any]


CONTACTS: Final = Listing(
    entity="customers",
    collection="Contacts",
    id_field="ContactID",
    ask=reads.contacts,
    reader=parse.customer,
)
INVOICES: Final = Listing(
    entity="invoices",
    collection="Invoices",
    id_field="InvoiceID",
    ask=reads.invoices,
    reader=parse.invoice,
)
CLOSED_FEES: Final = Listing(
    entity="invoices",
    collection="Invoices",
    id_field="InvoiceID",
    ask=reads.closed_fees,
    reader=parse.fee,
)
PAYMENTS: Final = Listing(
    entity="payments",
    collection="Payments",
    id_field="PaymentID",
    ask=reads.payments,
    reader=parse.payment,
)
CREDIT_NOTES: Final = Listing(
    entity="credits",
    collection="CreditNotes",
    id_field="CreditNoteID",
    ask=reads.credit_notes,
    reader=parse.credit,
)
OVERPAYMENTS: Final = Listing(
    entity="credits",
    collection="Overpayments",
    id_field="OverpaymentID",
    ask=reads.overpayments,
    reader=parse.credit,
)
PREPAYMENTS: Final = Listing(
    entity="credits",
    collection="Prepayments",
    id_field="PrepaymentID",
    ask=reads.prepayments,
    reader=parse.credit,
)
QUOTES: Final = Listing(
    entity="estimates",
    collection="Quotes",
    id_field="QuoteID",
    ask=reads.quotes,
    reader=parse.quote,
)
MONEY: Final = (PAYMENTS, CREDIT_NOTES, OVERPAYMENTS, PREPAYMENTS)
"""What settles invoices, or may."""


class ReadPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list: as values, as bytes, and when Xero gave it."""

    rows: Rows
    content: bytes
    at: datetime


class Lists:
    """Reads pages. The organisation is asked for only where an amount names no currency."""

    def __init__(
        self,
        api: MountedApi,
        *,
        clock: Clock,
        base_currency: Callable[[], str],
        known_currency: str = "",
        hold_group: str,
        fee_account: str = "",
    ) -> None:
        self._api = api
        self._clock = clock
        self._find_currency = base_currency
        self._currency = known_currency
        self._hold_group = hold_group
        self._fee_account = fee_account

    def page(
        self,
        listing: Listing,
        number: int,
        since: datetime | None = None,
        owners: Mapping[str, tuple[CustomerId, str]] | None = None,
    ) -> ReadPage:
        """One page. Raises what reading raises: TransientError, AuthorizationError, ..."""
        answer = self.get(listing.ask(number, since), f"{listing.collection}, page {number}")
        return ReadPage(
            rows=self.rows(listing, answer, owners),
            content=answer.content,
            at=self._vendor_time(answer),
        )

    def get(self, read: reads.Read, what: str) -> Answer:
        return check_answer(self._api.read(read), what)

    def rows(
        self,
        listing: Listing,
        answer: Answer,
        owners: Mapping[str, tuple[CustomerId, str]] | None = None,
    ) -> Rows:
        """The rows of an answer, quarantined ones named as the book names them."""
        found = self._read(listing, answer, owners or {})
        if found.needs_currency and not self._currency:
            self._currency = self._find_currency()
            found = self._read(listing, answer, owners or {})
        if not found.quarantined:
            return found
        bad = [msgspec.structs.replace(each, entity=listing.entity) for each in found.quarantined]
        return msgspec.structs.replace(found, quarantined=bad)

    def _read(
        self, listing: Listing, answer: Answer, owners: Mapping[str, tuple[CustomerId, str]]
    ) -> Rows:
        context = Context(
            base_currency=self._currency,
            hold_group=self._hold_group,
            fee_account=self._fee_account,
            owners=owners,
        )
        return readable(
            lambda: rows(
                answer.content, listing.collection, listing.id_field, listing.reader, context
            )
        )

    def _vendor_time(self, answer: Answer) -> datetime:
        """Xero's clock where it tells, never ahead of ours: too early only reads rows twice."""
        now = self._clock.now()
        try:
            said = parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            return now
        return min(now, said if said.tzinfo is not None else said.replace(tzinfo=UTC))
