"""Xero as a Connector: our requests and our reading, xero-python's endpoints in between."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from connectors.allowance import CallsLeft
from connectors.errors import AuthorizationError, ConnectorError, RefusedError, UnsupportedError
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
from connectors.transport import Answer, Transport
from connectors.xero import batching, parse, reads, requests, rereading, wire
from connectors.xero.answers import listed, readable
from connectors.xero.changes import Changes
from connectors.xero.checks import (
    SetUp,
    account_trouble,
    findings,
    is_small_plan,
    tax_trouble,
)
from connectors.xero.faults import calls_left_today, check_answer
from connectors.xero.invoice_credits import InvoiceCredits
from connectors.xero.lists import Lists
from connectors.xero.marks import Marks, Shown
from connectors.xero.pulling import FullPull
from connectors.xero.reversal import Reversals
from connectors.xero.rows import count
from connectors.xero.sdk import MountedApi
from connectors.xero.timezones import iana_zone
from connectors.xero.writeback import WriteBack
from rules.actions.effects import (
    EFFECT_NAMES,
    AttachFile,
    LedgerEffect,
    PostCharge,
    PostCredit,
    PostNote,
    ReverseCharge,
    SendLedgerInvoice,
    SetExpectedDate,
    SetHold,
)
from rules.model.credit import CreditNote
from rules.model.ids import CustomerId, EstimateId, InvoiceId
from rules.model.payment import Payment

_ORGANISATION_FOR: Final = 3600.0
"""Seconds for which the organisation (its lock dates) is remembered."""

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
        base_currency: str = "",
        hold_group: str = "Credit hold",
        on_close: Callable[[], None] | None = None,
    ) -> None:
        """`base_currency` as last read; empty: read where an amount names no currency."""
        self._transport = transport
        self._on_close = on_close
        self._clock = clock
        self._tenant_id = tenant_id
        self._fee_account = fee_account
        self._fee_tax = fee_tax
        self._api = MountedApi(transport, tenant_id)
        self._lists = Lists(
            self._api,
            clock=clock,
            base_currency=lambda: self._org().base_currency or "",
            known_currency=base_currency,
            hold_group=hold_group,
            fee_account=fee_account,
        )
        self._marks = Marks(self._api, self._lists, zone=self._zone)
        self._shown = Shown(self._api)
        self._writes = WriteBack(
            self._api,
            clock=clock,
            base_currency=lambda: base_currency or self._org().base_currency or "",
            hold_group=hold_group,
            reversals=Reversals(self._api, clock=clock, organisation=self._org),
            credits=InvoiceCredits(self._api, clock, self._org),
        )
        self._batches = batching.Batches(
            self._api, made=self._writes.made, adopt=self._writes.adopt
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
            shows_holds=True,
            read_batch=reads.READ_BATCH,
            write_batch=batching.MOST,
            batch_effects=frozenset({EFFECT_NAMES[PostCharge]}),
            link_days=90,
            effect_calls=requests.CALLS,
            recheck_calls=requests.RECHECK_CALLS,
            write_at_once=5,
        )

    def calls_left(self) -> CallsLeft | None:
        """By what Xero's answers say is left of the day, else by what was counted."""
        return self._transport.budget.left()

    def check(self) -> CompanyCheck:
        """Read the organisation and its set-up; what we may not read becomes a finding."""
        self._organisation_until = float("-inf")
        org = self._org()
        reminders = self._optional(
            reads.reminder_settings(), "InvoiceReminders", wire.XeroReminders
        )
        has_fees = bool(self._fee_account)
        setup = SetUp(
            organisation=org,
            reminders=reminders,
            actions=self._optional(reads.actions(), "Actions", wire.XeroAction),
            accounts=self._optional(reads.accounts(), "Accounts", wire.XeroAccount)
            if has_fees
            else None,
            tax_rates=self._optional(reads.tax_rates(), "TaxRates", wire.XeroTaxRate)
            if self._fee_tax
            else None,
            fee_account=self._fee_account,
            fee_tax=self._fee_tax,
            invoices_this_month=self._invoices_this_month()
            if has_fees and is_small_plan(org)
            else None,
            calls_left=calls_left_today(self._api.last),
        )
        company = msgspec.structs.replace(
            parse.company(org, self._tenant_id),
            native_late_fees=False,  # Xero charges none
            native_reminders=None
            if reminders is None
            else any(setting.enabled for setting in reminders),
        )
        return CompanyCheck(company=company, findings=findings(setup))

    def trouble_with(self, names: Sequence[LedgerName]) -> Sequence[str]:
        """Account codes and tax types; nothing is said of a list that we may not read."""
        kinds = {name.kind for name in names}
        accounts = taxes = None
        if "account" in kinds:
            accounts = self._optional(reads.accounts(), "Accounts", wire.XeroAccount)
        if "tax" in kinds:
            taxes = self._optional(reads.tax_rates(), "TaxRates", wire.XeroTaxRate)
        return [
            account_trouble(name.name, accounts)
            if name.kind == "account"
            else tax_trouble(name.name, taxes)
            for name in names
        ]

    def pull(self, cursor: Cursor | None = None, *, resume: str = "") -> Iterator[Page]:
        """Everything, or what changed: see `pulling` and `changes`. Pages of a reading of
        changes carry no `resume`: three calls are soon made again."""
        if cursor is None:
            return FullPull(self._lists, self._clock.now).pages(resume)
        return Changes(self._lists, self._clock.now).pages(cursor)

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        return rereading.invoices_again(self._lists, invoices)

    def read_customers(self, customers: Sequence[CustomerId]) -> CustomerReading:
        return rereading.customers_again(self._lists, customers)

    def read_estimates(self, estimates: Sequence[EstimateId]) -> EstimateReading:
        return rereading.estimates_again(self._lists, estimates)

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        return self.read_money(customers, since).records

    def read_money(self, customers: Sequence[CustomerId], since: datetime) -> MoneyReading:
        if not customers:
            return MoneyReading()
        return rereading.money_again(self._lists, customers, since)

    def find_marks(self, invoices: Sequence[InvoiceId]) -> Sequence[Mark]:
        return self._marks.of(invoices)

    def online_link(self, invoice: InvoiceId) -> str:
        return self._shown.online_link(invoice)

    def pdf(self, invoice: InvoiceId) -> bytes:
        return self._shown.pdf(invoice)

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        if isinstance(effect, PostNote):
            return requests.note(effect)
        if isinstance(effect, PostCharge):
            return requests.charge(effect, parse.lock_date(self._org()))
        if isinstance(effect, SetHold):
            return requests.hold(effect)
        if isinstance(effect, ReverseCharge):
            return self._writes.reversals.prepare(effect, today)
        if isinstance(effect, PostCredit):
            return self._writes.credits.prepare(effect, today)
        if isinstance(effect, SetExpectedDate):
            return self._writes.prepare_expected_date(effect, parse.lock_date(self._org()))
        if isinstance(effect, AttachFile):
            return requests.attachment(effect)
        if isinstance(effect, SendLedgerInvoice):
            return requests.mail(effect)
        raise UnsupportedError(EFFECT_NAMES[type(effect)])

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        return self._writes.write(prepared, vendor_key)

    def prepare_batch(self, members: Sequence[Prepared]) -> Prepared:
        return batching.prepare_batch(members)

    def write_batch(
        self, batch: Prepared, vendor_key: str, members: Sequence[Prepared]
    ) -> Sequence[Receipt | ConnectorError]:
        return self._batches.write(batch, vendor_key, members)

    def find(self, effect: LedgerEffect) -> Receipt | None:
        return self._writes.find(effect)

    def close(self) -> None:
        self._transport.close()
        if self._on_close is not None:
            self._on_close()

    def _org(self) -> wire.XeroOrganisation:
        now = self._clock.monotonic()
        if self._organisation is None or now >= self._organisation_until:
            answer = self._get(reads.organisation(), "the organisation")
            self._organisation = readable(lambda: parse.organisation(answer.content))
            self._organisation_until = now + _ORGANISATION_FOR
        return self._organisation

    def _zone(self) -> tzinfo:
        return ZoneInfo(iana_zone(self._org().timezone or "") or "UTC")

    def _invoices_this_month(self) -> int | None:
        first = self._clock.now().astimezone(self._zone()).date().replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
        try:
            answer = self._get(reads.approved_invoices(first, after), "this month's invoices")
        except (RefusedError, AuthorizationError):
            return None
        return readable(lambda: count(answer.content, "Invoices"))

    def _get(self, read: reads.Read, what: str) -> Answer:
        return check_answer(self._api.read(read), what)

    def _optional(self, read: reads.Read, collection: str, shape: type[_T]) -> list[_T] | None:
        try:
            return listed(self._get(read, collection), collection, shape)
        except (RefusedError, AuthorizationError):
            return None
