"""What Xero keeps for people: our notes in the history, the online invoice, the printed one."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Final

import msgspec

from connectors.errors import RefusedError
from connectors.port import Mark
from connectors.xero import reads, wire
from connectors.xero.answers import listed
from connectors.xero.dates import DateError, parse_instant
from connectors.xero.faults import check_answer
from connectors.xero.lists import Lists
from connectors.xero.rereading import invoices_again
from connectors.xero.sdk import MountedApi
from rules.model.ids import CustomerId, InvoiceId

MARK: Final = "[arb:"
"""What every note of ours begins with."""

_PDF: Final = b"%PDF"


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    mark: Mark


class Marks:
    """Looks into histories: one call for each invoice and each customer, so it is done only
    where our own records were lost."""

    def __init__(self, api: MountedApi, lists: Lists, *, zone: Callable[[], tzinfo]) -> None:
        self._api = api
        self._lists = lists
        self._zone = zone

    def of(self, invoices: Sequence[InvoiceId]) -> list[Mark]:
        """Notes of ours on these invoices and on their customers, oldest first."""
        wanted = list(dict.fromkeys(invoices))
        if not wanted:
            return []
        known = invoices_again(self._lists, wanted).invoices
        found: list[_Found] = []
        for invoice in wanted:
            notes = self._notes(reads.invoice_history(invoice), "the history of an invoice")
            found += [self._found(note, invoice=invoice) for note in notes]
        for customer in dict.fromkeys(row.customer for row in known):
            notes = self._notes(reads.contact_history(customer), "the history of a contact")
            found += [self._found(note, customer=customer) for note in notes]
        found.sort(key=lambda each: each.at)
        return [each.mark for each in found]

    def _notes(self, read: reads.Read, what: str) -> list[wire.XeroHistory]:
        answer = self._api.read(read)
        if answer.status == 404:
            return []
        check_answer(answer, what)
        records = listed(answer, "HistoryRecords", wire.XeroHistory)
        return [record for record in records if (record.details or "").startswith(MARK)]

    def _found(
        self,
        note: wire.XeroHistory,
        *,
        invoice: InvoiceId | None = None,
        customer: CustomerId | None = None,
    ) -> _Found:
        try:
            at = parse_instant(note.date)
        except DateError:
            at = None
        at = at or datetime.min.replace(tzinfo=UTC)
        return _Found(
            at=at,
            mark=Mark(
                text=note.details or "",
                invoices=(invoice,) if invoice is not None else (),
                customer=customer,
                on=self._day(at),
            ),
        )

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone()).date() if at.year > 1 else at.date()


class Shown:
    """Invoices as the customer sees them. Links are remembered: they do not change."""

    def __init__(self, api: MountedApi) -> None:
        self._api = api
        self._links: dict[InvoiceId, str] = {}

    def online_link(self, invoice: InvoiceId) -> str:
        """Empty where there is none: a draft, a void one, one that is gone."""
        if invoice in self._links:
            return self._links[invoice]
        answer = self._api.read(reads.online_invoice(invoice))
        try:
            check_answer(answer, "the online invoice")
        except RefusedError:
            return ""
        rows = listed(answer, "OnlineInvoices", wire.XeroOnlineInvoice)
        link = next((row.url for row in rows if row.url), "") or ""
        if link:
            self._links[invoice] = link
        return link

    def pdf(self, invoice: InvoiceId) -> bytes:
        """As Xero prints it; empty where it does not."""
        # The second address is for services that know it only as a way to read the invoice.
        for path in (f"Invoices/{invoice}/pdf", f"Invoices/{invoice}"):
            answer = self._api.fetch(path, "application/pdf")
            try:
                check_answer(answer, "the printed invoice")
            except RefusedError:
                continue
            if answer.content.startswith(_PDF):
                return answer.content
        return b""
