"""The shape that every action shares. One file per intent lies beside this one."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

import msgspec

from rules.actions.effects import Effect
from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey, StageId
from rules.model.money import Minor


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing done to one invoice (or, without an invoice, to the account)."""

    key: ItemKey
    kind: str
    invoice: InvoiceId | None = None
    stage: StageId | None = None
    fee: FeeId | None = None


class RenderedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it will be sent. Filled in at sending: pay link, attachments, `Date`."""

    channel: str = "email"
    to: tuple[str, ...]
    """Addresses of the channel; of a letter, the lines of the postal address."""
    cc: tuple[str, ...] = ()
    subject: str
    text: str
    html: str = ""
    language: str = "en"
    also: tuple["RenderedMessage", ...] = ()
    """The same message by other channels: one contact with this one."""


class EffectContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an action needs from outside the rules to say what has to be written."""

    company_id: str
    today: date
    numbers: Mapping[InvoiceId, str]
    """Invoice id to the number that people see."""
    message: RenderedMessage | None = None
    message_domain: str = "ar-bridge.invalid"
    note_limit: int = 250
    fee_account: str = ""
    fee_tax: str = ""
    bad_debt_account: str = ""
    """Where debts written off are booked; empty: a person does it."""
    bad_debt_tax: str = ""
    is_draft: bool = False
    sent_in_vain: int = 0
    """How often this very message went out before and came back."""


class Action(msgspec.Struct, frozen=True, kw_only=True, tag_field="action"):
    """Something ar-bridge intends to do. Subclasses say which effects it takes."""

    kind: ClassVar[str] = ""
    is_customer_facing: ClassVar[bool] = False
    """True: guards and the contact budget bind it. Internal ones are never stopped by them."""

    key: ItemKey
    """Item key of a single item, message key of a message."""
    customer: CustomerId
    """The payer."""
    currency: str = ""
    items: tuple[Item, ...]
    stage: StageId | None = None
    """The highest stage among the items: it chose the template."""
    covers: tuple[InvoiceId, ...] = ()
    """Invoices that an item about a whole account stands for."""
    is_ordered: bool = False
    """A person's own word, not a decision of the rules: it is not decided again before it is
    done, and their word is the approval."""

    @property
    def about(self) -> tuple[InvoiceId, ...]:
        """The invoices that it is about, whether each has an item or one stands for all."""
        named = (item.invoice for item in self.items if item.invoice is not None)
        return tuple(dict.fromkeys((*named, *self.covers)))

    @property
    def amount(self) -> Minor | None:
        """What the action is about in money: a fee's amount, a reminder's open total."""
        return None

    def number(self, company_id: str) -> str:
        """Number of the document that the action creates; empty for none."""
        return ""

    @property
    def fee(self) -> FeeId | None:
        """The fee that is charged, for actions that charge one."""
        return None

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        """The writes that make it true, in order. Internal actions have none."""
        return ()
