"""Letting a customer off a late fee: the document is taken back in the ledger."""

from typing import ClassVar, Final

from rules.actions.action import Action, EffectContext
from rules.actions.effects import Effect, PostNote, ReverseCharge
from rules.actions.keys import effect_key, note_mark
from rules.actions.notes import NoteFacts, note_text
from rules.model.ids import InvoiceId
from rules.model.money import Minor, format_minor

OURS: Final = "ours"
"""Stands in the note of a correction of our own."""


REINSTATED: Final = "reinstated"
"""Kind of the note that undoes a waiver."""


class WaiveLateFee(Action, frozen=True, kw_only=True, tag="fee_waiver"):
    """Take a fee document back, wholly or in part, and say so on the invoice it was about."""

    kind: ClassVar[str] = "fee_waiver"

    invoice: InvoiceId
    document: str
    """Number of the fee document."""
    document_id: str
    waived: Minor
    is_whole: bool = True
    """All that is open of it; else `waived` of it."""
    reason: str = ""
    is_reverted: bool = False
    """A person undoes what was done: let off from the day on which they approve it."""
    is_correction: bool = False
    """It was charged wrongly, by us, and may be charged again where it is owed after all. Else it
    is let off, and never charged again."""

    @property
    def amount(self) -> Minor | None:
        return self.waived

    def number(self, company_id: str) -> str:
        return self.document

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        note_key = effect_key(self.key, 1, "post_note")
        mark = note_mark(context.company_id, note_key)
        sum_of_it = f"{self.currency} {format_minor(self.waived, self.currency)}"
        why = f": {self.reason}" if self.reason else ""
        done = "taken back" if self.is_correction else "waived"
        facts = NoteFacts(
            kind=self.kind,
            on=context.today,
            document=self.document,
            amount=self.waived,
            currency=self.currency,
            because=OURS if self.is_correction else "",
        )
        return (
            ReverseCharge(
                key=effect_key(self.key, 0, "reverse_charge"),
                customer=self.customer,
                number=self.document,
                document_id=self.document_id,
                currency=self.currency,
                amount=None if self.is_whole else self.waived,
                reason=f"Late fee {self.document} {done}{why}",
            ),
            PostNote(
                key=note_key,
                customer=self.customer,
                mark=mark,
                text=note_text(
                    mark,
                    f"{context.today.isoformat()} late fee {self.document} {done}, "
                    f"{sum_of_it}{why}",
                    facts,
                    context.note_limit,
                ),
                invoices=(self.invoice,),
            ),
        )


class ReinstateLateFee(Action, frozen=True, kw_only=True, tag="fee_reinstated"):
    """Undo a waiver: what was let off may be charged again, as a document of its own. Nothing of
    the old document changes; a note on the invoice keeps the person's word."""

    kind: ClassVar[str] = "note"

    invoice: InvoiceId
    document: str
    """Number of the fee document that was waived."""
    reinstated: Minor
    reason: str = ""

    @property
    def amount(self) -> Minor | None:
        return self.reinstated

    def number(self, company_id: str) -> str:
        return self.document

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        key = effect_key(self.key, 0, "post_note")
        mark = note_mark(context.company_id, key)
        why = f": {self.reason}" if self.reason else ""
        facts = NoteFacts(
            kind=REINSTATED,
            on=context.today,
            document=self.document,
            amount=self.reinstated,
            currency=self.currency,
        )
        text = (
            f"{context.today.isoformat()} waiver of late fee {self.document} undone, "
            f"{self.currency} {format_minor(self.reinstated, self.currency)} may be charged "
            f"again{why}"
        )
        return (
            PostNote(
                key=key,
                customer=self.customer,
                mark=mark,
                text=note_text(mark, text, facts, context.note_limit),
                invoices=(self.invoice,),
            ),
        )
