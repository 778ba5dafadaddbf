"""QuickBooks Online as a Connector: our requests and our reading, python-quickbooks between."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

import msgspec

from connectors.errors import ConnectorError, RefusedError, StaleError, UnsupportedError
from connectors.port import (
    Capabilities,
    Clock,
    CompanyCheck,
    Cursor,
    Finding,
    Page,
    Prepared,
    Quarantined,
    Reading,
    Receipt,
)
from connectors.quickbooks import parse, requests, wire
from connectors.quickbooks.answers import decoded, one, read_records, rows
from connectors.quickbooks.company import SetUp, fee_item, tax_code
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.pulling import CREDITS, PAYMENTS, Pull
from connectors.quickbooks.requests import moment, one_of, quoted, select
from connectors.quickbooks.reversal import Reversals
from connectors.quickbooks.writeback import WriteBack
from connectors.transport import Transport
from rules.actions.effects import (
    EFFECT_NAMES,
    AttachFile,
    LedgerEffect,
    PostCharge,
    PostNote,
    ReverseCharge,
    SendLedgerInvoice,
    SetHold,
)
from rules.model.credit import CreditNote
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.payment import Payment

READ_BATCH: Final = 100

_REMEMBERED_FOR: Final = 3600.0
"""Seconds for which the company's set-up (its closing date, its items) is trusted."""

_NATIVE_FEE_ACCOUNT: Final = "Late fee income"

_T = TypeVar("_T")


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
        `fee_tax`: a tax code by id or name, or TAX or NON. `base_currency` counts only where
        the company does not state its own."""
        self._transport = transport
        self._company_id = company_id
        self._clock = clock
        self._fee_account = fee_account
        self._fee_tax = fee_tax
        self._base_currency = base_currency
        self._api = MountedQuickBooks(transport, company_id)
        self._reversals = Reversals(self._api, clock, self._setup)
        self._writes = WriteBack(self._api, clock, self._reversals)
        self._preferences: wire.WirePreferences | None = None
        self._info: wire.WireCompany | None = None
        self._fee_line: tuple[wire.WireItem, str] | None = None
        self._trusted_until = float("-inf")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            ledger="quickbooks",
            effects=frozenset(EFFECT_NAMES.values()) - {"send_message", "set_expected_date"},
            note_limit=requests.NOTE_LIMIT,
            one_note_for_many_invoices=True,
            can_find_notes_in_bulk=True,
            read_batch=READ_BATCH,
        )

    def check(self) -> CompanyCheck:
        """Read the company and its set-up anew."""
        self._trusted_until = float("-inf")
        setup = self._setup()
        found = setup.findings()
        if self._fee_account:
            found += self._fee_findings()
        found += self._native_fee_findings()
        if not any(finding.level != "ok" for finding in found):
            found.insert(
                0, Finding(level="ok", subject="company", text="nothing stands in the way")
            )
        return CompanyCheck(company=setup.company, findings=found)

    def pull(self, cursor: Cursor | None = None, *, resume: str = "") -> Iterator[Page]:
        """Open invoices, late fees of ours, customers, payments and credits, in pages by id;
        with a cursor, what changed since."""
        return Pull(self._api, self._names(), self._clock.now()).pages(cursor)

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        """One call for every hundred; asked for and not answered means deleted."""
        good: list[Invoice] = []
        bad: list[Quarantined] = []
        for batch in _batches(list(dict.fromkeys(invoices)), READ_BATCH):
            answer = self._api.select(select("Invoice", f"Id in {one_of(batch)}"))
            page = rows(answer.content, "Invoice")
            read, odd = read_records(
                "invoices", page.records, wire.WireInvoice, parse.invoice, self._names()
            )
            good += read
            bad += odd
        known = {invoice.id for invoice in good} | {row.id for row in bad}
        return Reading(
            invoices=good,
            missing=[id for id in dict.fromkeys(invoices) if id not in known],
            quarantined=bad,
        )

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        """Payments and credit memos of these customers that changed since."""
        found: list[Payment | CreditNote] = []
        for batch in _batches(list(dict.fromkeys(customers)), READ_BATCH):
            where = (
                f"CustomerRef in {one_of(batch)} and MetaData.LastUpdatedTime >= {moment(since)}"
            )
            walk = Pull(self._api, self._names(), self._clock.now())
            for source in (PAYMENTS, CREDITS):
                for page in walk.of(source, where):
                    found += [r for r in page.records if isinstance(r, Payment | CreditNote)]
        return found

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        """The request for an effect. A charge may read the closing date, items and tax codes."""
        path = "attachable"
        content_type = "application/json"
        params: tuple[tuple[str, str], ...] = ()
        if isinstance(effect, ReverseCharge):
            return self._reversals.prepare(effect, today)
        if isinstance(effect, PostNote):
            body = requests.note_body(effect)
        elif isinstance(effect, SetHold):
            body = requests.hold_body(effect)
        elif isinstance(effect, PostCharge):
            path = "invoice"
            setup = self._setup()
            item, tax = self._fee_item_and_tax()
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

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Send it under `requestid`. A duplicate number that is ours is adopted."""
        return self._writes.write(prepared, vendor_key)

    def find(self, effect: LedgerEffect) -> Receipt | None:
        """By document number or by the mark that a note begins with."""
        return self._writes.find(effect)

    def close(self) -> None:
        self._transport.close()

    def _names(self) -> parse.Names:
        self._forget_if_old()
        if self._preferences is None:
            self._preferences = self._record(
                "Preferences", lambda: self._api.settings().content, wire.WirePreferences
            )
        return parse.Names(currency=self._as_setup(wire.WireCompany()).currency)

    def _setup(self) -> SetUp:
        self._names()
        if self._info is None:
            self._info = self._record(
                "CompanyInfo",
                lambda: self._api.record("CompanyInfo", self._company_id).content,
                wire.WireCompany,
            )
        return self._as_setup(self._info)

    def _as_setup(self, info: wire.WireCompany) -> SetUp:
        return SetUp(
            company_id=self._company_id,
            info=info,
            preferences=self._preferences or wire.WirePreferences(),
            base_currency=self._base_currency,
        )

    def _forget_if_old(self) -> None:
        now = self._clock.monotonic()
        if now >= self._trusted_until:
            self._preferences = self._info = self._fee_line = None
            self._trusted_until = now + _REMEMBERED_FOR

    def _record(self, entity: str, read: Callable[[], bytes], shape: type[_T]) -> _T:
        """A record that every company has one of: read it, or query for it."""
        try:
            return one(read(), entity, shape)
        except (RefusedError, StaleError):
            found = rows(self._api.select(select(entity)).content, entity).records
            if not found:
                raise
            return decoded(found[0], shape)

    def _fee_item_and_tax(self) -> tuple[wire.WireItem, str]:
        setup = self._setup()
        if self._fee_line is None:
            item = fee_item(self._fee_account, self._all("Item", wire.WireItem))
            tax = self._fee_tax
            codes: list[wire.WireNamed] = []
            if tax and tax.upper() not in ("TAX", "NON"):
                codes = self._all("TaxCode", wire.WireNamed)
            self._fee_line = (item, tax_code(tax, codes, is_us=setup.is_us))
        return self._fee_line

    def _fee_findings(self) -> list[Finding]:
        try:
            self._fee_item_and_tax()
        except RefusedError as error:
            return [Finding(level="error", subject="late fees", text=error.message)]
        return []

    def _native_fee_findings(self) -> list[Finding]:
        """QuickBooks' own late fees cannot be read, but they leave an account behind.

        Our own fee item may book to that account too; then it proves nothing.
        """
        ours = self._fee_line[0].income_account_ref if self._fee_line else None
        if ours is not None and ours.name == _NATIVE_FEE_ACCOUNT:
            return []
        try:
            where = f"Name = {quoted(_NATIVE_FEE_ACCOUNT)}"
            answer = self._api.select(select("Account", where))
            if not rows(answer.content, "Account").records:
                return []
        except ConnectorError as error:
            return [Finding(level="warning", subject="late fees", text=str(error))]
        return [
            Finding(
                level="warning",
                subject="late fees",
                text=f"the account {_NATIVE_FEE_ACCOUNT!r} exists: QuickBooks' own late fees may "
                "be on, and customers may be charged twice",
                remedy="switch them off under Account and settings, Sales, Late fees",
            )
        ]

    def _all(self, entity: str, shape: type[_T]) -> list[_T]:
        found: list[_T] = []
        for page in Pull(self._api, self._names(), self._clock.now()).walk(entity, ""):
            for record in page.records:
                try:
                    found.append(decoded(record, shape))
                except msgspec.DecodeError:
                    continue
        return found


def _batches(ids: list[_T], size: int) -> Iterator[list[_T]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
