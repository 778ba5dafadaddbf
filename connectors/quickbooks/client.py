"""QuickBooks Online as a Connector: our requests and our reading, python-quickbooks between."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from connectors.allowance import CallsLeft
from connectors.errors import ConnectorError, UnsupportedError
from connectors.lookup import LedgerName
from connectors.port import (
    Capabilities,
    Clock,
    CompanyCheck,
    Cursor,
    CustomerReading,
    EstimateReading,
    Mark,
    MoneyReading,
    Page,
    Prepared,
    Reading,
    Receipt,
)
from connectors.quickbooks import batching, links, requests
from connectors.quickbooks.changes import Changes
from connectors.quickbooks.checking import Checkup
from connectors.quickbooks.invoice_credits import InvoiceCredits
from connectors.quickbooks.marks import marks
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.pulling import Pull
from connectors.quickbooks.rereading import READ_BATCH, Rereading
from connectors.quickbooks.reversal import Reversals
from connectors.quickbooks.standing import Standing
from connectors.quickbooks.writeback import WriteBack
from connectors.transport import Transport
from rules.actions.effects import (
    EFFECT_NAMES,
    AttachFile,
    LedgerEffect,
    PostCharge,
    PostCredit,
    PostNote,
    ReverseCharge,
    SendLedgerInvoice,
    SetHold,
)
from rules.model.credit import CreditNote
from rules.model.ids import CustomerId, EstimateId, InvoiceId
from rules.model.payment import Payment


class QuickBooksConnector:
    """One company (realm)."""

    def __init__(
        self,
        transport: Transport,
        *,
        company_id: str,
        clock: Clock,
        fee_account: str = "",
        fee_tax: str = "",
        base_currency: str = "",
    ) -> None:
        """`fee_account`: a product or service by id, name or full name, or its income account.
        `fee_tax`: a tax code by id or name, or TAX or NON. `base_currency`, where it is known
        from an earlier look at the company, saves asking for it when records are read."""
        self._transport = transport
        self._clock = clock
        self._api = MountedQuickBooks(transport, company_id)
        self._standing = Standing(
            self._api,
            clock,
            company_id=company_id,
            fee_account=fee_account,
            fee_tax=fee_tax,
            base_currency=base_currency,
        )
        self._vocabulary = self._standing.vocabulary
        self._rereading = Rereading(self._api, self._vocabulary)
        self._reversals = Reversals(self._api, clock, self._standing.setup)
        self._credits = InvoiceCredits(
            self._api,
            clock,
            self._standing.setup,
            self._standing.item_named,
            self._standing.tax_named,
        )
        self._writes = WriteBack(self._api, clock, self._reversals, self._credits)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            ledger="quickbooks",
            effects=frozenset(EFFECT_NAMES.values()) - {"send_message", "set_expected_date"},
            note_limit=requests.NOTE_LIMIT,
            one_note_for_many_invoices=True,
            can_find_notes_in_bulk=True,
            read_batch=READ_BATCH,
            write_batch=batching.MOST_ITEMS,
            batch_effects=batching.EFFECTS,
            effect_calls=requests.CALLS,
            recheck_calls=requests.RECHECK_CALLS,
            write_at_once=4,
        )

    def calls_left(self) -> CallsLeft | None:
        """None: QuickBooks counts no day, unless it asked us to pause for long."""
        return self._transport.budget.left()

    def check(self) -> CompanyCheck:
        """Read the company and its set-up anew."""
        self._standing.forget()
        return Checkup(self._api, self._standing, self._clock.now()).result()

    def trouble_with(self, names: Sequence[LedgerName]) -> Sequence[str]:
        """Items and tax codes as credits name them."""
        return [self._standing.trouble_with(name) for name in names]

    def pull(self, cursor: Cursor | None = None, *, resume: str = "") -> Iterator[Page]:
        """Open invoices, late fees of ours, customers, payments, credits and live estimates, in
        pages by id; with a cursor, what changed since (then `resume` is of no use: it is one
        call). Raises CursorTooOldError too."""
        if cursor is not None:
            return Changes(self._api, self._vocabulary, self._clock.now()).pages(cursor)
        return Pull(self._api, self._vocabulary, self._clock.now()).pages(resume)

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        """One call for every hundred; asked for and not answered means deleted."""
        return self._rereading.invoices(invoices)

    def read_customers(self, customers: Sequence[CustomerId]) -> CustomerReading:
        """One call for every hundred, active or not."""
        return self._rereading.customers(customers)

    def read_estimates(self, estimates: Sequence[EstimateId]) -> EstimateReading:
        """One call for every hundred, open or not."""
        return self._rereading.estimates(estimates)

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        """Payments and credit memos of these customers that changed since."""
        return self.read_money(customers, since).records

    def read_money(self, customers: Sequence[CustomerId], since: datetime) -> MoneyReading:
        """The same, with those that cannot be read."""
        return self._rereading.money(customers, since, self._clock.now())

    def find_marks(self, invoices: Sequence[InvoiceId]) -> Sequence[Mark]:
        """All notes of ours in the company, in one query."""
        return marks(self._api, self._clock.now())

    def online_link(self, invoice: InvoiceId) -> str:
        """Where the customer can see and pay it; empty where there is no such place."""
        return links.online_link(self._api, invoice)

    def pdf(self, invoice: InvoiceId) -> bytes:
        """As QuickBooks prints it; empty where it cannot be had."""
        return links.pdf(self._api, invoice)

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        """The request for an effect. A charge may read the closing date, items and tax codes."""
        path = "attachable"
        content_type = "application/json"
        params: tuple[tuple[str, str], ...] = ()
        if isinstance(effect, ReverseCharge):
            return self._reversals.prepare(effect, today)
        if isinstance(effect, PostCredit):
            return self._credits.prepare(effect, today)
        if isinstance(effect, PostNote):
            body = requests.note_body(effect)
        elif isinstance(effect, SetHold):
            body = requests.hold_body(effect)
        elif isinstance(effect, PostCharge):
            path = "invoice"
            setup = self._standing.setup()
            item, tax = self._standing.fee_line()
            body = requests.charge_body(
                effect,
                item=item.id,
                tax_code=tax,
                locked_through=setup.locked_through,
                is_us=setup.is_us,
            )
        elif isinstance(effect, AttachFile):
            path = "upload"
            content_type, body = requests.upload(effect)
        elif isinstance(effect, SendLedgerInvoice):
            path = f"invoice/{effect.invoice}/send"
            content_type, body = "application/octet-stream", b""
            params = (("sendTo", effect.to),) if effect.to else ()
        else:
            raise UnsupportedError(EFFECT_NAMES[type(effect)])
        return Prepared(
            effect=EFFECT_NAMES[type(effect)],
            effect_key=effect.key,
            method="POST",
            path=path,
            params=params,
            content_type=content_type,
            body=body,
        )

    def doubt(self, vendor_key: str) -> None:
        """An answer under this key was lost: look before it is sent again."""
        self._writes.doubt(vendor_key)

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Send it under `requestid`. A duplicate number that is ours is adopted."""
        return self._writes.write(prepared, vendor_key)

    def prepare_batch(self, members: Sequence[Prepared]) -> Prepared:
        """Up to 30 prepared writes as one request."""
        return batching.prepare_batch(members)

    def write_batch(
        self, batch: Prepared, vendor_key: str, members: Sequence[Prepared]
    ) -> Sequence[Receipt | ConnectorError]:
        """Send it under `requestid`; each member is judged by itself."""
        return batching.write_batch(self._api, self._writes, batch, vendor_key, members)

    def find(self, effect: LedgerEffect) -> Receipt | None:
        """By document number or by the mark that a note begins with."""
        return self._writes.find(effect)

    def close(self) -> None:
        self._transport.close()
