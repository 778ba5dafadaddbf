"""Write-back to Xero: notes, late fees, the hold group, and what is set on invoices."""

import hashlib
from collections.abc import Callable
from datetime import date

from connectors.errors import OutcomeUnknownError, RefusedError, UnsupportedError
from connectors.port import Clock, Prepared, Receipt
from connectors.transport import Answer
from connectors.xero import reads, requests, wire
from connectors.xero.answers import listed, readable, written
from connectors.xero.batching import number_taken
from connectors.xero.dates import parse_day
from connectors.xero.faults import check_answer, check_written
from connectors.xero.invoice_credits import InvoiceCredits
from connectors.xero.parse import FEE_TAG_PREFIX
from connectors.xero.reversal import Reversals
from connectors.xero.sdk import MountedApi
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
from rules.model.money import parse_minor


class WriteBack:
    """Sends stored requests and reads what Xero made of them."""

    def __init__(
        self,
        api: MountedApi,
        *,
        clock: Clock,
        base_currency: Callable[[], str],
        hold_group: str,
        reversals: Reversals,
        credits: InvoiceCredits,
    ) -> None:
        self._api = api
        self.reversals = reversals
        self.credits = credits
        self._clock = clock
        self._base_currency = base_currency
        self._hold_group = hold_group

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Send it once. Raises RefusedError, OutcomeUnknownError, UnsupportedError."""
        if prepared.effect == "post_note":
            return self._write_note(prepared, vendor_key)
        if prepared.effect == "post_charge":
            return self._write_charge(prepared, vendor_key)
        if prepared.effect == "set_hold":
            return self._write_hold(prepared, vendor_key)
        if prepared.effect == "reverse_charge":
            return self.reversals.write(prepared, vendor_key)
        if prepared.effect == "post_credit":
            return self.credits.write_credit(prepared, vendor_key)
        if prepared.effect == "set_expected_date":
            return self._write_expected_date(prepared, vendor_key)
        if prepared.effect == "attach_file":
            return self._write_attachment(prepared, vendor_key)
        if prepared.effect == "send_ledger_invoice":
            return self._write_mail(prepared, vendor_key)
        raise UnsupportedError(prepared.effect)

    def find(self, effect: LedgerEffect) -> Receipt | None:
        """By the effect's own marker. A mail that Xero sends leaves none: None."""
        if isinstance(effect, PostNote):
            return self.find_note(effect)
        if isinstance(effect, PostCharge):
            return self.find_charge(effect.number, effect.tag)[0]
        if isinstance(effect, SetHold):
            return self.find_hold(effect)
        if isinstance(effect, ReverseCharge):
            return self.reversals.find(effect)
        if isinstance(effect, PostCredit):
            return self.credits.find(effect)
        if isinstance(effect, SetExpectedDate):
            return self._find_expected_date(effect)
        if isinstance(effect, AttachFile):
            return self._find_attachment(effect)
        if isinstance(effect, SendLedgerInvoice):
            return None
        raise UnsupportedError(EFFECT_NAMES[type(effect)])

    def prepare_expected_date(
        self, effect: SetExpectedDate, locked_through: date | None
    ) -> Prepared:
        """Xero edits no part-paid or locked invoice: RefusedError says so before it does."""
        answer = self._get(reads.invoice_by_id(effect.invoice), "the invoice")
        for row in listed(answer, "Invoices", wire.XeroFee):
            dated = _day(row.date)
            why = ""
            if row.status != "AUTHORISED":
                why = f"is {row.status}"
            elif row.amount_due != row.total:
                why = "is partly paid or credited"
            elif locked_through is not None and dated is not None and dated <= locked_through:
                why = f"lies in a period that is locked through {locked_through.isoformat()}"
            if why:
                raise RefusedError(
                    f"the invoice {row.invoice_number} {why}, and Xero then takes no expected "
                    "payment date: the promise is kept here, and a note can tell of it"
                )
        return requests.expected_date(effect)

    def _write_expected_date(self, prepared: Prepared, vendor_key: str) -> Receipt:
        what = "the expected payment date"
        answer = self._api.write(prepared, prepared.path, vendor_key)
        check_answer(answer, what)
        check_written(answer, written(answer, "Invoices"), what)
        return self._receipt(prepared.path.rpartition("/")[2], answer)

    def _find_expected_date(self, effect: SetExpectedDate) -> Receipt | None:
        answer = self._api.read(reads.invoice_by_id(effect.invoice))
        if answer.status == 404:
            return None
        check_answer(answer, "the invoice")
        for row in listed(answer, "Invoices", wire.XeroFee):
            if _day(row.expected_payment_date) == effect.on:
                return self._receipt(effect.invoice, answer, was_found=True)
        return None

    def _write_attachment(self, prepared: Prepared, vendor_key: str) -> Receipt:
        what = "the attachment"
        answer = self._api.write(prepared, prepared.path, vendor_key)
        check_answer(answer, what)
        elements = written(answer, "Attachments")
        check_written(answer, elements, what)
        made = next((element.attachment_id for element in elements if element.attachment_id), "")
        return self._receipt(made or prepared.path, answer)

    def _find_attachment(self, effect: AttachFile) -> Receipt | None:
        """By its name: Xero keeps one file of a name on an invoice."""
        answer = self._api.read(reads.attachments(effect.invoice))
        if answer.status == 404:
            return None
        check_answer(answer, "the attachments")
        name = requests.file_name(effect.filename)
        for row in listed(answer, "Attachments", wire.XeroAttachment):
            if row.file_name == name:
                return self._receipt(row.id or "", answer, was_found=True)
        return None

    def _write_mail(self, prepared: Prepared, vendor_key: str) -> Receipt:
        answer = self._api.write(prepared, prepared.path, vendor_key)
        check_answer(answer, "the mail of the invoice")
        return self._receipt(prepared.path.split("/")[1], answer)

    def _write_note(self, prepared: Prepared, vendor_key: str) -> Receipt:
        answer = self._api.write(prepared, prepared.path, vendor_key)
        check_answer(answer, "the note")
        check_written(answer, written(answer, "HistoryRecords"), "the note")
        return self._receipt(prepared.path, answer)

    def find_note(self, effect: PostNote) -> Receipt | None:
        read = reads.history(effect)
        answer = self._api.read(read)
        if answer.status == 404:
            return None
        check_answer(answer, "the history of notes")
        path = requests.note(effect).path
        for record in listed(answer, "HistoryRecords", wire.XeroHistory):
            if effect.mark in (record.details or ""):
                return self._receipt(path, answer, was_found=True)
        return None

    def _write_charge(self, prepared: Prepared, vendor_key: str) -> Receipt:
        number, tag = requests.charged(prepared)
        answer = self._api.write(prepared, prepared.path, vendor_key)
        try:
            check_answer(answer, f"the late fee {number}")
            elements = written(answer, "Invoices")
            check_written(answer, elements, f"the late fee {number}")
        except RefusedError as refusal:
            # Xero refuses a number that is in use: by the fee itself, where an earlier answer
            # was lost, or by somebody else's invoice.
            mine, others = self.find_charge(number, tag)
            if mine is not None:
                return mine
            if others:
                raise number_taken(number, others[0], refusal) from None
            raise
        if not elements or not elements[0].invoice_id:
            raise OutcomeUnknownError(
                f"Xero's answer does not name the late fee {number}",
                request_id=answer.request_id,
            )
        return self.made(elements[0], answer)

    def find_charge(self, number: str, tag: str) -> tuple[Receipt | None, list[str]]:
        """Our fee document of that number, and the references of foreign ones that have it."""
        answer = self._get(reads.invoices_by_number(number), f"the late fee {number}")
        others = []
        for row in listed(answer, "Invoices", wire.Written):
            if row.invoice_number != number:
                continue
            mine = self.adopt(row, answer, tag)
            if mine is not None:
                return mine, []
            others.append(row.reference or "")
        return None, others

    def made(self, row: wire.Written, answer: Answer, *, was_found: bool = False) -> Receipt:
        """The receipt of a late fee that Xero names."""
        currency = row.currency_code or self._base_currency()
        return self._receipt(
            row.invoice_id or "",
            answer,
            number=row.invoice_number or "",
            amount=parse_minor(row.total, currency) if row.total is not None else None,
            was_found=was_found,
        )

    def adopt(self, row: wire.Written, answer: Answer, tag: str) -> Receipt | None:
        """The receipt of an invoice that is there, where it is the fee of that tag."""
        if not _is_same_charge(row.reference or "", tag):
            return None
        return self.made(row, answer, was_found=True)

    def _write_hold(self, prepared: Prepared, vendor_key: str) -> Receipt:
        group = self._hold_group_id()
        is_on = prepared.method != "DELETE"
        what = f"the contact group {self._hold_group!r}"
        if group is None:
            if not is_on:
                return self._receipt("", None, was_found=True)  # nobody is on hold
            group = self._make_hold_group(vendor_key)
        path = prepared.path.replace(requests.GROUP, group)
        # Xero's DELETE takes no key; both directions may be repeated without harm.
        answer = self._api.write(prepared, path, vendor_key if is_on else "")
        if not (answer.status == 404 and not is_on):
            check_answer(answer, what)
        if is_on:
            check_written(answer, written(answer, "Contacts"), what)
        return self._receipt(group, answer)

    def _make_hold_group(self, vendor_key: str) -> str:
        prepared = requests.new_group(self._hold_group)
        key = hashlib.sha256(f"group|{vendor_key}".encode()).hexdigest()[:32]
        answer = self._api.write(prepared, prepared.path, key)
        check_answer(answer, f"the contact group {self._hold_group!r}")
        elements = written(answer, "ContactGroups")
        check_written(answer, elements, f"the contact group {self._hold_group!r}")
        if not elements or not elements[0].group_id:
            raise OutcomeUnknownError("Xero's answer does not name the new contact group")
        return elements[0].group_id

    def find_hold(self, effect: SetHold) -> Receipt | None:
        group = self._hold_group_id()
        if group is None:
            return None if effect.is_on else self._receipt("", None, was_found=True)
        answer = self._get(reads.contact_group(group), "the contact group")
        members = {
            contact.id
            for row in listed(answer, "ContactGroups", wire.XeroGroup)
            for contact in row.contacts or ()
        }
        if (effect.customer in members) != effect.is_on:
            return None
        return self._receipt(group, answer, was_found=True)

    def _hold_group_id(self) -> str | None:
        answer = self._get(reads.contact_groups(), "the contact groups")
        for row in listed(answer, "ContactGroups", wire.XeroGroup):
            is_named = (row.name or "").casefold() == self._hold_group.casefold()
            if is_named and row.id and row.status != "DELETED":
                return row.id
        return None

    def _get(self, read: reads.Read, what: str) -> Answer:
        return check_answer(self._api.read(read), what)

    def _receipt(
        self,
        id: str,
        answer: Answer | None,
        *,
        number: str = "",
        amount: int | None = None,
        was_found: bool = False,
    ) -> Receipt:
        return Receipt(
            id=id,
            number=number,
            amount=amount,
            at=self._clock.now(),
            request_id=answer.request_id if answer is not None else "",
            was_found=was_found,
        )


def _day(text: str | None) -> date | None:
    return readable(lambda: parse_day(text))


def _is_same_charge(reference: str, tag: str) -> bool:
    """Whether a Reference is our tag for the same item; the day it runs through may differ."""
    return reference.startswith(FEE_TAG_PREFIX) and _item(reference) == _item(tag) != ""


def _item(tag: str) -> str:
    return tag.partition(" key=")[2]
