"""What a decision is: an act or a skip, both with their reasons. Doing nothing is a result too."""

from datetime import date
from typing import TypeAlias

import msgspec

from rules.actions.action import Action
from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey, StageId


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason: a code of the closed list in `rules.explain` and the facts it speaks of.

    The sentence is made on demand, because a run states hundreds of thousands of reasons and
    people read a few.
    """

    code: str
    facts: tuple[tuple[str, str], ...] = ()


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do. `send_on` is a local date of the company; the planner, which has a
    clock, turns it into an instant."""

    action: Action
    reasons: tuple[Reason, ...]
    send_on: date
    mode: str
    """Strictest of the policy's and the stage's or fee's mode; the book's is added later."""


class Skip(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something not done. Every overdue invoice without an act has one."""

    customer: CustomerId
    invoice: InvoiceId | None = None
    stage: StageId | None = None
    fee: FeeId | None = None
    key: ItemKey | None = None
    """The item that would have been done, where there is one."""
    code: str
    """`not_due` says only when to look again; any other code is a ground to wait."""
    reasons: tuple[Reason, ...] = ()
    next_on: date | None = None
    """The day on which it should be decided again."""
    review_on: date | None = None
    """The day on which a person should look, for a wait that has no natural end."""


Decision: TypeAlias = Act | Skip
