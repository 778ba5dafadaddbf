"""Who holds a customer's credit: nobody, we, or somebody in the ledger.

All rules about credit holds ask here, so that a stage and `[credit]` never work against each
other: what one placed, the other sees.
"""

from typing import Final, Literal, TypeAlias

import msgspec

from rules.model.book import Account
from rules.model.history import Served

HOLD_KINDS: Final = ("credit_hold", "credit_release")

UNDONE: Final = "hold_back/"
"""What the key of a release begins with by which a person undid a hold."""

HeldBy: TypeAlias = Literal["us", "ledger"]


class CreditState(msgspec.Struct, frozen=True):
    """How credit stands for an account."""

    by: HeldBy | None = None
    """Who placed the hold that stands; None: credit is free."""
    last: Served | None = None
    """What we did about it last."""
    ever: tuple[Served, ...] = ()
    """All that we did about it, in order."""

    @property
    def is_on_hold(self) -> bool:
        return self.by is not None


def credit_state(account: Account) -> CreditState:
    """What we last did about it; where that is no hold, what the ledger says.

    A hold that only the ledger shows was placed by a person.
    """
    ours = sorted(
        (item for item in account.served if item.kind in HOLD_KINDS),
        key=lambda item: (item.on, item.kind, item.key),
    )
    if ours and ours[-1].kind == "credit_hold":
        return CreditState("us", ours[-1], tuple(ours))
    by: HeldBy | None = None
    # Until the next reading the ledger may still show the hold that we released ourselves.
    if account.payer.is_on_hold and not any(item.state != "done" for item in ours[-1:]):
        by = "ledger"
    return CreditState(by, ours[-1] if ours else None, tuple(ours))
