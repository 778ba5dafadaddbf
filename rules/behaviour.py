"""How a customer pays: the figures behind "usually nine days late".

An invoice counts once it is paid in full, with the day of its last payment; one that was only
credited tells nothing. Days late are days after the due date.

    average days late   sum of max(0, days late) / number of invoices
    weighted days late  sum of total * max(0, days late) / sum of totals, in one currency
    usual days late     median of days late; negative where invoices are usually paid early
    paid late           share of invoices that were paid after their due date, in percent

Whole numbers, halves away from zero. The window is the year before the day that is asked about;
what was paid before the book was connected is not known.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from rules.aging import is_fee_document
from rules.model.credit import CreditNote
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.payment import Payment
from rules.model.settled import Settled

WINDOW: Final = timedelta(days=365)
"""How far back behaviour looks."""

_CASH: Final = frozenset({"overpayment", "prepayment"})
"""Credits that are money of the customer's, used for an invoice."""


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """How the invoices of one account were paid. None: no invoice tells."""

    invoices_paid: int
    average_days_late: int | None
    usual_days_late: int | None
    paid_late_percent: int | None


def settled_invoices(
    invoices: Iterable[Invoice], payments: Iterable[Payment], credits: Iterable[CreditNote]
) -> list[Settled]:
    """The invoices among these that were paid in full, fee documents apart."""
    paid_on: dict[InvoiceId, date] = {}
    for payment in payments:
        if payment.reversed_on is None:
            for part in payment.allocations:
                paid_on[part.invoice] = max(paid_on.get(part.invoice, date.min), payment.on)
    for credit in credits:
        if credit.kind in _CASH:
            for part in credit.allocations:
                on = part.on or credit.on
                paid_on[part.invoice] = max(paid_on.get(part.invoice, date.min), on)
    return [
        Settled(
            invoice=invoice.id,
            customer=invoice.customer,
            currency=invoice.currency,
            total=invoice.total,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            paid_on=paid_on[invoice.id],
        )
        for invoice in invoices
        if invoice.status == "paid" and invoice.id in paid_on and not is_fee_document(invoice)
    ]


def behaviour(settled: Iterable[Settled], today: date) -> Behaviour:
    """The figures over the year before `today`."""
    late = [(one, days) for one in settled if (days := _days_late(one, today)) is not None]
    return Behaviour(
        invoices_paid=len(late),
        average_days_late=_rounded(sum(max(0, days) for _, days in late), len(late)),
        usual_days_late=_median(sorted(days for _, days in late)),
        paid_late_percent=_rounded(100 * sum(days > 0 for _, days in late), len(late)),
    )


def weighted_days_late(settled: Iterable[Settled], currency: str, today: date) -> int | None:
    """Average days late in one currency, large invoices counting for more."""
    found = [
        (one.total, max(0, days))
        for one in settled
        if one.currency == currency and (days := _days_late(one, today)) is not None
    ]
    return _rounded(sum(total * days for total, days in found), sum(total for total, _ in found))


def _days_late(one: Settled, today: date) -> int | None:
    """None for what is outside the window or had no due date."""
    if one.due_on is None or not today - WINDOW <= one.paid_on <= today:
        return None
    return (one.paid_on - one.due_on).days


def _median(days: Sequence[int]) -> int | None:
    middle = len(days) // 2
    if len(days) % 2:
        return days[middle]
    return _rounded(days[middle - 1] + days[middle], 2) if days else None


def _rounded(sum_of: int, parts: int) -> int | None:
    if not parts:
        return None
    exact = Fraction(sum_of, parts)
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole
