"""What a message says of something that the customer undertook: a broken promise, an instalment.

Such messages and tasks come from no stage of the policy; these names stand in its place, in keys
and in the history. No stage of a policy may take them.
"""

from datetime import date
from typing import Final

import msgspec

from rules.model.ids import StageId
from rules.model.money import Minor

BROKEN_PROMISE: Final = StageId("broken-promise")
INSTALMENT: Final = StageId("instalment")
MISSED_INSTALMENT: Final = StageId("missed-instalment")
REVIEW: Final = StageId("review")
PROOF_OF_DEBT: Final = StageId("proof-of-debt")
CREDIT_OVERDUE: Final = StageId("credit-expected")
REPLY: Final = StageId("reply")
BOUNCE: Final = StageId("bounce")

OWN_STAGES: Final[frozenset[str]] = frozenset(
    {
        BROKEN_PROMISE,
        INSTALMENT,
        MISSED_INSTALMENT,
        REVIEW,
        PROOF_OF_DEBT,
        CREDIT_OVERDUE,
        REPLY,
        BOUNCE,
    }
)


class BrokenPromise(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that was not kept, or not in full. Minor units."""

    promised_on: date
    """The day on which it was made."""
    due_on: date
    """The day named in it."""
    promised: Minor
    paid: Minor
    """What came in since."""
    missing: Minor
    nth: int = 1
    """2 for the second broken one of the account: its words are firmer."""


class PartAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The instalment that a message is about. Minor units."""

    due_on: date
    amount: Minor
    paid: Minor
    position: int
    """1 for the first."""
    count: int
    is_missed: bool = False
