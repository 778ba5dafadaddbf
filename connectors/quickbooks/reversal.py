"""Taking a late fee back in QuickBooks Online.

A document on which nothing was paid is voided. Otherwise, or where only a part is taken back, or
where its period is closed, a credit memo is made and applied to it by a payment of zero: two
writes. The credit memo is looked for before it is made, so that the same request sent again,
however late, makes up for the second write and never repeats the first.
"""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from connectors.errors import (
    ConnectorError,
    HalfDoneError,
    OutcomeUnknownError,
    RefusedError,
    StaleError,
    TransientError,
)
from connectors.port import Clock, Prepared, Receipt
from connectors.quickbooks import requests, wire
from connectors.quickbooks.answers import decoded, one, rows
from connectors.quickbooks.company import SetUp
from connectors.quickbooks.faults import DUPLICATE_NUMBER
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.parse import day, is_tagged
from connectors.quickbooks.requests import quoted, select
from connectors.transport import Answer
from rules.actions.effects import ReverseCharge
from rules.model.money import Minor, round_minor

_VOID: Final = (("operation", "void"),)


class _Credit(msgspec.Struct, rename="pascal"):
    """What a prepared credit memo says about itself."""

    doc_number: str
    private_note: str
    txn_date: str
    customer_ref: wire.Reference
    currency_ref: wire.Reference

    @property
    def document_id(self) -> str:
        return self.private_note.partition(" credit=")[2].partition(" ")[0]

    @property
    def currency(self) -> str:
        return self.currency_ref.value or ""


class Reversals:
    """Prepares, sends and finds the taking back of fee documents."""

    def __init__(self, api: MountedQuickBooks, clock: Clock, setup: Callable[[], SetUp]) -> None:
        self._api = api
        self._clock = clock
        self._setup = setup

    def prepare(self, effect: ReverseCharge, today: date) -> Prepared:
        """Read the document by id and choose the way. Raises RefusedError where there is none."""
        document = self._document(effect.document_id)
        if document is None:
            raise RefusedError(f"the late fee {effect.number} is not in QuickBooks any more")
        if document.doc_number != effect.number:
            raise RefusedError(
                f"the document to take back is {document.doc_number!r} in QuickBooks and not "
                f"{effect.number}: it is left alone"
            )
        is_whole = effect.amount is None
        if _is_void(document):
            if is_whole:
                return _void(effect, document)  # it is done: doing it again changes nothing
            raise RefusedError(f"the late fee {effect.number} is void in QuickBooks already")
        setup = self._setup()
        total, due = _amounts(document, effect.currency)
        dated = day(document.txn_date) or today
        locked = setup.locked_through
        if is_whole and due == total and not (locked is not None and dated <= locked):
            return _void(effect, document)
        on = max(today, dated)
        if locked is not None and on <= locked:
            on = locked + timedelta(days=1)
        return self._credit(effect, document, total, due, on, is_us=setup.is_us)

    def _credit(
        self,
        effect: ReverseCharge,
        document: wire.WireFee,
        total: Minor,
        due: Minor,
        on: date,
        *,
        is_us: bool,
    ) -> Prepared:
        tax = _tax(document, effect.currency)
        net = effect.amount
        if net is None:
            # What is open holds its share of the tax, which the credit memo adds by itself.
            net = (2 * due * (total - tax) + total) // (2 * total) if total else 0
        made = self._credit_memo(requests.credit_number(effect), requests.credit_tag(effect))
        if made is not None:
            # It is there already: the same bytes again, whatever it has changed since.
            net = _minor(made.total_amt, effect.currency) - _tax(made, effect.currency)
            on = day(made.txn_date) or on
        if not 0 < net <= total - tax:
            raise RefusedError(
                f"nothing of the late fee {effect.number} is open in QuickBooks: what was paid is "
                "given back by a person, as a refund"
                if effect.amount is None
                else f"the late fee {effect.number} cannot be taken back by more than it is"
            )
        details = (line.sales_item_line_detail for line in document.line or ())
        detail = next((each for each in details if each is not None), wire.FeeLineDetail())
        return Prepared(
            effect="reverse_charge",
            effect_key=effect.key,
            method="POST",
            path="creditmemo",
            body=requests.credit_body(
                effect,
                net,
                on=on,
                item=_value(detail.item_ref),
                tax_code=_value(detail.tax_code_ref),
                is_us=is_us,
            ),
        )

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Raises StaleError where the document changed since it was read."""
        if prepared.path == "creditmemo":
            return self._write_credit(prepared, vendor_key)
        try:
            answer = self._api.send(
                prepared.path, prepared.body, vendor_key=vendor_key, params=prepared.params
            )
        except StaleError as error:
            return self._void_already(prepared, error)
        return self._voided(answer)

    def outcome(self, prepared: Prepared, part: Answer, error: ConnectorError | None) -> Receipt:
        """What became of a voiding that was sent together with other writes."""
        if isinstance(error, StaleError):
            return self._void_already(prepared, error)
        if error is not None:
            raise error
        return self._voided(part)

    def _void_already(self, prepared: Prepared, error: StaleError) -> Receipt:
        """Changed since: by our own earlier attempt, or by somebody else."""
        asked = msgspec.json.decode(prepared.body, type=dict[str, str])
        document = self._document(asked["Id"])
        if document is None or not _is_void(document):
            raise error
        return self._receipt(document.id, document.doc_number, was_found=True)

    def _voided(self, answer: Answer) -> Receipt:
        try:
            document = one(answer, "Invoice", wire.WireFee)
        except TransientError as error:
            raise OutcomeUnknownError(error.message, request_id=answer.request_id) from error
        return self._receipt(document.id, document.doc_number, request_id=answer.request_id)

    def _write_credit(self, prepared: Prepared, vendor_key: str) -> Receipt:
        said = msgspec.json.decode(prepared.body, type=_Credit)
        request_id = ""
        # There already, where an earlier attempt came this far: QuickBooks may have forgotten its
        # key, and a company need not warn of a number that is taken.
        made = self._credit_memo(said.doc_number, said.private_note)
        was_found = made is not None
        if made is None:
            try:
                answer = self._api.create("CreditMemo", prepared.body, vendor_key=vendor_key)
                request_id = answer.request_id
            except RefusedError as error:
                taken = error.code == DUPLICATE_NUMBER
                if not taken or self._credit_memo(said.doc_number, said.private_note) is None:
                    raise
            made = self._credit_memo(said.doc_number, said.private_note)
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
        return self._receipt(
            made.id,
            made.doc_number,
            amount=_minor(made.total_amt, said.currency),
            request_id=request_id,
            was_found=was_found,
        )

    def _apply(self, made: wire.WireCreditMemo, said: _Credit, vendor_key: str) -> None:
        """Settle the document with what the credit memo still has; twice is once."""
        part = self._to_apply(made, said.document_id, said.currency)
        if part <= 0:
            return
        body = requests.application_body(
            customer=_value(said.customer_ref),
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
                f"the credit memo {made.doc_number} is in QuickBooks, but not applied to the late "
                f"fee ({error.message})",
                request_id=error.request_id,
            ) from error

    def find(self, effect: ReverseCharge) -> Receipt | None:
        """The document void, or our credit memo, applied as far as it can be.

        Raises HalfDoneError where it is there, and of it something is still to be applied.
        """
        document = self._document(effect.document_id)
        if document is None or document.doc_number != effect.number:
            return None
        if effect.amount is None and _is_void(document):
            return self._receipt(document.id, document.doc_number, was_found=True)
        made = self._credit_memo(requests.credit_number(effect), requests.credit_tag(effect))
        if made is None:
            return None
        if self._to_apply(made, effect.document_id, effect.currency) > 0:
            raise HalfDoneError(
                f"the credit memo {made.doc_number} is in QuickBooks, but not applied to the late "
                f"fee {effect.number}"
            )
        amount = _minor(made.total_amt, effect.currency)
        return self._receipt(made.id, made.doc_number, amount=amount, was_found=True)

    def _to_apply(self, made: wire.WireCreditMemo, document_id: str, currency: str) -> Minor:
        document = self._document(document_id)
        if document is None:
            return 0
        left = made.remaining_credit if made.remaining_credit is not None else made.balance
        return min(_minor(left, currency), _minor(document.balance, currency))

    def _document(self, id: str) -> wire.WireFee | None:
        """Read by id: a list may still show an earlier SyncToken."""
        try:
            return one(self._api.record("Invoice", id), "Invoice", wire.WireFee)
        except StaleError:
            return None

    def _credit_memo(self, number: str, tag: str) -> wire.WireCreditMemo | None:
        answer = self._api.select(select("CreditMemo", f"DocNumber = {quoted(number)}"))
        for record in rows(answer, "CreditMemo").records:
            try:
                found = decoded(record, wire.WireCreditMemo)
            except msgspec.DecodeError as error:
                raise TransientError(f"a credit memo cannot be read ({error})") from None
            if found.doc_number == number and is_tagged(found.private_note, tag):
                return found
        return None

    def _receipt(
        self,
        id: str,
        number: str | None,
        *,
        amount: Minor | None = None,
        request_id: str = "",
        was_found: bool = False,
    ) -> Receipt:
        return Receipt(
            id=id,
            number=number or "",
            amount=amount,
            at=self._clock.now(),
            request_id=request_id,
            was_found=was_found,
        )


def _void(effect: ReverseCharge, document: wire.WireFee) -> Prepared:
    return Prepared(
        effect="reverse_charge",
        effect_key=effect.key,
        method="POST",
        path="invoice",
        params=_VOID,
        body=requests.void_body(document.id, document.sync_token or ""),
    )


def _is_void(document: wire.WireFee) -> bool:
    is_empty = not document.total_amt and not document.balance
    return is_empty and (document.private_note or "").startswith("Voided")


def _amounts(document: wire.WireFee, currency: str) -> tuple[Minor, Minor]:
    """Total and open part. Raises RefusedError for a document that does not tell."""
    if document.total_amt is None or document.balance is None:
        raise RefusedError(f"QuickBooks does not tell what is open on {document.doc_number}")
    return _minor(document.total_amt, currency), _minor(document.balance, currency)


def _tax(document: wire.WireFee | wire.WireCreditMemo, currency: str) -> Minor:
    detail = document.txn_tax_detail
    return _minor(detail.total_tax if detail is not None else None, currency)


def _minor(amount: Decimal | None, currency: str) -> Minor:
    return round_minor(Fraction(amount or 0), currency)


def _value(reference: wire.Reference | None) -> str:
    return (reference.value if reference is not None else None) or ""
