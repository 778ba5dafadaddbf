"""Messages that ask for nothing: thanks for a payment, and that somebody's word was taken down."""

from datetime import date
from typing import ClassVar, Literal, TypeAlias

import msgspec

from rules.actions.messages import SendReminder
from rules.model.ids import InvoiceId
from rules.model.money import Minor

WordKind: TypeAlias = Literal["promise", "dispute", "instalments"]


class SendThanks(SendReminder, frozen=True, kw_only=True, tag="thanks"):
    """Thanks for a payment: what came in and when, what it settled, what is still open.

    `qualified` are the invoices that it settled; nothing is asked for on them.
    """

    kind: ClassVar[str] = "thanks"

    received: Minor
    """What came in, over all payments that settled these invoices."""
    received_on: date
    """Day of the last of them."""
    still_open: Minor = 0
    """What the account owes besides, credit deducted."""
    still_overdue: Minor = 0

    @property
    def amount(self) -> Minor | None:
        return self.received

    @property
    def what(self) -> str:
        return f"thanks {self.stage}"


class PlannedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment, agreed or offered."""

    due_on: date
    amount: Minor


class Acknowledge(SendReminder, frozen=True, kw_only=True, tag="acknowledgement"):
    """Tells the customer that a promise, a dispute or a payment plan was taken down, and what
    follows from it. It demands nothing."""

    kind: ClassVar[str] = "acknowledgement"

    word: WordKind
    said_on: date
    said_amount: Minor | None = None
    """Promised, disputed or agreed in all; None: the whole."""
    until: date | None = None
    """The promised day, or that of the last instalment."""
    waits_until: date | None = None
    """Last day on which reminders wait for it."""
    parts: tuple[PlannedPart, ...] = ()
    owner: str = ""
    """Who handles it."""
    answer_by: date | None = None
    """When the customer hears of it again, for a dispute."""

    @property
    def amount(self) -> Minor | None:
        return self.said_amount if self.said_amount is not None else self.total

    @property
    def what(self) -> str:
        return f"{self.word} acknowledged"

    @property
    def noted_on(self) -> tuple[InvoiceId, ...]:
        """The customer: the word itself stands on the invoices already."""
        return ()


class OfferPlan(SendReminder, frozen=True, kw_only=True, tag="plan_offer"):
    """Offers instalments for what is owed, with their days and amounts."""

    kind: ClassVar[str] = "plan_offer"

    parts: tuple[PlannedPart, ...]
    answer_by: date
    """Until then the offer stands."""
