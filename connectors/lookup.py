"""Names in the ledger's own lists that settings and policies give, looked up beforehand."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

ListKind: TypeAlias = Literal["account", "tax"]
"""account: where a line is booked, an account code (Xero) or a product or service (QuickBooks)."""


class LedgerName(msgspec.Struct, frozen=True):
    """One name, and the key under which it was given."""

    kind: ListKind
    name: str
    key: str
    """For sentences, such as `bad_debt_account of the book`."""


@runtime_checkable
class LooksUpNames(Protocol):
    """A connector that says beforehand which names its ledger would refuse."""

    def trouble_with(self, names: Sequence[LedgerName]) -> Sequence[str]:
        """One sentence for each name, in their order: why it cannot be used, and what there is
        instead; empty where it can, and where the ledger does not let us look."""
        ...
