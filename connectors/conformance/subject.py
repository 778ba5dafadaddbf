"""What the conformance suite is run on: a connector, what its ledger holds, effects to write."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import msgspec

from connectors.port import Connector, Receipt
from rules.actions.effects import (
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
from rules.actions.keys import (
    charge_tag,
    credit_number,
    credit_tag,
    fee_item,
    fee_number,
    note_mark,
    stage_item,
    vendor_key,
)
from rules.model.ids import CustomerId, FeeId, InvoiceId, StageId
from rules.model.money import Minor


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A connector and what its ledger is known to hold."""

    connector: Connector
    today: date
    customer: CustomerId
    invoice: InvoiceId
    """Open, of `customer`."""
    currency: str
    missing: InvoiceId
    """An id in the ledger's own form that does not exist."""
    others: Sequence[InvoiceId] = ()
    """Further invoices that exist, open or not."""
    fee_account: str = ""
    fee_tax: str = ""
    calls: Callable[[], int] | None = None
    """Calls that the connector has made so far, where somebody counts them."""

    def note(self, word: str = "conformance", *, length: int = 0) -> PostNote:
        """A note on the invoice, padded to `length`."""
        mark = note_mark("conformance", word)
        return PostNote(
            key=f"note/{word}#0:post_note",
            customer=self.customer,
            mark=mark,
            text=f"{mark} {word}".ljust(length, "x"),
            invoices=(self.invoice,),
        )

    def charge(self, slot: str = "2026-01") -> PostCharge:
        """A late fee of 9.50 for the invoice."""
        key = fee_item(self.invoice, FeeId("conformance"), slot)
        return PostCharge(
            key=f"{key}#0:post_charge",
            customer=self.customer,
            number=fee_number("conformance", key),
            currency=self.currency,
            amount=950,
            issued_on=self.today,
            due_on=self.today + timedelta(days=14),
            invoice=self.invoice,
            invoice_number=self.invoice,
            description="Late fee",
            tag=charge_tag(self.invoice, FeeId("conformance"), self.today, key),
            account=self.fee_account,
            tax=self.fee_tax,
        )

    def hold(self) -> SetHold:
        return SetHold(
            key="credit_hold/conformance#0:set_hold",
            customer=self.customer,
            is_on=True,
            mark=note_mark("conformance", "hold"),
            reason="conformance",
        )

    def reversal(
        self, charge: PostCharge, document_id: str, amount: Minor | None = None
    ) -> ReverseCharge:
        """Take that charge back, wholly or in part."""
        return ReverseCharge(
            key=f"fee_waiver/{charge.number}/{amount or 'all'}#0:reverse_charge",
            customer=self.customer,
            number=charge.number,
            document_id=document_id,
            currency=self.currency,
            amount=amount,
            reason="conformance",
        )

    def credit(self, amount: Minor, invoice: InvoiceId | None = None) -> PostCredit:
        """So much need not be paid of the invoice."""
        about = invoice or self.invoice
        key = stage_item("discount", about, StageId("conformance"), 1)
        return PostCredit(
            key=f"{key}#0:post_credit",
            customer=self.customer,
            number=credit_number("DC-", "conformance", key),
            currency=self.currency,
            amount=amount,
            issued_on=self.today,
            invoice=about,
            invoice_number=about,
            description="conformance",
            tag=credit_tag(about, key),
            account="",
        )

    def promise(self, days: int = 10) -> SetExpectedDate:
        """The customer promised to pay the invoice."""
        return SetExpectedDate(
            key=f"promise/{days}#0:set_expected_date",
            customer=self.customer,
            invoice=self.invoice,
            on=self.today + timedelta(days=days),
        )

    def file(self, filename: str = "Reminder 7 (copy) & more.pdf") -> AttachFile:
        """A letter on the invoice: not text, and under a name that an address has to spell."""
        return AttachFile(
            key=f"letter/{filename}#0:attach_file",
            customer=self.customer,
            invoice=self.invoice,
            filename=filename,
            content_type="application/pdf",
            content=b"%PDF-1.4\r\n\xff\x00--\r\n",
        )

    def mailed(self) -> SendLedgerInvoice:
        """The ledger's own invoice, once more."""
        return SendLedgerInvoice(
            key="send_invoice/conformance#0:send_ledger_invoice",
            customer=self.customer,
            invoice=self.invoice,
        )

    def every_effect(self) -> tuple[LedgerEffect, ...]:
        """One of each kind that the port knows."""
        return (
            self.note(),
            self.charge(),
            self.hold(),
            ReverseCharge(
                key="r", customer=self.customer, number="LF-0", document_id="0",
                currency=self.currency,
            ),
            self.credit(100),
            self.promise(),
            self.file(),
            self.mailed(),
        )  # fmt: skip

    def written(self, effect: LedgerEffect) -> Receipt:
        prepared = self.connector.prepare(effect, self.today)
        return self.connector.write(prepared, vendor_key(effect.key, prepared.body))
