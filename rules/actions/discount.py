"""Early payment discounts: the offer, and the credit once the payment came in time."""

from datetime import date
from typing import ClassVar

from rules.actions.action import Action, EffectContext
from rules.actions.effects import Effect, PostCredit, PostNote
from rules.actions.keys import credit_number, credit_tag, effect_key, note_mark
from rules.actions.messages import SendReminder
from rules.actions.noted import servings
from rules.actions.notes import NoteFacts, note_text
from rules.model.ids import InvoiceId
from rules.model.money import Minor, format_minor


class OfferDiscount(SendReminder, frozen=True, kw_only=True, tag="discount_offer"):
    """Tells the customer what may be deducted, and until when."""

    kind: ClassVar[str] = "discount_offer"

    @property
    def what(self) -> str:
        return "discount offer"


class CreditDiscount(Action, frozen=True, kw_only=True, tag="discount"):
    """Credit a discount that was earned: a credit note, applied to the invoice."""

    kind: ClassVar[str] = "discount"

    invoice: InvoiceId
    invoice_number: str
    name: str
    credited: Minor
    paid_on: date
    """Day of the payment that earned it."""
    until: date
    """Last day on which it could be had."""
    account: str = ""
    tax: str = ""

    @property
    def amount(self) -> Minor | None:
        return self.credited

    def number(self, company_id: str) -> str:
        return credit_number("DC-", company_id, self.key)

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        note_key = effect_key(self.key, 1, "post_note")
        mark = note_mark(context.company_id, note_key)
        stages, _ = servings(self.items, context.numbers, (self.invoice,))
        facts = NoteFacts(
            kind=self.kind,
            on=context.today,
            stages=stages,
            amount=self.credited,
            currency=self.currency,
        )
        sum_of_it = f"{self.currency} {format_minor(self.credited, self.currency)}"
        return (
            PostCredit(
                key=effect_key(self.key, 0, "post_credit"),
                customer=self.customer,
                number=credit_number("DC-", context.company_id, self.key),
                currency=self.currency,
                amount=self.credited,
                issued_on=context.today,
                invoice=self.invoice,
                invoice_number=self.invoice_number,
                description=f"{self.name} on invoice {self.invoice_number}, paid {self.paid_on}",
                tag=credit_tag(self.invoice, self.key),
                account=self.account,
                tax=self.tax,
            ),
            PostNote(
                key=note_key,
                customer=self.customer,
                mark=mark,
                text=note_text(
                    mark,
                    f"{context.today.isoformat()} {self.name} of {sum_of_it} credited: paid on "
                    f"{self.paid_on.isoformat()}, until {self.until.isoformat()} was in time",
                    facts,
                    context.note_limit,
                ),
                invoices=(self.invoice,),
            ),
        )
