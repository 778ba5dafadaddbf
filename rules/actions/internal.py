"""Actions that only colleagues see: notes, tasks, calls to make, notifications, credit holds.

Nothing that protects the customer stops them: they are how a person gets to know.
"""

from datetime import date
from typing import ClassVar

from rules.actions.action import Action, EffectContext
from rules.actions.effects import Effect, PostNote, SetHold
from rules.actions.keys import effect_key, note_mark
from rules.actions.noted import servings
from rules.actions.notes import NoteFacts, machine_part, note_text
from rules.model.ids import InvoiceId


class WriteNote(Action, frozen=True, kw_only=True, tag="note"):
    """A note on the invoice in the ledger."""

    kind: ClassVar[str] = "note"

    invoice: InvoiceId
    text: str

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        key = effect_key(self.key, 0, "post_note")
        mark = note_mark(context.company_id, key)
        stages, _ = servings(self.items, context.numbers, (self.invoice,))
        facts = NoteFacts(kind=self.kind, on=context.today, stages=stages)
        return (
            PostNote(
                key=key,
                customer=self.customer,
                mark=mark,
                text=note_text(mark, self.text, facts, context.note_limit),
                invoices=(self.invoice,),
            ),
        )


class OpenTask(Action, frozen=True, kw_only=True, tag="task"):
    """Something for a person to do, on the worklist."""

    kind: ClassVar[str] = "task"

    text: str
    due_on: date | None = None
    owner: str = ""


class MakeCall(OpenTask, frozen=True, kw_only=True, tag="call"):
    """A call for a person to make, with its script."""

    kind: ClassVar[str] = "call"


class NotifyOwner(OpenTask, frozen=True, kw_only=True, tag="notify"):
    """Tell the person in charge: by mail where one has an address, and on the worklist.

    Besides `text`, which says all of it in one line, the parts of which a mail is made.
    """

    kind: ClassVar[str] = "notify"

    email: str = ""
    """Where it goes; empty: to the worklist only."""
    name: str = ""
    """How the person is greeted."""
    title: str = ""
    """What happened."""
    customer_name: str = ""
    told: tuple[str, ...] = ()
    """The invoices, each with its number, amount and days late."""
    asked: str = ""
    """What the person is asked to do."""


class PlaceCreditHold(Action, frozen=True, kw_only=True, tag="credit_hold"):
    """No more deliveries on credit, until it is released.

    A note on the invoice tells why and since when: in a ledger where the hold is no more than a
    membership in a group, nothing else does.
    """

    kind: ClassVar[str] = "credit_hold"
    is_on: ClassVar[bool] = True

    text: str = ""

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        key = effect_key(self.key, 0, "set_hold")
        note_key = effect_key(self.key, 1, "post_note")
        note = note_mark(context.company_id, note_key)
        invoices = self.about
        stages, _ = servings(self.items, context.numbers, invoices)
        facts = NoteFacts(kind=self.kind, on=context.today, stages=stages)
        what = "credit hold" if self.is_on else "credit hold released"
        return (
            SetHold(
                key=key,
                customer=self.customer,
                is_on=self.is_on,
                mark=note_mark(context.company_id, key),
                reason=f"{self.text} {machine_part(facts)}".strip(),
            ),
            PostNote(
                key=note_key,
                customer=self.customer,
                mark=note,
                text=note_text(note, f"{what}: {self.text}", facts, context.note_limit),
                invoices=invoices,
            ),
        )


class ReleaseCreditHold(PlaceCreditHold, frozen=True, kw_only=True, tag="credit_release"):
    """Deliveries on credit may go on."""

    kind: ClassVar[str] = "credit_release"
    is_on: ClassVar[bool] = False
