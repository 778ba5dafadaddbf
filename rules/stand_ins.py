"""An account or an estimate in the place of an invoice, for conditions and segments."""

from rules.account_day import AccountDay
from rules.model.estimate import Estimate
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice


def account_as_invoice(day: AccountDay, currency: str) -> Invoice:
    """Nothing but the paying customer: facts about the customer hold, those of an invoice are
    those of an invoice about nothing."""
    return Invoice(
        id=InvoiceId(""),
        number="",
        customer=day.account.payer.id,
        currency=currency,
        issued_on=day.today,
        due_on=None,
        total=0,
        balance=0,
    )


def estimate_as_invoice(estimate: Estimate) -> Invoice:
    """The estimate, as if it had been invoiced on its day."""
    return Invoice(
        id=InvoiceId(estimate.id),
        number=estimate.number or estimate.id,
        customer=estimate.customer,
        currency=estimate.currency,
        issued_on=estimate.on,
        due_on=None,
        total=estimate.total,
        balance=estimate.total,
    )
