"""The short cut for the many invoices of which nothing is due: everything was done before."""

from rules.actions.keys import fee_item
from rules.frame import Dates, Frame
from rules.model.book import Account
from rules.model.invoice import Invoice


class DoneBefore:
    """What was done to an account, ready to be asked about invoice by invoice."""

    __slots__ = ("_after_history", "_charged", "_done")

    def __init__(self, frame: Frame, account: Account) -> None:
        self._after_history = frame.after_history
        self._done = {
            (item.invoice, item.stage, item.kind)
            for item in account.served
            if item.state != "bounced"
        }
        self._charged = {fee.key for fee in account.fees if not fee.corrected}
        """Keys of fees that stand as they were charged."""

    def is_all(self, invoice: Invoice, dates: Dates) -> bool:
        """Whether everything whose day has come was done. False also where it takes a closer
        look."""
        if not dates.is_plain or invoice.sent is not True or invoice.pays_by_itself:
            return False
        done, name = self._done, invoice.id
        for stage, kind in dates.needed:
            if (name, stage, kind) not in done:
                return False
        for fee, slot in dates.charged:
            if fee_item(name, fee, slot) not in self._charged:
                return False
        if not self._after_history:
            return True
        return all((name, stage, kind) not in done for stage, kind in self._after_history)
