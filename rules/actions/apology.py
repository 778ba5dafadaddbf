"""Undoing what we did: a message that says sorry, and tasks that nobody has to do any more."""

from datetime import date
from typing import ClassVar, Literal, TypeAlias

import msgspec

from rules.actions.action import Action
from rules.actions.messages import SendReminder
from rules.model.ids import InvoiceId, ItemKey
from rules.model.money import Minor

WrongKind: TypeAlias = Literal["message", "invoice", "fee", "hold", "hand_off"]


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that we did to the customer and should not have done."""

    kind: WrongKind
    """A message, the ledger's own invoice sent again, a late fee, a credit hold, a hand-off."""
    on: date
    """When we did it."""
    what: str = ""
    """Subject of the message, number of the fee document or of the invoice, name of the agency."""
    amount: Minor | None = None
    """Of a fee: what is taken back."""
    numbers: tuple[str, ...] = ()
    """Invoices that it was about, as people see them."""


class SendApology(SendReminder, frozen=True, kw_only=True, tag="apology"):
    """Says sorry for what was done by mistake, and that it is taken back. It asks for nothing,
    needs no contact budget, and a person always sees it first."""

    kind: ClassVar[str] = "apology"
    sums_invoices: ClassVar[bool] = False

    wrongs: tuple[Wrong, ...]

    @property
    def amount(self) -> Minor | None:
        return sum(wrong.amount or 0 for wrong in self.wrongs) or None

    @property
    def what(self) -> str:
        return "apology"

    @property
    def noted_on(self) -> tuple[InvoiceId, ...]:
        """The customer: what was wrong has corrections of its own on the invoices."""
        return ()


class CloseTask(Action, frozen=True, kw_only=True, tag="closing"):
    """Take a task, a call or a notification off the worklist: its ground was a mistake."""

    kind: ClassVar[str] = "closing"

    task: ItemKey
    text: str = ""
