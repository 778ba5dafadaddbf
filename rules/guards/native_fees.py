"""Late fees that the ledger charges by itself: ours would be a second fee for the same delay.

Asked when a fee is about to be charged; a fee that was charged before is still announced.
"""

from typing import Final

from rules.guards.base import REVIEW_AFTER, Case, Hold, hold
from rules.model.money import format_minor
from rules.policy.fee import Fee

LEDGERS: Final = {"quickbooks": "QuickBooks", "xero": "Xero"}


def native_late_fees(case: Case, fee: Fee) -> Hold | None:
    """No fee of ours where the ledger's own are switched on, or where the invoice carries lines
    of somebody else's, unless the policy says that this was looked at.

    Where nobody can tell whether they are switched on, the lines on the invoice decide.
    """
    if case.frame.policy.native_late_fees == "off-confirmed":
        return None
    invoice, name = case.invoice, ("fee", fee.name or fee.id)
    if invoice.fee_lines > 0:
        return hold(
            "native_late_fees",
            ("carries", invoice.number),
            ("amount", f"{format_minor(invoice.fee_lines, invoice.currency)} {invoice.currency}"),
            name,
            review_on=(invoice.due_on or invoice.issued_on) + REVIEW_AFTER,
        )
    company = case.frame.book.company
    if company.native_late_fees:
        ledger = LEDGERS.get(company.ledger, "the ledger")
        return hold("native_late_fees", ("ledger", ledger), name, review_on=case.today)
    return None
