"""Writing to QuickBooks Online, and finding again what was written."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, TypeVar

import msgspec

from connectors.errors import (
    ConnectorError,
    OutcomeUnknownError,
    RefusedError,
    TransientError,
    UnsupportedError,
)
from connectors.port import Clock, Prepared, Receipt
from connectors.quickbooks import wire
from connectors.quickbooks.answers import decoded, instant, one, rows, uploaded
from connectors.quickbooks.faults import DUPLICATE_NUMBER, error_within
from connectors.quickbooks.invoice_credits import InvoiceCredits
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.parse import is_tagged
from connectors.quickbooks.pulling import changed_since
from connectors.quickbooks.requests import file_name, one_of, quoted, select
from connectors.quickbooks.reversal import Reversals
from connectors.quickbooks.walking import walk
from connectors.transport import Answer
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
from rules.model.money import AmountError, Minor, parse_minor

ENTITIES: Final = {"invoice": "Invoice", "attachable": "Attachable"}
"""Path of a prepared request to the entity that it creates."""

_OURS: Final = "[arb:"

_LOST_WITHIN: Final = timedelta(hours=1)
"""A write whose answer was lost is repeated for minutes at most, and clocks differ."""

_T = TypeVar("_T")


class _Charge(msgspec.Struct, rename="pascal"):
    """What a prepared charge says about itself."""

    doc_number: str = ""
    private_note: str = ""
    currency_ref: wire.Reference = msgspec.field(default_factory=wire.Reference)

    @property
    def currency(self) -> str:
        return self.currency_ref.value or ""


class _Note(msgspec.Struct, rename="pascal"):
    note: str = ""


class WriteBack:
    """Sends prepared requests and looks for their marks."""

    def __init__(
        self,
        api: MountedQuickBooks,
        clock: Clock,
        reversals: Reversals,
        credits: InvoiceCredits,
    ) -> None:
        self._api = api
        self._reversals = reversals
        self._credits = credits
        self._clock = clock
        self._lost: set[str] = set()
        """Keys under which an answer was lost."""

    def doubt(self, vendor_key: str) -> None:
        """Look before anything is sent under this key again."""
        self._lost.add(vendor_key)

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Raises OutcomeUnknownError where the answer was lost or cannot be read."""
        if prepared.effect == "reverse_charge":
            return self._reversals.write(prepared, vendor_key)
        if prepared.effect == "post_credit":
            return self._credits.write_credit(prepared, vendor_key)
        if prepared.effect in ("attach_file", "send_ledger_invoice"):
            return self._write_on_invoice(prepared, vendor_key)
        entity = ENTITIES[prepared.path]
        try:
            answer, found = self.unless_there(
                [prepared],
                vendor_key,
                lambda look: self._api.create(
                    entity, prepared.body, vendor_key=vendor_key, before_repeat=look
                ),
            )
        except RefusedError as error:
            if error.code != DUPLICATE_NUMBER:
                raise
            return self._adopted(prepared, error)
        if answer is None:
            return found[0]
        try:
            return self._made(prepared, answer)
        except TransientError as error:
            # It was accepted, so it is there; only the proof cannot be read.
            raise OutcomeUnknownError(error.message, request_id=answer.request_id) from error

    def unless_there(
        self,
        members: Sequence[Prepared],
        vendor_key: str,
        send: Callable[[Callable[[], bool]], Answer],
    ) -> tuple[Answer | None, dict[int, Receipt]]:
        """Send what writes these members, and after a lost answer look before each repetition.

        QuickBooks may have forgotten the key, and a company need not warn of a number that is
        taken. Gives the answer, or None and what was found, by place among the members.
        Raises OutcomeUnknownError where the answer was lost and nothing was found.
        """
        found: dict[int, Receipt] = {}

        def nothing_is_there() -> bool:
            found.update(self._there(members))
            return not found

        try:
            if vendor_key in self._lost and not self._looked(nothing_is_there):
                return None, found
            return send(nothing_is_there), {}
        except OutcomeUnknownError:
            self._lost.add(vendor_key)
            if not found:
                raise
            return None, found

    def _looked(self, nothing_is_there: Callable[[], bool]) -> bool:
        try:
            return nothing_is_there()
        except ConnectorError as error:
            raise OutcomeUnknownError(
                f"the answer was lost, and it cannot be looked for ({error.message})",
                request_id=error.request_id,
            ) from error

    def _there(self, members: Sequence[Prepared]) -> dict[int, Receipt]:
        """Charges and notes of these that QuickBooks holds, by place: two queries at most, and
        where notes cannot be asked for together, one for each."""
        charges: dict[str, tuple[int, _Charge]] = {}
        notes: dict[str, int] = {}
        for place, member in enumerate(members):
            entity = ENTITIES.get(member.path)
            if entity == "Invoice" and not member.params:  # a voiding may be repeated
                charge = _charge_of(member)
                charges[charge.doc_number] = (place, charge)
            elif entity == "Attachable":
                notes[_mark_of(member)] = place
        return {**self._charges_there(charges), **self._notes_there(notes)}

    def _charges_there(self, charges: dict[str, tuple[int, _Charge]]) -> dict[int, Receipt]:
        found: dict[int, Receipt] = {}
        if not charges:
            return found
        answer = self._api.select(select("Invoice", f"DocNumber in {one_of(charges)}"))
        for record in rows(answer, "Invoice").records:
            made = _readable(record, wire.WireInvoice)
            place, charge = charges.get(made.doc_number or "", (-1, None))
            if charge is None or not is_tagged(made.private_note, charge.private_note):
                continue
            receipt = self._charge_receipt(made, answer, charge.currency)
            found.setdefault(place, msgspec.structs.replace(receipt, was_found=True))
        return found

    def _notes_there(self, notes: dict[str, int]) -> dict[int, Receipt]:
        found: dict[int, Receipt] = {}
        if len(notes) > 1:
            since = changed_since(self._clock.now() - _LOST_WITHIN)
            try:
                for step in walk(self._api, "Attachable", f"Note like '{_OURS}%' and {since}"):
                    for record in step.records:
                        made = _readable(record, wire.WireAttachable)
                        place = notes.get(_beginning(made.note or ""))
                        if place is not None:
                            found.setdefault(place, self._note_receipt(made, None))
                return found
            except RefusedError:
                pass
        for mark, place in notes.items():
            receipt = self._note(mark)
            if receipt is not None:
                found[place] = receipt
        return found

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
        if isinstance(effect, PostCredit):
            return self._credits.find(effect)
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

    def _note_receipt(self, raw: wire.WireAttachable, answer: Answer | None) -> Receipt:
        """Without an answer: one that was found."""
        made = instant(raw.meta_data.create_time) if raw.meta_data else None
        return Receipt(
            id=raw.id,
            at=made or self._clock.now(),
            request_id=answer.request_id if answer is not None else "",
            was_found=answer is None,
        )


def _charge_of(prepared: Prepared) -> _Charge:
    return msgspec.json.decode(prepared.body, type=_Charge)


def _mark_of(prepared: Prepared) -> str:
    return _beginning(msgspec.json.decode(prepared.body, type=_Note).note)


def _beginning(note: str) -> str:
    """The mark that a note of ours begins with; all of it where it has none."""
    mark, end, _ = note.partition("]")
    return mark + end if note.startswith(_OURS) and end else note


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
