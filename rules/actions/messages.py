"""Actions that send a message to the customer."""

from datetime import date
from typing import ClassVar

from rules.actions.action import Action, EffectContext, RenderedMessage
from rules.actions.effects import AttachFile, Effect, PostNote, SendMessage
from rules.actions.fee_claim import FeeClaim
from rules.actions.keys import effect_key, message_id, note_mark
from rules.actions.noted import servings
from rules.actions.notes import NoteFacts, note_text
from rules.actions.undertaken import BrokenPromise, PartAsked, ReturnedPayment
from rules.model.ids import InvoiceId, ItemKey
from rules.model.money import Minor, format_minor


class SendReminder(Action, frozen=True, kw_only=True, tag="reminder"):
    """One message to one customer in one currency, about every invoice that is due a stage.

    Effects: the message, then a note in the ledger that says it was sent, because what we did
    has to be found again there.
    """

    kind: ClassVar[str] = "reminder"
    is_customer_facing: ClassVar[bool] = True
    sums_invoices: ClassVar[bool] = True
    """False where `total` is no sum of invoices."""

    template: str
    channel: str = "email"
    also_by: tuple[str, ...] = ()
    """Further channels by which the same message goes, as far as they reach the customer."""
    fallback: tuple[str, ...] = ()
    """Channels that are tried, in this order, where none of those reaches the customer."""
    signed_by: str = ""
    """Name under the message; empty: as the settings say."""
    roles: tuple[str, ...] = ("billing",)
    cc_roles: tuple[str, ...] = ()
    is_formal: bool = False
    deadline_days: int | None = None
    qualified: tuple[InvoiceId, ...]
    """Invoices that are served a stage: the total is theirs."""
    also_open: tuple[InvoiceId, ...] = ()
    """Other open invoices of the same currency, listed for information."""
    set_aside: tuple[tuple[InvoiceId, Minor], ...] = ()
    """Disputed and withheld parts of listed invoices, which the message does not ask for."""
    aside_as: tuple[tuple[InvoiceId, str, Minor], ...] = ()
    """The same by why: disputed, withheld, or credit for a credit note on its way."""
    fees: tuple[ItemKey, ...] = ()
    """Late fees that this message announces, most of them of the same day; it goes out after
    them."""
    announced: Minor = 0
    """Sum of those fees."""
    claims: tuple[FeeClaim, ...] = ()
    """Fees that a formal message claims and that are never posted."""
    total: Minor
    """Sum of what is open on `qualified`, less what is set aside, less `unapplied`."""
    unapplied: Minor = 0
    discounts: tuple[tuple[InvoiceId, Minor, date], ...] = ()
    """Early payment discounts that the message mentions: what may be deducted, and the last day."""
    letter_on: tuple[InvoiceId, ...] = ()
    """Invoices on which the ledger keeps a copy of the message."""
    enclosed: tuple[InvoiceId, ...] = ()
    """Invoices of which a copy, as the ledger prints it, travels with the message."""
    with_statement: bool = False
    """A statement of the account travels with the message."""
    broken: BrokenPromise | None = None
    """A promise about these invoices that was not kept, where the customer has not heard so."""
    returned: tuple[ReturnedPayment, ...] = ()
    """Payments that came back, where a stage for that is served."""
    part: PartAsked | None = None
    """The instalment that is asked for, where the message is about a payment plan."""

    @property
    def amount(self) -> Minor | None:
        return self.total

    @property
    def claimed(self) -> Minor:
        """Sum of the claims: asked for on top of the total, and no part of the ledger."""
        return sum(claim.amount for claim in self.claims)

    @property
    def what(self) -> str:
        """What the note in the ledger calls it."""
        return f"{self.kind.replace('_', ' ')} {self.stage}" if self.stage else "fee notice"

    @property
    def noted_on(self) -> tuple[InvoiceId, ...]:
        """Invoices that the note hangs on; none: it hangs on the customer."""
        return self.qualified

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        message = context.message
        if message is None:
            raise ValueError(f"{self.key} has no rendered message")
        send_key = effect_key(self.key, 0, "send_message")
        note_key = effect_key(self.key, 1, "post_note")
        mark = note_mark(context.company_id, note_key)
        ways = [message.channel, *(each.channel for each in message.also)]
        numbers = ", ".join(context.numbers.get(i, i) for i in self.qualified)
        text = (
            f"{context.today.isoformat()} {self.what} by {' and '.join(ways)} to "
            f"{', '.join(message.to)}: {numbers or 'the account'} ({self.currency} "
            f"{format_minor(self.amount or 0, self.currency)})"
        )
        stages, fees = servings(self.items, context.numbers, self.noted_on)
        facts = NoteFacts(
            kind=self.kind, on=context.today, channel=message.channel, stages=stages, fees=fees
        )
        return (
            self._sent(context, message, send_key),
            PostNote(
                key=note_key,
                customer=self.customer,
                mark=mark,
                text=note_text(mark, text, facts, context.note_limit),
                invoices=self.noted_on,
            ),
            *(
                self._letter(context, message, position, invoice)
                for position, invoice in enumerate(self.letter_on, start=2)
            ),
            *(
                self._sent(context, other, effect_key(self.key, position, "send_message"))
                for position, other in enumerate(message.also, start=2 + len(self.letter_on))
            ),
        )

    def _sent(self, context: EffectContext, message: RenderedMessage, key: str) -> SendMessage:
        """The message by one channel; by a further one it is left out where that refuses it."""
        return SendMessage(
            key=key,
            customer=self.customer,
            is_optional=message is not context.message,
            channel=message.channel,
            to=message.to,
            cc=message.cc,
            subject=message.subject,
            text=message.text,
            html=message.html,
            message_id=message_id(
                f"{context.company_id}|{key}", context.message_domain, context.sent_in_vain
            ),
            invoices=self.qualified,
        )

    def _letter(
        self, context: EffectContext, message: RenderedMessage, position: int, invoice: InvoiceId
    ) -> AttachFile:
        """The message as it was sent, under a name that finds it again."""
        key = effect_key(self.key, position, "attach_file")
        name = f"arb-{note_mark(context.company_id, key)[5:-1]}"
        is_html = bool(message.html)
        return AttachFile(
            key=key,
            customer=self.customer,
            is_optional=True,
            invoice=invoice,
            filename=f"{name}.html" if is_html else f"{name}.txt",
            content_type=f"text/{'html' if is_html else 'plain'}",
            content=(message.html or message.text).encode(),
        )


class SendFeeNotice(SendReminder, frozen=True, kw_only=True, tag="fee_notice"):
    """Tells the customer of late fees on a day when no reminder does."""

    kind: ClassVar[str] = "fee_notice"

    @property
    def amount(self) -> Minor | None:
        return self.announced
