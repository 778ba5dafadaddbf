"""Actions that only colleagues see: notes, tasks, calls to make, notifications, credit holds.

Nothing that protects the customer stops them: they are how a person gets to know.
"""

from datetime import date
from typing import ClassVar

from rules.actions.action import Action, EffectContext
from rules.actions.effects import Effect, PostNote, SetHold
from rules.actions.keys import effect_key, note_mark
from rules.model.ids import InvoiceId


class WriteNote(Action, frozen=True, kw_only=True, tag="note"):
    """A note on the invoice in the ledger."""

    kind: ClassVar[str] = "note"

    invoice: InvoiceId
    text: str

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        key = effect_key(self.key, 0, "post_note")
        mark = note_mark(context.company_id, key)
        return (
            PostNote(
                key=key,
                customer=self.customer,
                mark=mark,
                text=f"{mark} {self.text}"[: context.note_limit],
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
    """Tell the person in charge."""

    kind: ClassVar[str] = "notify"


class HandOff(OpenTask, frozen=True, kw_only=True, tag="hand_off"):
    """Give the invoices to a collector or a lawyer: always a person's own decision and deed.

    What protects the customer stops it, like anything that the customer feels.
    """

    kind: ClassVar[str] = "hand_off"
    is_customer_facing: ClassVar[bool] = True


class PlaceCreditHold(Action, frozen=True, kw_only=True, tag="credit_hold"):
    """No more deliveries on credit, until it is released."""

    kind: ClassVar[str] = "credit_hold"

    text: str = ""

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        key = effect_key(self.key, 0, "set_hold")
        return (
            SetHold(
                key=key,
                customer=self.customer,
                is_on=True,
                mark=note_mark(context.company_id, key),
                reason=self.text,
            ),
        )


class ReleaseCreditHold(PlaceCreditHold, frozen=True, kw_only=True, tag="credit_release"):
    """Deliveries on credit may go on."""

    kind: ClassVar[str] = "credit_release"

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        (placed,) = super().effects(context)
        assert isinstance(placed, SetHold)
        return (
            SetHold(
                key=placed.key,
                customer=placed.customer,
                is_on=False,
                mark=placed.mark,
                reason=self.text,
            ),
        )
