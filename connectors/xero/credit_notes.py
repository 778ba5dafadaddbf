"""Credit notes of ours in Xero, and their allocation to one document.

Two writes. The credit note is looked for before it is made, so that the same request sent again,
however late, makes up for the second write and never repeats the first.
"""

import hashlib
from typing import Final

from connectors.errors import (
    HalfDoneError,
    OutcomeUnknownError,
    RefusedError,
    StaleError,
    TransientError,
)
from connectors.port import Clock, Prepared, Receipt
from connectors.transport import Answer
from connectors.xero import reads, reversal_requests, wire
from connectors.xero.answers import listed, written
from connectors.xero.faults import check_answer, check_written
from connectors.xero.sdk import MountedApi
from rules.model.money import Minor, parse_minor

GONE: Final = frozenset({"VOIDED", "DELETED"})


class CreditNotes:
    """Makes credit notes, allocates them, and finds them again."""

    def __init__(self, api: MountedApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def write_credit(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Make it, unless it is there, and allocate it. Raises HalfDoneError in between."""
        said = reversal_requests.credited(prepared)
        what = f"the credit note {said.number}"
        answer: Answer | None = None
        # There already, where an earlier attempt came this far: Xero may have forgotten its key.
        made = self.credit_note(said.number, said.tag)
        if made is None:
            answer = self._api.write(prepared, prepared.path, vendor_key)
            try:
                check_answer(answer, what)
                check_written(answer, written(answer, "CreditNotes"), what)
            except RefusedError:
                # Perhaps because it is there: the answer before was lost.
                if self.credit_note(said.number, said.tag) is None:
                    raise
            made = self.credit_note(said.number, said.tag)
        if made is None or not made.credit_note_id:
            raise OutcomeUnknownError(
                f"Xero took {what}, but does not show it",
                request_id=answer.request_id if answer is not None else "",
            )
        try:
            self._allocate(made, said, vendor_key)
        except TransientError as error:
            raise HalfDoneError(
                f"{what} is in Xero, but not allocated yet ({error.message})",
                retry_after=error.retry_after,
                request_id=error.request_id,
            ) from error
        return self.credit_receipt(made, said.currency, answer, was_found=answer is None)

    def _allocate(
        self, made: wire.XeroCredit, said: reversal_requests.Credited, vendor_key: str
    ) -> None:
        """Settle the document with what the credit note still has; twice is once."""
        part = self.to_allocate(made, said.document_id, said.currency)
        if part <= 0:
            return
        prepared = reversal_requests.allocation(
            made.credit_note_id or "", said.document_id, part, said.currency, said.on
        )
        key = hashlib.sha256(f"allocation|{part}|{vendor_key}".encode()).hexdigest()[:32]
        answer = self._api.write(prepared, prepared.path, key)
        what = f"the allocation of the credit note {said.number}"
        try:
            check_answer(answer, what)
            check_written(answer, written(answer, "Allocations"), what)
        except (RefusedError, StaleError) as refusal:
            # The credit note stands: to call the whole refused would hide it.
            raise OutcomeUnknownError(
                f"the credit note {said.number} is in Xero, but not allocated ({refusal.message})",
                request_id=answer.request_id,
            ) from refusal

    def to_allocate(self, made: wire.XeroCredit, document_id: str, currency: str) -> Minor:
        """What of it is still to be allocated to the document."""
        document = self.document(document_id)
        if document is None or document.status != "AUTHORISED":
            return 0
        left = parse_minor(made.remaining_credit or 0, currency)
        return min(left, amounts_of(document, currency)[1])

    def document(self, id: str) -> wire.XeroFee | None:
        """None for one that is not there any more."""
        answer = self._api.read(reads.invoice_by_id(id))
        if answer.status == 404:
            return None
        check_answer(answer, "the document")
        return next(iter(listed(answer, "Invoices", wire.XeroFee)), None)

    def credit_note(self, number: str, tag: str) -> wire.XeroCredit | None:
        """By its number and its machine tag."""
        answer = check_answer(
            self._api.read(reads.credit_note_by_number(number)), f"the credit note {number}"
        )
        for row in listed(answer, "CreditNotes", wire.XeroCredit):
            is_ours = row.credit_note_number == number and row.reference == tag
            if is_ours and row.status not in GONE:
                return row
        return None

    def credit_receipt(
        self,
        made: wire.XeroCredit,
        currency: str,
        answer: Answer | None,
        *,
        was_found: bool = False,
    ) -> Receipt:
        """The proof of a write."""
        return Receipt(
            id=made.credit_note_id or "",
            number=made.credit_note_number or "",
            amount=parse_minor(made.total, currency) if made.total is not None else None,
            at=self._clock.now(),
            request_id=answer.request_id if answer is not None else "",
            was_found=was_found,
        )


def amounts_of(document: wire.XeroFee, currency: str) -> tuple[Minor, Minor]:
    """Total and open part. Raises RefusedError for a document that does not tell."""
    if document.total is None or document.amount_due is None:
        raise RefusedError(f"Xero does not tell what is open on {document.invoice_number}")
    return parse_minor(document.total, currency), parse_minor(document.amount_due, currency)
