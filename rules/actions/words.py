"""What people told us, said in the ledger too: it outlives our own records."""

from datetime import date
from typing import ClassVar

import msgspec

from rules.actions.action import Action, EffectContext
from rules.actions.effects import Effect, PostNote, SetExpectedDate
from rules.actions.keys import effect_key, note_mark
from rules.actions.notes import NoteFacts, note_text
from rules.model.ids import InvoiceId


class RecordWord(Action, frozen=True, kw_only=True, tag="word"):
    """A promise, dispute, pause, stop or the end of one, as a note on the invoices it is about or
    on the customer.

    A promise to pay one untouched invoice may also set the day on which the ledger expects the
    money; where the ledger refuses that, the note says it all the same.
    """

    kind: ClassVar[str] = "note"

    text: str
    facts: NoteFacts
    """Without numbers of invoices: they are named where the note hangs on the customer."""
    invoices: tuple[InvoiceId, ...] = ()
    expected_on: date | None = None

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        key = effect_key(self.key, 0, "post_note")
        mark = note_mark(context.company_id, key)
        facts = named(self.facts, self.invoices, context)
        note = PostNote(
            key=key,
            customer=self.customer,
            mark=mark,
            text=note_text(mark, self.text, facts, context.note_limit),
            invoices=self.invoices,
        )
        if self.expected_on is None or len(self.invoices) != 1:
            return (note,)
        return (
            note,
            SetExpectedDate(
                key=effect_key(self.key, 1, "set_expected_date"),
                customer=self.customer,
                is_optional=True,
                invoice=self.invoices[0],
                on=self.expected_on,
            ),
        )


def named(facts: NoteFacts, invoices: tuple[InvoiceId, ...], context: EffectContext) -> NoteFacts:
    """The facts with the numbers of several invoices; one alone is told by the note's place."""
    if len(invoices) < 2:
        return facts
    numbers = tuple(context.numbers.get(invoice, invoice) for invoice in invoices)
    return msgspec.structs.replace(facts, invoices=numbers)
