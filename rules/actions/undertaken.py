"""What a message says of something that the customer undertook: a broken promise, an instalment,
a payment that came back."""

from datetime import date

import msgspec

from rules.model.money import Minor


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


class ReturnedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that came back. Minor units."""

    paid_on: date
    amount: Minor
    returned_on: date
    is_sure: bool = True
    """False where the ledger only says that the payment is gone."""


class PartAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The instalment that a message is about. Minor units."""

    due_on: date
    amount: Minor
    paid: Minor
    position: int
    """1 for the first."""
    count: int
    is_missed: bool = False
