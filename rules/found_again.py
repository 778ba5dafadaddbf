"""What we did, read back from notes that the ledger kept after our own records were lost.

A note says which stages and fees it served to which invoices (`rules.actions.notes`). What a
note had no room for is filled in on the safe side: an invoice that may have been in a message
counts as served the stage that it had reached that day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from rules.actions.keys import (
    account_item,
    fee_item,
    fee_notice_item,
    stage_item,
    statement_item,
)
from rules.actions.notes import NoteFacts, Serving, read_note
from rules.aging import is_fee_document
from rules.frame import Frame
from rules.model.book import Book
from rules.model.history import COUNTED_KINDS, Served
from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey, StageId
from rules.model.invoice import Invoice
from rules.policy.schema import Policy
from rules.served_stages import unit_of
from rules.steps import KIND_OF_VERB, Step

MESSAGES: Final = frozenset({"reminder", "fee_notice", "statement", "discount_offer", "plan_offer"})
"""Kinds of notes that a message to the customer left."""


class FoundNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note of ours as the ledger shows it."""

    mark: str
    text: str
    on: date
    invoices: tuple[InvoiceId, ...] = ()
    """Where it hangs; none: on the customer."""
    customer: CustomerId | None = None

    @property
    def facts(self) -> NoteFacts | None:
        """What it says to ourselves; None where somebody edited it."""
        said = read_note(self.text)
        return said.facts if said is not None else None


def history_of(
    notes: Iterable[FoundNote], book: Book, policy: Policy, today: date
) -> tuple[Served, ...]:
    """What those notes say was done, for the customers and invoices that the book holds.

    Actions without any trace in the ledger (a task, a call) count as done where something else of
    the same stage, or of a later one, is known to have been done.
    """
    reader = _Reader(Frame(book, policy, today))
    found: dict[ItemKey, Served] = {}
    for note in notes:
        for item in reader.items(note):
            found.setdefault(item.key, item)
    for item in list(reader.untraced(found.values())):
        found.setdefault(item.key, item)
    return tuple(found.values())


def said_about(
    note: FoundNote, facts: NoteFacts, numbers: Mapping[str, Sequence[InvoiceId]]
) -> tuple[InvoiceId, ...]:
    """The invoices that a note names, else those that it hangs on. None where some that it is
    about are not named: then it is taken for the whole account."""
    if facts.omitted:
        return ()
    named = tuple(one for number in facts.invoices for one in numbers.get(number, ()))
    return named or note.invoices


class _Reader:
    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.invoices: dict[InvoiceId, Invoice] = {one.id: one for one in frame.book.invoices}
        self.numbered: dict[str, list[Invoice]] = {}
        for invoice in frame.book.invoices:
            if not is_fee_document(invoice):
                self.numbered.setdefault(invoice.number, []).append(invoice)

    def items(self, note: FoundNote) -> Iterator[Served]:
        """What one note says was done."""
        customer = self._customer(note)
        if customer is None:
            return
        facts = note.facts
        if facts is None:
            # Somebody edited it: we wrote to the customer that day, or something of the kind.
            yield self._item(note, note.on, customer, "reminder", ItemKey(f"found/{note.mark}"))
            return
        found = [*self._stages(note, facts, customer), *self._fees(note, facts, customer)]
        if facts.kind in MESSAGES and facts.omitted:
            named = {item.invoice for item in found}
            found += self._left_out(note, facts, customer, named)
        if not found and facts.kind in MESSAGES:
            # Its invoices are closed and gone from the book: the contact counts all the same.
            key = ItemKey(f"found/{note.mark}")
            found = [self._item(note, facts.on, customer, facts.kind, key, facts.channel)]
        yield from found

    def untraced(self, found: Iterable[Served]) -> Iterator[Served]:
        """Tasks, calls and notifications of stages that were served."""
        highest: dict[InvoiceId, tuple[int, Served]] = {}
        for item in found:
            step = self.frame.step_of.get(item.stage) if item.stage is not None else None
            if step is not None and step.is_account and item.invoice is None:
                yield from _untraced_of_account(step, item)
            if step is None or item.invoice is None:
                continue
            known = highest.get(item.invoice)
            if known is None or known[0] < step.index:
                highest[item.invoice] = (step.index, item)
        for invoice, (index, last) in highest.items():
            for step in self.frame.steps[: index + 1]:
                slot = _slot(last) if step.index == index else 1
                for verb in step.internal:
                    kind = KIND_OF_VERB[verb]
                    if kind != "note":
                        key = stage_item(kind, invoice, step.id, slot)
                        yield msgspec.structs.replace(
                            last, kind=kind, stage=step.id, key=key, channel="", message=""
                        )

    def _stages(self, note: FoundNote, facts: NoteFacts, customer: CustomerId) -> Iterator[Served]:
        for serving in facts.stages:
            stage = StageId(serving.name)
            slot = int(serving.slot) if serving.slot.isdigit() else 1
            invoices = self._of(serving, note)
            kind = "hand_off" if facts.kind == "placement" else facts.kind
            step = self.frame.step_of.get(serving.name)
            if step is not None and step.is_account and not serving.invoices:
                # Its note hangs on the invoices that it was about; it was served to the account.
                payer = self.frame.book.payer_of(customer)
                unit = payer if self.frame.policy.contact.unit == "payer" else customer
                key = account_item(kind, unit, stage, serving.slot)
                yield self._item(note, facts.on, payer, kind, key, facts.channel, None, stage)
                continue
            for invoice in invoices:
                key = stage_item(kind, invoice, stage, slot)
                yield self._item(note, facts.on, customer, kind, key, facts.channel, invoice, stage)
            if not invoices and not serving.invoices:
                key = (
                    statement_item(customer, stage, serving.slot)
                    if facts.kind == "statement"
                    else account_item(facts.kind, customer, stage, serving.slot)
                )
                yield self._item(
                    note, facts.on, customer, facts.kind, key, facts.channel, None, stage
                )

    def _fees(self, note: FoundNote, facts: NoteFacts, customer: CustomerId) -> Iterator[Served]:
        for serving in facts.fees:
            for invoice in self._of(serving, note):
                key = fee_notice_item(fee_item(invoice, FeeId(serving.name), serving.slot))
                yield self._item(
                    note, facts.on, customer, "fee_notice", key, facts.channel, invoice
                )

    def _left_out(
        self,
        note: FoundNote,
        facts: NoteFacts,
        customer: CustomerId,
        named: set[InvoiceId | None],
    ) -> Iterator[Served]:
        """Invoices that the message may have been about and that the note had no room for."""
        indices = [
            step.index
            for serving in facts.stages
            if (step := self.frame.step_of.get(serving.name)) is not None
        ]
        most = max(indices, default=len(self.frame.steps))
        for invoice in self._candidates(note, customer):
            if invoice.id in named or is_fee_document(invoice) or invoice.issued_on > facts.on:
                continue
            step = self._reached(invoice, facts.on, most)
            if step is not None:
                key = stage_item("reminder", invoice.id, step.id, 1)
                yield self._item(
                    note, facts.on, customer, "reminder", key, facts.channel, invoice.id, step.id
                )

    def _candidates(self, note: FoundNote, customer: CustomerId) -> list[Invoice]:
        if note.invoices:
            return [self.invoices[one] for one in note.invoices if one in self.invoices]
        book = self.frame.book
        payer = book.payer_of(customer)
        return [one for one in book.invoices if book.payer_of(one.customer) == payer]

    def _reached(self, invoice: Invoice, on: date, most: int) -> Step | None:
        """The reminder that the invoice had come to that day, none firmer than the message's."""
        if invoice.due_on is None:
            return None
        triggers = self.frame.dates_of(invoice).triggers
        for step in reversed(self.frame.steps[: most + 1]):
            trigger = triggers[step.index]
            if step.reminds and trigger is not None and trigger <= on:
                return step
        return None

    def _of(self, serving: Serving, note: FoundNote) -> list[InvoiceId]:
        if not serving.invoices:
            return list(note.invoices)
        return [one.id for number in serving.invoices for one in self._numbered(number, note)]

    def _numbered(self, number: str, note: FoundNote) -> list[Invoice]:
        """Invoices of that number: of several, those that the note hangs on, else those of its
        customer."""
        found = self.numbered.get(number, [])
        if len(found) > 1:
            here = [one for one in found if one.id in note.invoices]
            theirs = [one for one in found if one.customer == note.customer]
            return here or theirs or found
        return found

    def _customer(self, note: FoundNote) -> CustomerId | None:
        for one in note.invoices:
            if one in self.invoices:
                return self.invoices[one].customer
        return note.customer

    def _item(
        self,
        note: FoundNote,
        on: date,
        customer: CustomerId,
        kind: str,
        key: ItemKey,
        channel: str = "email",
        invoice: InvoiceId | None = None,
        stage: StageId | None = None,
    ) -> Served:
        return Served(
            on=on,
            kind=kind,
            customer=customer,
            invoice=invoice,
            stage=stage,
            channel=channel,
            key=key,
            message=note.mark if kind in COUNTED_KINDS else "",
            is_found_again=True,
        )


def _slot(item: Served) -> int:
    tail = item.key.rsplit("/", 1)[-1]
    return int(tail) if tail.isdigit() else 1


def _untraced_of_account(step: Step, item: Served) -> Iterator[Served]:
    """Tasks, calls and notifications of a stage of the account that was served."""
    slot = item.key.rsplit("/", 1)[-1]
    for verb in step.internal:
        kind = KIND_OF_VERB[verb]
        if kind not in ("note", item.kind):
            key = account_item(kind, unit_of(item), step.id, slot)
            yield msgspec.structs.replace(item, kind=kind, key=key, channel="", message="")
