"""Credit memos of ours in QuickBooks Online, and their application to one document.

A credit memo is applied by a payment of zero: two writes. The credit memo is looked for before it
is made, so that the same request sent again, however late, makes up for the second write and
never repeats the first.
"""

import hashlib
from decimal import Decimal
from fractions import Fraction

import msgspec

from connectors.errors import (
    HalfDoneError,
    OutcomeUnknownError,
    RefusedError,
    StaleError,
    TransientError,
)
from connectors.port import Clock, Prepared, Receipt
from connectors.quickbooks import requests, wire
from connectors.quickbooks.answers import decoded, one, rows
from connectors.quickbooks.faults import DUPLICATE_NUMBER
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.parse import is_tagged
from connectors.quickbooks.requests import quoted, select
from rules.model.money import Minor, round_minor


class Stated(msgspec.Struct, rename="pascal"):
    """What a prepared credit memo says about itself."""

    doc_number: str
    private_note: str
    txn_date: str
    customer_ref: wire.Reference
    currency_ref: wire.Reference

    @property
    def document_id(self) -> str:
        """The document that it is for, from its machine tag."""
        for part in self.private_note.split():
            name, _, value = part.partition("=")
            if name in ("credit", "inv"):
                return value
        return ""

    @property
    def currency(self) -> str:
        return self.currency_ref.value or ""


class CreditMemos:
    """Makes credit memos, applies them, and finds them again."""

    def __init__(self, api: MountedQuickBooks, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def write_credit(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Make it, unless it is there, and apply it. Raises HalfDoneError in between."""
        said = msgspec.json.decode(prepared.body, type=Stated)
        request_id = ""
        # There already, where an earlier attempt came this far: QuickBooks may have forgotten its
        # key, and a company need not warn of a number that is taken.
        made = self.credit_memo(said.doc_number, said.private_note)
        was_found = made is not None
        if made is None:
            try:
                answer = self._api.create("CreditMemo", prepared.body, vendor_key=vendor_key)
                request_id = answer.request_id
            except RefusedError as error:
                taken = error.code == DUPLICATE_NUMBER
                if not taken or self.credit_memo(said.doc_number, said.private_note) is None:
                    raise
            made = self.credit_memo(said.doc_number, said.private_note)
        if made is None:
            raise OutcomeUnknownError(
                f"QuickBooks took the credit memo {said.doc_number}, but does not show it",
                request_id=request_id,
            )
        try:
            self._apply(made, said, vendor_key)
        except TransientError as error:
            raise HalfDoneError(
                f"the credit memo {made.doc_number} is in QuickBooks, but not applied yet "
                f"({error.message})",
                retry_after=error.retry_after,
                request_id=error.request_id,
            ) from error
        return self.receipt(
            made.id,
            made.doc_number,
            amount=minor_of(made.total_amt, said.currency),
            request_id=request_id,
            was_found=was_found,
        )

    def _apply(self, made: wire.WireCreditMemo, said: Stated, vendor_key: str) -> None:
        """Settle the document with what the credit memo still has; twice is once."""
        part = self.to_apply(made, said.document_id, said.currency)
        if part <= 0:
            return
        body = requests.application_body(
            customer=value_of(said.customer_ref),
            currency=said.currency,
            on=said.txn_date,
            document_id=said.document_id,
            credit_id=made.id,
            part=part,
        )
        key = hashlib.sha256(f"application|{part}|{vendor_key}".encode()).hexdigest()[:32]
        try:
            self._api.create("Payment", body, vendor_key=key)
        except (RefusedError, StaleError) as error:
            # The credit memo stands: to call the whole refused would hide it.
            raise OutcomeUnknownError(
                f"the credit memo {made.doc_number} is in QuickBooks, but not applied to its "
                f"document ({error.message})",
                request_id=error.request_id,
            ) from error

    def to_apply(self, made: wire.WireCreditMemo, document_id: str, currency: str) -> Minor:
        """What of it is still to be applied to the document."""
        document = self.document(document_id)
        if document is None:
            return 0
        left = made.remaining_credit if made.remaining_credit is not None else made.balance
        return min(minor_of(left, currency), minor_of(document.balance, currency))

    def document(self, id: str) -> wire.WireFee | None:
        """Read by id: a list may still show an earlier SyncToken."""
        try:
            return one(self._api.record("Invoice", id), "Invoice", wire.WireFee)
        except StaleError:
            return None

    def credit_memo(self, number: str, tag: str) -> wire.WireCreditMemo | None:
        """By its number and its machine tag."""
        answer = self._api.select(select("CreditMemo", f"DocNumber = {quoted(number)}"))
        for record in rows(answer, "CreditMemo").records:
            try:
                found = decoded(record, wire.WireCreditMemo)
            except msgspec.DecodeError as error:
                raise TransientError(f"a credit memo cannot be read ({error})") from None
            if found.doc_number == number and is_tagged(found.private_note, tag):
                return found
        return None

    def receipt(
        self,
        id: str,
        number: str | None,
        *,
        amount: Minor | None = None,
        request_id: str = "",
        was_found: bool = False,
    ) -> Receipt:
        """The proof of a write."""
        return Receipt(
            id=id,
            number=number or "",
            amount=amount,
            at=self._clock.now(),
            request_id=request_id,
            was_found=was_found,
        )


def amounts_of(document: wire.WireFee, currency: str) -> tuple[Minor, Minor]:
    """Total and open part. Raises RefusedError for a document that does not tell."""
    if document.total_amt is None or document.balance is None:
        raise RefusedError(f"QuickBooks does not tell what is open on {document.doc_number}")
    return minor_of(document.total_amt, currency), minor_of(document.balance, currency)


def tax_of(document: wire.WireFee | wire.WireCreditMemo, currency: str) -> Minor:
    """The tax in its total."""
    detail = document.txn_tax_detail
    return minor_of(detail.total_tax if detail is not None else None, currency)


def minor_of(amount: Decimal | None, currency: str) -> Minor:
    """Nothing counts as zero."""
    return round_minor(Fraction(amount or 0), currency)


def value_of(reference: wire.Reference | None) -> str:
    """What a reference points at; empty for nothing."""
    return (reference.value if reference is not None else None) or ""
