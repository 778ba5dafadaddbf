"""Letting a bad debt go: proposed by the policy, decided by a person, booked in the ledger."""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from rules.actions.action import EffectContext
from rules.actions.effects import Effect, PostCredit, PostNote
from rules.actions.internal import OpenTask
from rules.actions.keys import credit_number, credit_tag, effect_key, note_mark
from rules.actions.noted import servings
from rules.actions.notes import NoteFacts, note_text
from rules.model.ids import InvoiceId, ItemKey
from rules.model.money import Minor, format_minor


class WriteOffPart(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be let go of one invoice."""

    key: ItemKey
    invoice: InvoiceId
    number: str
    amount: Minor


class ProposeWriteOff(OpenTask, frozen=True, kw_only=True, tag="write_off_proposal"):
    """Write off what is open on invoices of one customer in one currency.

    Only a person approves it. Where the book names an account and a tax for bad debts, a credit
    note on each invoice then follows; where it does not, the approval leaves a task with
    instructions. A note on the invoices tells it in both cases.
    """

    kind: ClassVar[str] = "write_off_proposal"

    parts: tuple[WriteOffPart, ...]

    @property
    def amount(self) -> Minor | None:
        return sum(part.amount for part in self.parts)

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        return tuple(self._effects(context))

    def _effects(self, context: EffectContext) -> Iterator[Effect]:
        is_booked = bool(context.bad_debt_account and context.bad_debt_tax)
        if is_booked:
            for position, part in enumerate(self.parts):
                yield PostCredit(
                    key=effect_key(self.key, position, "post_credit"),
                    customer=self.customer,
                    number=credit_number("WO-", context.company_id, part.key),
                    currency=self.currency,
                    amount=part.amount,
                    issued_on=context.today,
                    invoice=part.invoice,
                    invoice_number=part.number,
                    description=f"Invoice {part.number} written off",
                    tag=credit_tag(part.invoice, part.key),
                    account=context.bad_debt_account,
                    tax=context.bad_debt_tax,
                )
        key = effect_key(self.key, len(self.parts) if is_booked else 0, "post_note")
        mark = note_mark(context.company_id, key)
        invoices = tuple(part.invoice for part in self.parts)
        stages, _ = servings(self.items, context.numbers, invoices)
        facts = NoteFacts(
            kind=self.kind,
            on=context.today,
            stages=stages,
            amount=self.amount,
            currency=self.currency,
        )
        sum_of_it = f"{self.currency} {format_minor(self.amount or 0, self.currency)}"
        how = "by credit note" if is_booked else "to be booked by hand"
        yield PostNote(
            key=key,
            customer=self.customer,
            mark=mark,
            text=note_text(
                mark,
                f"{context.today} write-off of {sum_of_it} approved, {how}",
                facts,
                context.note_limit,
            ),
            invoices=invoices,
        )
