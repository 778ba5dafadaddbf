"""Fee documents of ours that are left over once the invoices they are about are settled."""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, TypeAlias

from rules.aging import is_open
from rules.frame import Frame
from rules.model.book import Account
from rules.model.history import FeePosted
from rules.model.invoice import Invoice

LeftOver: TypeAlias = Literal["leave", "chase", "propose_waiver"]


class _Day(Protocol):
    @property
    def frame(self) -> Frame: ...
    @property
    def account(self) -> Account: ...


def left_over(day: _Day, document: Invoice) -> LeftOver | None:
    """What the policy says of a fee document whose invoices are all settled; None for any other.

    An invoice that the book no longer holds was settled long ago.
    """
    if not is_open(document):
        return None
    posted = parts_of(day.account.fees).get(document.number)
    if not posted:
        return None
    invoices = {invoice.id: invoice for invoice in day.account.invoices}
    if any(
        fee.state != "done" or (fee.invoice in invoices and is_open(invoices[fee.invoice]))
        for fee in posted
    ):
        return None
    rules = [rule for rule in day.frame.all_fees if posted[0].fee in rule.ids]
    return rules[0].fee.when_principal_paid if rules else "leave"


def parts_of(fees: Iterable[FeePosted]) -> Mapping[str, list[FeePosted]]:
    """What was charged, by the number of its document."""
    found: dict[str, list[FeePosted]] = {}
    for fee in fees:
        found.setdefault(fee.document, []).append(fee)
    return found
