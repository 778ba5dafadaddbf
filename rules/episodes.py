"""When invoices were settled or a payment of them came back, and since when an account owes
something late: the stretch of days that one run of the account's ladder lasts."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from rules.aging import is_fee_document, is_open
from rules.fees.caps import nominal
from rules.frame import ONE_DAY
from rules.model.book import Account, Book
from rules.model.credit import CreditKind
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice

_CASH: Final[frozenset[CreditKind]] = frozenset({"overpayment", "prepayment"})
"""Credits that are money the customer paid."""


def settlements(account: Account, today: date) -> Mapping[InvoiceId, date]:
    """The day of the last payment or credit that reduced each invoice."""
    found: dict[InvoiceId, date] = {}
    standing = (p for p in account.payments if p.reversed_on is None or p.reversed_on > today)
    dated = [(payment.on, payment.allocations) for payment in standing]
    dated += [(credit.on, credit.allocations) for credit in account.credits]
    for document_on, parts in dated:
        for part in parts:
            on = part.on or document_on
            last = found.get(part.invoice)
            if last is None or on > last:
                found[part.invoice] = on
    return found


CLOSED_FOR: Final = timedelta(days=45)
"""An invoice that was paid late still owes what accrued until then. That is charged while the
payment is this recent; what nobody charged for longer is let go."""


def owes_fees_after(due_on: date, last: tuple[date, date], today: date) -> bool:
    """Whether a paid invoice can still owe a fee: paid late, and not long ago. `last` are the days
    on which its last money came, and was applied."""
    came_on, applied_on = last
    return came_on > due_on and applied_on + CLOSED_FOR >= today


def last_payments(account: Account | Book, today: date) -> Mapping[InvoiceId, tuple[date, date]]:
    """The last day on which money for each invoice came in, and the last on which some was
    applied; what has come back does not count."""
    found: dict[InvoiceId, tuple[date, date]] = {}

    for payment in account.payments:
        if payment.reversed_on is None or payment.reversed_on > today:
            on = payment.on
            for part in payment.allocations:
                last = found.get(part.invoice)
                if last is None:
                    found[part.invoice] = (on, on)
                elif last[0] < on or last[1] < on:
                    found[part.invoice] = (max(last[0], on), max(last[1], on))
    for credit in account.credits:
        if credit.kind in _CASH:
            for part in credit.allocations:
                applied = part.on or credit.on
                came_on, applied_on = found.get(part.invoice, (credit.on, applied))
                found[part.invoice] = (max(came_on, credit.on), max(applied_on, applied))
    return found


def returns(account: Account, today: date) -> Mapping[InvoiceId, date]:
    """The last day on which a payment of each invoice came back."""
    found: dict[InvoiceId, date] = {}
    for payment in account.payments:
        if payment.reversed_on is None or payment.reversed_on > today:
            continue
        for part in payment.allocations:
            last = found.get(part.invoice)
            if last is None or payment.reversed_on > last:
                found[part.invoice] = payment.reversed_on
    return found


def overdue_since(
    invoices: Iterable[Invoice],
    settled: Mapping[InvoiceId, date],
    today: date,
    least: Decimal = Decimal(0),
) -> date | None:
    """First of the days, up to today, on each of which one of the invoices was overdue; None
    where nothing is overdue today.

    An invoice counts from the day after its due date to the day before it was settled. One that
    was paid in the meantime does not end the stretch while another is late. A rest below `least`
    (major units) counts as settled: it would keep the stretch alive for ever.
    """
    stretches = sorted(
        stretch
        for invoice in invoices
        if (stretch := _stretch(invoice, settled.get(invoice.id), today, least)) is not None
    )
    since: date | None = None
    until: date | None = None
    for first, last in stretches:
        if until is None or first > until + ONE_DAY:
            since = first
        until = last if until is None else max(until, last)
    return since if until is not None and until >= today else None


def _stretch(
    invoice: Invoice, settled: date | None, today: date, least: Decimal
) -> tuple[date, date] | None:
    """First and last day on which the invoice was overdue, up to today."""
    if invoice.due_on is None or is_fee_document(invoice):
        return None
    first = invoice.due_on + ONE_DAY
    is_late = is_open(invoice) and invoice.balance >= nominal(least, invoice.currency)
    if is_late:
        last = today
    elif settled is not None and invoice.status in ("open", "paid"):
        last = settled - ONE_DAY
    else:
        return None
    return (first, last) if last >= first else None
