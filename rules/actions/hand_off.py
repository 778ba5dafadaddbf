"""Giving invoices to a collector or a lawyer."""

from typing import ClassVar, Literal

from rules.actions.action import EffectContext
from rules.actions.effects import Effect, PostNote
from rules.actions.internal import OpenTask
from rules.actions.keys import effect_key, note_mark
from rules.actions.noted import servings
from rules.actions.notes import NoteFacts, note_text
from rules.model.ids import InvoiceId
from rules.model.money import Minor


class HandOff(OpenTask, frozen=True, kw_only=True, tag="hand_off"):
    """Give the invoices to a collector or a lawyer: always a person's own decision.

    What protects the customer stops it, like anything that the customer feels. A note on the
    invoices tells it, so that losing our records never lets us ask for them again.
    """

    kind: ClassVar[str] = "hand_off"
    is_customer_facing: ClassVar[bool] = True

    owed: Minor = 0
    """Open on the invoices together, in minor units."""
    to: Literal["agency", "legal"] = "agency"
    whom: str = ""
    """Name of the agency or law firm."""
    ordinal: int = 1
    """2 for the second hand-off of the customer on that day: that of another currency."""

    @property
    def amount(self) -> Minor | None:
        return self.owed or None

    @property
    def invoices(self) -> tuple[InvoiceId, ...]:
        """What is handed over."""
        return tuple(dict.fromkeys(item.invoice for item in self.items if item.invoice is not None))

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        key = effect_key(self.key, 0, "post_note")
        mark = note_mark(context.company_id, key)
        stages, _ = servings(self.items, context.numbers, self.invoices)
        facts = NoteFacts(
            kind="placement",
            on=context.today,
            ordinal=self.ordinal,
            stages=stages,
            because=self.to,
        )
        text = f"{context.today} handed over to {self.whom or self.to}"
        return (
            PostNote(
                key=key,
                customer=self.customer,
                mark=mark,
                text=note_text(mark, text, facts, context.note_limit),
                invoices=self.invoices,
            ),
        )
