"""What is done with an invoice in the ledger itself: mailed again, a file attached to it."""

from typing import ClassVar

from rules.actions.action import Action, EffectContext
from rules.actions.effects import AttachFile, Effect, PostNote, SendLedgerInvoice
from rules.actions.keys import effect_key, note_mark
from rules.actions.noted import servings
from rules.actions.notes import NoteFacts, note_text
from rules.model.ids import InvoiceId


class SendInvoice(Action, frozen=True, kw_only=True, tag="send_invoice"):
    """Have the ledger mail its own invoice: the remedy for one that was never sent.

    The mail is the ledger's and demands nothing more than the invoice does, so it uses up no
    contact budget; what protects the customer stops it all the same.
    """

    kind: ClassVar[str] = "send_invoice"
    is_customer_facing: ClassVar[bool] = True

    invoice: InvoiceId

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        note_key = effect_key(self.key, 1, "post_note")
        mark = note_mark(context.company_id, note_key)
        stages, _ = servings(self.items, context.numbers, (self.invoice,))
        number = context.numbers.get(self.invoice, self.invoice)
        return (
            SendLedgerInvoice(
                key=effect_key(self.key, 0, "send_ledger_invoice"),
                customer=self.customer,
                invoice=self.invoice,
            ),
            PostNote(
                key=note_key,
                customer=self.customer,
                mark=mark,
                text=note_text(
                    mark,
                    f"{context.today.isoformat()} invoice {number} mailed from the ledger",
                    NoteFacts(kind=self.kind, on=context.today, stages=stages),
                    context.note_limit,
                ),
                invoices=(self.invoice,),
            ),
        )


class AttachDocument(Action, frozen=True, kw_only=True, tag="attachment"):
    """Put a file on an invoice, for colleagues, with a note that says why."""

    kind: ClassVar[str] = "attachment"

    invoice: InvoiceId
    filename: str
    content_type: str
    content: bytes
    reason: str = ""

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        note_key = effect_key(self.key, 1, "post_note")
        mark = note_mark(context.company_id, note_key)
        why = f": {self.reason}" if self.reason else ""
        return (
            AttachFile(
                key=effect_key(self.key, 0, "attach_file"),
                customer=self.customer,
                invoice=self.invoice,
                filename=self.filename,
                content_type=self.content_type,
                content=self.content,
            ),
            PostNote(
                key=note_key,
                customer=self.customer,
                mark=mark,
                text=note_text(
                    mark,
                    f"{context.today.isoformat()} {self.filename} attached{why}",
                    NoteFacts(kind=self.kind, on=context.today),
                    context.note_limit,
                ),
                invoices=(self.invoice,),
            ),
        )
