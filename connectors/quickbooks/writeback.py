"""Writing to QuickBooks Online, and finding again what was written."""

from typing import Final, TypeVar

import msgspec

from connectors.errors import (
    OutcomeUnknownError,
    RefusedError,
    TransientError,
    UnsupportedError,
)
from connectors.port import Clock, Prepared, Receipt
from connectors.quickbooks import wire
from connectors.quickbooks.answers import decoded, instant, one, rows, uploaded
from connectors.quickbooks.faults import DUPLICATE_NUMBER, error_within
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.parse import is_tagged
from connectors.quickbooks.requests import file_name, quoted, select
from connectors.quickbooks.reversal import Reversals
from connectors.transport import Answer
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
from rules.model.money import AmountError, Minor, parse_minor

ENTITIES: Final = {"invoice": "Invoice", "attachable": "Attachable"}
"""Path of a prepared request to the entity that it creates."""


_T = TypeVar("_T")


class _Charge(msgspec.Struct, rename="pascal"):
    """What a prepared charge says about itself."""

    doc_number: str = ""
    private_note: str = ""
    currency_ref: wire.Reference = msgspec.field(default_factory=wire.Reference)

    @property
    def currency(self) -> str:
        return self.currency_ref.value or ""


class WriteBack:
    """Sends prepared requests and looks for their marks."""

    def __init__(self, api: MountedQuickBooks, clock: Clock, reversals: Reversals) -> None:
        self._api = api
        self._reversals = reversals
        self._clock = clock

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Raises OutcomeUnknownError where the answer was lost or cannot be read."""
        if prepared.effect == "reverse_charge":
            return self._reversals.write(prepared, vendor_key)
        if prepared.effect in ("attach_file", "send_ledger_invoice"):
            return self._write_on_invoice(prepared, vendor_key)
        entity = ENTITIES[prepared.path]
        try:
            answer = self._api.create(entity, prepared.body, vendor_key=vendor_key)
        except RefusedError as error:
            if error.code != DUPLICATE_NUMBER:
                raise
            return self._adopted(prepared, error)
        try:
            return self._made(prepared, answer)
        except TransientError as error:
            # It was accepted, so it is there; only the proof cannot be read.
            raise OutcomeUnknownError(error.message, request_id=answer.request_id) from error

    def outcome(self, prepared: Prepared, part: Answer) -> Receipt:
        """What became of one member of a batch: `part` is its own part of the answer.

        Raises as `write` does.
        """
        error = error_within(part)
        if prepared.effect == "reverse_charge":
            return self._reversals.outcome(prepared, part, error)
        if error is None:
            return self._made(prepared, part)
        if isinstance(error, RefusedError) and error.code == DUPLICATE_NUMBER:
            return self._adopted(prepared, error)
        raise error

    def _made(self, prepared: Prepared, answer: Answer) -> Receipt:
        if ENTITIES[prepared.path] == "Invoice":
            made = one(answer, "Invoice", wire.WireInvoice)
            return self._charge_receipt(made, answer, _charge_of(prepared).currency)
        return self._note_receipt(one(answer, "Attachable", wire.WireAttachable), answer)

    def find(self, effect: LedgerEffect) -> Receipt | None:
        """The document or note that carries the effect's own mark; the oldest of several."""
        if isinstance(effect, PostCharge):
            return self._charge(effect.number, effect.tag, effect.currency)
        if isinstance(effect, PostNote | SetHold):
            return self._note(effect.mark)
        if isinstance(effect, ReverseCharge):
            return self._reversals.find(effect)
        if isinstance(effect, AttachFile):
            return self._file(effect)
        if isinstance(effect, SendLedgerInvoice):
            return None  # a mail of QuickBooks' own leaves no mark of ours
        raise UnsupportedError(EFFECT_NAMES[type(effect)])

    def _write_on_invoice(self, prepared: Prepared, vendor_key: str) -> Receipt:
        answer = self._api.send(
            prepared.path,
            prepared.body,
            vendor_key=vendor_key,
            params=prepared.params,
            content_type=prepared.content_type,
        )
        try:
            if prepared.effect == "send_ledger_invoice":
                sent = one(answer, "Invoice", wire.WireInvoice)
                return Receipt(id=sent.id, at=self._clock.now(), request_id=answer.request_id)
            return self._note_receipt(uploaded(answer), answer)
        except TransientError as error:
            raise OutcomeUnknownError(error.message, request_id=answer.request_id) from error

    def _file(self, effect: AttachFile) -> Receipt | None:
        """By its name, among what is on the invoice."""
        where = (
            "AttachableRef.EntityRef.Type = 'Invoice' "
            f"and AttachableRef.EntityRef.value = {quoted(effect.invoice)}"
        )
        answer = self._api.select(select("Attachable", where))
        for record in rows(answer, "Attachable").records:
            found = _readable(record, wire.WireAttachable)
            if found.file_name == file_name(effect.filename):
                return msgspec.structs.replace(self._note_receipt(found, answer), was_found=True)
        return None

    def _charge(self, number: str, tag: str, currency: str) -> Receipt | None:
        answer = self._api.select(select("Invoice", f"DocNumber = {quoted(number)}"))
        for record in rows(answer, "Invoice").records:
            found = _readable(record, wire.WireInvoice)
            if found.doc_number == number and is_tagged(found.private_note, tag):
                return msgspec.structs.replace(
                    self._charge_receipt(found, answer, currency), was_found=True
                )
        return None

    def _note(self, mark: str) -> Receipt | None:
        answer = self._api.select(select("Attachable", f"Note like {quoted(mark + '%')}"))
        for record in rows(answer, "Attachable").records:
            found = _readable(record, wire.WireAttachable)
            if (found.note or "").startswith(mark):
                return msgspec.structs.replace(self._note_receipt(found, answer), was_found=True)
        return None

    def _adopted(self, prepared: Prepared, refusal: RefusedError) -> Receipt:
        """The number is taken: by our own earlier attempt, or by somebody else's document."""
        charge = _charge_of(prepared)
        found = self._charge(charge.doc_number, charge.private_note, charge.currency)
        if found is None:
            raise RefusedError(
                f"the number {charge.doc_number} is taken by a document that is not ours",
                problems=refusal.problems,
                code=refusal.code,
                request_id=refusal.request_id,
            )
        return found

    def _charge_receipt(self, raw: wire.WireInvoice, answer: Answer, currency: str) -> Receipt:
        return Receipt(
            id=raw.id,
            number=raw.doc_number or "",
            amount=_net(raw, currency),
            at=self._clock.now(),
            request_id=answer.request_id,
        )

    def _note_receipt(self, raw: wire.WireAttachable, answer: Answer) -> Receipt:
        made = instant(raw.meta_data.create_time) if raw.meta_data else None
        return Receipt(id=raw.id, at=made or self._clock.now(), request_id=answer.request_id)


def _charge_of(prepared: Prepared) -> _Charge:
    return msgspec.json.decode(prepared.body, type=_Charge)


def _readable(record: msgspec.Raw, shape: type[_T]) -> _T:
    """A record that cannot be read is no proof that ours is not there."""
    try:
        return decoded(record, shape)
    except msgspec.DecodeError as error:
        raise TransientError(f"a record of QuickBooks cannot be read ({error})") from None


def _net(raw: wire.WireInvoice, currency: str) -> Minor | None:
    """The charge itself: what the document totals, without the tax put on top."""
    currency = (raw.currency_ref.value if raw.currency_ref else None) or currency
    if raw.total_amt is None or not currency:
        return None
    tax = raw.txn_tax_detail.total_tax if raw.txn_tax_detail else None
    try:
        return parse_minor(raw.total_amt - (tax or 0), currency)
    except AmountError:
        return None
