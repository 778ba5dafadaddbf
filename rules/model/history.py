"""What we did: the part of the book that makes deciding again do nothing."""

from datetime import date, datetime
from typing import Literal, TypeAlias

import msgspec

from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey, StageId
from rules.model.money import Minor

ServedState: TypeAlias = Literal["approved", "unknown", "done", "bounced"]
"""approved: will be done; unknown: may have been done; bounced: did not reach the customer."""

COUNTED_KINDS = frozenset(
    {
        "reminder",
        "statement",
        "fee_notice",
        "discount_offer",
        "plan_offer",
        "deposit_request",
        "call",
    }
)
"""Kinds that use up the contact budget when they go to the customer; of calls those that were
made, which have a channel, not those that are still to be made."""

REPLIED = "reply"
"""Kind of what a customer sent back; nobody counts it."""

WROTE = "wrote"
"""Kind of mail that a person looks at on the day on which it came; it holds nothing. Its stage
says why: `mail-` and the reason or the word that makes it urgent."""

COUNTED_CHANNELS = frozenset({"email", "sms", "letter", "call"})


class Served(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One item of one action of ours: invoice INV-7 was served the stage first-reminder.

    `message` groups the items that travelled together, so that a mail about five invoices
    counts as one contact.
    """

    on: date
    """Local date of the company on which it was, or will be, sent."""
    kind: str
    customer: CustomerId
    invoice: InvoiceId | None = None
    stage: StageId | None = None
    channel: str = ""
    key: ItemKey
    message: str = ""
    state: ServedState = "done"
    sent_at: datetime | None = None
    is_found_again: bool = False
    """Read back from the ledger after our own records were lost."""
    covers: tuple[InvoiceId, ...] = ()
    """Invoices that an item about a whole account stood for; none: that is not known."""

    @property
    def is_contact(self) -> bool:
        """Whether it counts against the contact budget."""
        return (
            self.kind in COUNTED_KINDS
            and self.channel in COUNTED_CHANNELS
            and self.state != "bounced"
        )


class FeePosted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One late fee of ours, posted or on its way."""

    on: date
    invoice: InvoiceId
    customer: CustomerId
    fee: FeeId
    amount: Minor
    currency: str
    through: date
    """Last day that the amount covers."""
    key: ItemKey
    document: str
    """Number of the fee document in the ledger."""
    state: ServedState = "done"
    is_announced: bool = True
    """False where it is known that no message ever told the customer of it."""
    is_found_again: bool = False
    """Read back from the ledger after our own records were lost."""
    corrected: Minor = 0
    """Taken back by a correction of our own, or waived and reinstated: it may be charged again.
    A waiver by a person is not a correction."""
    corrected_on: date | None = None
    """Day of the latest correction or reinstatement."""
    account_key: ItemKey | None = None
    """Key of the charge of the whole account that this is a part of."""

    is_minimum: bool = False
    """What raised a document of the whole account to its minimum: no part of what the fee came
    to on the invoice."""

    @property
    def charge_key(self) -> ItemKey:
        """Key of the charge that posted it: its own, or that of the whole account."""
        return self.account_key or self.key


TakenBack: TypeAlias = Literal["waiver", "correction", "reinstatement"]
"""waiver: a person let the customer off, it is never charged again. correction: it was charged
wrongly, by us. reinstatement: a waiver is undone. What a correction or a reinstatement is about
may be charged again."""


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back of a fee document, wholly or in part.

    In a book the amount of a reinstatement is negative, so that the sum is what is waived, and
    corrections stand with the fees (`FeePosted.corrected`).
    """

    on: date
    document: str
    amount: Minor
    reason: str = ""
    kind: TakenBack = "waiver"
    invoice: InvoiceId | None = None
    """Of a document about a whole account: whose part it is; None: whichever."""
