"""Xero as a Connector: our requests and our reading, xero-python's endpoints in between."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import msgspec

from connectors.errors import (
    AuthorizationError,
    RefusedError,
    UnsupportedError,
)
from connectors.port import (
    Capabilities,
    Clock,
    CompanyCheck,
    Cursor,
    Page,
    Prepared,
    Quarantined,
    Reading,
    Receipt,
)
from connectors.transport import Answer, Transport
from connectors.xero import parse, requests, wire
from connectors.xero.answers import listed, readable
from connectors.xero.checks import SetUp, findings
from connectors.xero.faults import check_answer
from connectors.xero.paging import walk
from connectors.xero.reversal import Reversals
from connectors.xero.sdk import MountedApi
from connectors.xero.writeback import WriteBack
from rules.actions.effects import (
    EFFECT_NAMES,
    AttachFile,
    LedgerEffect,
    PostCharge,
    PostNote,
    ReverseCharge,
    SendLedgerInvoice,
    SetExpectedDate,
    SetHold,
)
from rules.model.credit import CreditNote
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.payment import Payment

OVERLAP: Final = timedelta(minutes=10)
"""Incremental reads start this much early: Xero compares whole seconds and clocks differ."""
_ORGANISATION_FOR: Final = 3600.0
"""Seconds for which the organisation (its lock dates) is remembered."""

_Listing = Callable[[int, datetime | None], requests.Read]

# (entity of the page, collection in the answer, its id, how to ask, how to read a row)
_CUSTOMERS: Final = ("customers", "Contacts", "ContactID", requests.contacts, parse.customer)
_INVOICES: Final = ("invoices", "Invoices", "InvoiceID", requests.invoices, parse.invoice)
_CLOSED_FEES: Final = ("invoices", "Invoices", "InvoiceID", requests.closed_fees, parse.fee)
_PAYMENTS: Final = ("payments", "Payments", "PaymentID", requests.payments, parse.payment)
_CREDITS: Final = (
    ("credits", "CreditNotes", "CreditNoteID", requests.credit_notes, parse.credit),
    ("credits", "Overpayments", "OverpaymentID", requests.overpayments, parse.credit),
    ("credits", "Prepayments", "PrepaymentID", requests.prepayments, parse.credit),
)
_Entity = tuple[str, str, str, _Listing, parse.RowReader]
_WORKING_SET: Final[tuple[_Entity, ...]] = (_CUSTOMERS, _INVOICES, _PAYMENTS, *_CREDITS)
_WHOLE_SET: Final[tuple[_Entity, ...]] = (
    _CUSTOMERS,
    _INVOICES,
    _CLOSED_FEES,
    _PAYMENTS,
    *_CREDITS,
)
"""What is read at first: open invoices, and our own fees that are no longer open."""

_T = TypeVar("_T")


class XeroConnector:
    """One organisation. `tenant_id` empty: a custom connection, whose token knows which."""

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        tenant_id: str = "",
        fee_account: str = "",
        fee_tax: str = "",
        hold_group: str = "Credit hold",
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._transport = transport
        self._on_close = on_close
        self._clock = clock
        self._tenant_id = tenant_id
        self._fee_account = fee_account
        self._fee_tax = fee_tax
        self._hold_group = hold_group
        self._api = MountedApi(transport, tenant_id)
        self._reversals = Reversals(self._api, clock=clock, organisation=self._org)
        self._writes = WriteBack(
            self._api,
            clock=clock,
            base_currency=lambda: self._org().base_currency or "",
            hold_group=hold_group,
            reversals=self._reversals,
        )
        self._organisation: wire.XeroOrganisation | None = None
        self._organisation_until = float("-inf")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            ledger="xero",
            effects=frozenset(EFFECT_NAMES.values()) - {"send_message"},
            note_limit=requests.NOTE_LIMIT,
            has_drafts=True,
            read_batch=requests.READ_BATCH,
        )

    def check(self) -> CompanyCheck:
        """Read the organisation and its set-up; what we may not read becomes a finding."""
        self._organisation_until = float("-inf")
        org = self._org()
        setup = SetUp(
            organisation=org,
            reminders=self._optional(
                requests.reminder_settings(), "InvoiceReminders", wire.XeroReminders
            ),
            actions=self._optional(requests.actions(), "Actions", wire.XeroAction),
            accounts=self._optional(requests.accounts(), "Accounts", wire.XeroAccount)
            if self._fee_account
            else None,
            tax_rates=self._optional(requests.tax_rates(), "TaxRates", wire.XeroTaxRate)
            if self._fee_tax
            else None,
            fee_account=self._fee_account,
            fee_tax=self._fee_tax,
        )
        return CompanyCheck(company=parse.company(org, self._tenant_id), findings=findings(setup))

    def pull(self, cursor: Cursor | None = None, *, resume: str = "") -> Iterator[Page]:
        """Contacts, invoices, payments, credits, each to its last page; then the cursor.

        With a cursor only what changed, invoices of every status among it.
        """
        since = cursor.at - OVERLAP if cursor is not None else None
        owners: dict[str, tuple[CustomerId, str]] = {}
        context = self._context(owners)
        started: list[datetime] = []
        held: Page | None = None
        for entity in _WORKING_SET if since is not None else _WHOLE_SET:
            for rows in self._walk(entity, since, context, started):
                for record in rows.records:
                    if isinstance(record, Invoice):
                        owners[record.id] = (record.customer, record.currency)
                if held is not None:
                    yield held
                held = Page(
                    entity=entity[0],
                    records=rows.records,
                    quarantined=rows.quarantined,
                    total=rows.item_count,
                )
        assert held is not None  # every entity has at least one page, empty or not
        yield msgspec.structs.replace(held, cursor=Cursor(at=min(started)))

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        wanted = list(dict.fromkeys(invoices))
        context = self._context()
        found: list[Invoice] = []
        quarantined: list[Quarantined] = []
        for start in range(0, len(wanted), requests.READ_BATCH):
            batch = wanted[start : start + requests.READ_BATCH]
            answer = self._get(requests.invoices_by_id(batch), "invoices by id")
            rows = self._rows(answer, _INVOICES, context)
            found += [row for row in rows.records if isinstance(row, Invoice)]
            quarantined += rows.quarantined
        seen = {row.id for row in found} | {bad.id for bad in quarantined}
        return Reading(
            invoices=[row for row in found if row.id in set(wanted)],
            missing=[asked for asked in wanted if asked not in seen],
            quarantined=quarantined,
        )

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        wanted = set(customers)
        context = self._context()
        return [
            record
            for entity in (_PAYMENTS, *_CREDITS)
            for rows in self._walk(entity, since - OVERLAP, context, [])
            for record in rows.records
            if isinstance(record, Payment | CreditNote) and record.customer in wanted
        ]

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        if isinstance(effect, PostNote):
            return requests.note(effect)
        if isinstance(effect, PostCharge):
            return requests.charge(effect, parse.lock_date(self._org()))
        if isinstance(effect, SetHold):
            return requests.hold(effect)
        if isinstance(effect, ReverseCharge):
            return self._reversals.prepare(effect, today)
        if isinstance(effect, SetExpectedDate):
            return self._writes.prepare_expected_date(effect, parse.lock_date(self._org()))
        if isinstance(effect, AttachFile):
            return requests.attachment(effect)
        if isinstance(effect, SendLedgerInvoice):
            return requests.mail(effect)
        raise UnsupportedError(EFFECT_NAMES[type(effect)])

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        return self._writes.write(prepared, vendor_key)

    def find(self, effect: LedgerEffect) -> Receipt | None:
        return self._writes.find(effect)

    def close(self) -> None:
        self._transport.close()
        if self._on_close is not None:
            self._on_close()

    def _org(self) -> wire.XeroOrganisation:
        now = self._clock.monotonic()
        if self._organisation is None or now >= self._organisation_until:
            answer = self._get(requests.organisation(), "the organisation")
            self._organisation = readable(lambda: parse.organisation(answer.content))
            self._organisation_until = now + _ORGANISATION_FOR
        return self._organisation

    def _context(self, owners: dict[str, tuple[CustomerId, str]] | None = None) -> parse.Context:
        return parse.Context(
            base_currency=self._org().base_currency or "",
            hold_group=self._hold_group,
            owners=owners if owners is not None else {},
        )

    def _walk(
        self,
        entity: _Entity,
        since: datetime | None,
        context: parse.Context,
        started: list[datetime],
    ) -> Iterator[parse.Rows]:
        _, collection, _, listing, _ = entity

        def read_page(page: int) -> parse.Rows:
            answer = self._get(listing(page, since), f"{collection}, page {page}")
            started.append(self._vendor_time(answer))
            rows = self._rows(answer, entity, context)
            if entity is _CLOSED_FEES and rows.seen and not rows.records:
                # The service does not search: what it gave are other invoices. No more of them.
                return parse.Rows()
            return rows

        return walk(read_page)

    @staticmethod
    def _rows(answer: Answer, entity: _Entity, context: parse.Context) -> parse.Rows:
        name, collection, id_field, _, read_row = entity
        rows = readable(lambda: parse.rows(answer.content, collection, id_field, read_row, context))
        if not rows.quarantined:
            return rows
        # Named as the port names it: the book holds back what it knows of that very record.
        bad = [msgspec.structs.replace(each, entity=name) for each in rows.quarantined]
        return msgspec.structs.replace(rows, quarantined=bad)

    def _get(self, read: requests.Read, what: str) -> Answer:
        return check_answer(self._api.read(read), what)

    def _optional(self, read: requests.Read, collection: str, shape: type[_T]) -> list[_T] | None:
        try:
            return listed(self._get(read, collection), collection, shape)
        except (RefusedError, AuthorizationError):
            return None

    def _vendor_time(self, answer: Answer) -> datetime:
        """Xero's clock where it tells, never ahead of ours: too early only reads rows twice."""
        now = self._clock.now()
        try:
            said = parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            return now
        return min(now, said if said.tzinfo is not None else said.replace(tzinfo=UTC))
