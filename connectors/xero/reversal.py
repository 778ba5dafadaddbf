"""Taking a late fee back in Xero.

A document on which nothing was paid is voided (a draft deleted). Otherwise, or where only a part
is taken back, or where its period is locked, a credit note is made and allocated to it: two
writes. The credit note is looked for before it is made, so that the same request sent again,
however late, makes up for the second write and never repeats the first.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from connectors.errors import (
    HalfDoneError,
    RefusedError,
    StaleError,
)
from connectors.port import Clock, Prepared, Receipt
from connectors.transport import Answer
from connectors.xero import reversal_requests, wire
from connectors.xero.answers import listed, readable, written
from connectors.xero.credit_notes import GONE, CreditNotes, amounts_of
from connectors.xero.dates import parse_day
from connectors.xero.faults import check_answer, check_written
from connectors.xero.parse import lock_date
from connectors.xero.sdk import MountedApi
from rules.actions.effects import ReverseCharge
from rules.model.money import Minor, parse_minor

_DRAFT: Final = frozenset({"DRAFT", "SUBMITTED"})
_UNTAXED: Final = frozenset({"", "NONE"})


class Reversals(CreditNotes):
    """Prepares, sends and finds the taking back of fee documents."""

    def __init__(
        self,
        api: MountedApi,
        *,
        clock: Clock,
        organisation: Callable[[], wire.XeroOrganisation],
    ) -> None:
        super().__init__(api, clock)
        self._organisation = organisation

    def prepare(self, effect: ReverseCharge, today: date) -> Prepared:
        """Read the document and choose the way. Raises RefusedError where there is none."""
        document = self.document(effect.document_id)
        if document is None:
            raise RefusedError(f"the late fee {effect.number} is not in Xero any more")
        if document.invoice_number != effect.number:
            raise RefusedError(
                f"the document to take back is {document.invoice_number!r} in Xero and not "
                f"{effect.number}: it is left alone"
            )
        status = document.status or ""
        is_whole = effect.amount is None
        if is_whole and status in GONE:
            return reversal_requests.void(effect)  # `write` sees that it is done
        if is_whole and status in _DRAFT:
            return reversal_requests.void(effect, is_draft=True)
        if status in GONE or status in _DRAFT:
            raise RefusedError(
                f"the late fee {effect.number} is {status} in Xero: no part of it can be taken back"
            )
        total, due = amounts_of(document, effect.currency)
        dated = readable(lambda: parse_day(document.date)) or today
        locked = lock_date(self._organisation())
        is_locked = locked is not None and dated <= locked
        if is_whole and due == total and not is_locked:
            return reversal_requests.void(effect)
        on = max(today, dated)
        if locked is not None and on <= locked:
            on = locked + timedelta(days=1)
        return self._credit(effect, document, total, due, on)

    def _credit(
        self, effect: ReverseCharge, document: wire.XeroFee, total: Minor, due: Minor, on: date
    ) -> Prepared:
        amount = due if effect.amount is None else effect.amount
        made = self.credit_note(
            reversal_requests.credit_number(effect), reversal_requests.credit_tag(effect)
        )
        if made is not None and made.total is not None:
            # It is there already: the same bytes again, whatever it has changed since.
            amount = parse_minor(made.total, effect.currency)
            on = readable(lambda: parse_day(made.date)) or on
        if not 0 < amount <= total:
            raise RefusedError(
                f"nothing of the late fee {effect.number} is open in Xero: what was paid is given "
                "back by a person, as a refund"
                if effect.amount is None
                else f"the late fee {effect.number} cannot be taken back by more than it is"
            )
        line = next(iter(document.line_items or ()), wire.XeroFeeLine())
        tax = line.tax_type or ""
        is_taxed = document.line_amount_types != "NoTax" and tax not in _UNTAXED
        return reversal_requests.credit(
            effect,
            amount,
            on=on,
            account=line.account_code or "",
            tax=tax if is_taxed else "NONE",
            is_taxed=is_taxed,
        )

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Raises StaleError where somebody paid in the meantime; else as every write does."""
        if prepared.path == "CreditNotes":
            return self.write_credit(prepared, vendor_key)
        return self._write_void(prepared, vendor_key)

    def _write_void(self, prepared: Prepared, vendor_key: str) -> Receipt:
        document_id = prepared.path.rpartition("/")[2]
        answer = self._api.write(prepared, prepared.path, vendor_key)
        try:
            check_answer(answer, "the late fee to take back")
            check_written(answer, written(answer, "Invoices"), "the late fee to take back")
        except RefusedError as refusal:
            document = self.document(document_id)
            if document is not None and document.status in GONE:
                return self._void_receipt(document, answer, was_found=True)
            if document is not None and document.amount_due != document.total:
                raise StaleError(
                    f"money was applied to {document.invoice_number} in the meantime",
                    request_id=refusal.request_id,
                ) from refusal
            raise
        document = wire.XeroFee(id=document_id)
        for row in listed(answer, "Invoices", wire.XeroFee):
            document = row
        return self._void_receipt(document, answer)

    def find(self, effect: ReverseCharge) -> Receipt | None:
        """The document void or deleted, or our credit note, allocated as far as it can be.

        Raises HalfDoneError where it is there, and of it something is still to be allocated.
        """
        document = self.document(effect.document_id)
        if document is None or document.invoice_number != effect.number:
            return None
        if document.status in GONE and effect.amount is None:
            return self._void_receipt(document, None, was_found=True)
        made = self.credit_note(
            reversal_requests.credit_number(effect), reversal_requests.credit_tag(effect)
        )
        if made is None:
            return None
        if self.to_allocate(made, effect.document_id, effect.currency) > 0:
            raise HalfDoneError(
                f"the credit note {made.credit_note_number} is in Xero, but not allocated to the "
                f"late fee {effect.number}"
            )
        return self.credit_receipt(made, effect.currency, None, was_found=True)

    def _void_receipt(
        self, document: wire.XeroFee, answer: Answer | None, *, was_found: bool = False
    ) -> Receipt:
        return Receipt(
            id=document.id or "",
            number=document.invoice_number or "",
            at=self._clock.now(),
            request_id=answer.request_id if answer is not None else "",
            was_found=was_found,
        )
