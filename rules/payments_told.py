"""Payments that came back, as a message tells of them."""

from collections.abc import Iterable

from rules.account_day import AccountDay
from rules.actions.undertaken import ReturnedPayment
from rules.model.ids import PaymentId
from rules.model.invoice import Invoice


def payments_returned(day: AccountDay, invoices: Iterable[Invoice]) -> tuple[ReturnedPayment, ...]:
    """The payments of these invoices that came back last, each once, in order of that day."""
    found: dict[PaymentId, ReturnedPayment] = {}
    for invoice in invoices:
        last = day.returned_on.get(invoice.id)
        if last is None:
            continue
        for payment in day.payments_of(invoice):
            if payment.reversed_on == last and payment.currency == invoice.currency:
                found[payment.id] = ReturnedPayment(
                    paid_on=payment.on,
                    amount=payment.amount,
                    returned_on=last,
                    is_sure=payment.is_return_known,
                )
    in_order = sorted(found.items(), key=lambda one: (one[1].returned_on, one[1].paid_on, one[0]))
    return tuple(payment for _, payment in in_order)
