"""What an early payment discount comes to on one invoice, and whether it was earned."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from rules.account_day import AccountDay
from rules.aging import is_fee_document
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor, exact_major, round_minor
from rules.policy.discount import Discount

_REMEMBERED: Final = timedelta(days=120)
"""After this long an invoice that was left short is a matter of the procedure alone."""

Doubt: TypeAlias = Literal["", "late", "short"]


class Earning(msgspec.Struct, frozen=True, kw_only=True):
    """The discount of one invoice as of a day. Minor units."""

    payable: Minor
    """The invoice less the credit notes on it."""
    amount: Minor
    """What may be deducted of it."""
    until: date
    """Last day on which the payment is in time."""
    to_credit: Minor = 0
    """What was earned and is still open on the invoice."""
    paid_on: date | None = None
    """Day of the payment that earned it."""
    doubt: Doubt = ""
    """`late`: the deduction was taken with a payment after the window; `short`: more was deducted
    than could be had."""


def discount_of(day: AccountDay, rule: Discount, invoice: Invoice) -> Earning | None:
    """The discount of an invoice; None where there is none on it at all."""
    if is_fee_document(invoice) or invoice.status not in ("open", "paid") or invoice.total <= 0:
        return None
    from_day = rule.from_ or day.frame.book.company.connected_on
    if from_day is not None and invoice.issued_on < from_day:
        return None
    until = day.frame.calendar.shift(invoice.issued_on, rule.within)
    if until + _REMEMBERED < day.today:
        return None
    if not day.applies(rule, invoice) or day.unmet(rule, invoice):
        return None
    credited = sum(
        part.amount
        for note in day.account.credits
        if note.kind == "credit_note"
        for part in note.allocations
        if part.invoice == invoice.id
    )
    payable = invoice.total - credited
    if payable <= 0:
        return None
    amount = _amount(rule, invoice, payable)
    if amount <= 0:
        return None
    paid = sorted(
        (part.on or payment.on, part.amount)
        for payment in day.payments_of(invoice)
        if payment.reversed_on is None
        for part in payment.allocations
        if part.invoice == invoice.id
    )
    in_time = [(on, part) for on, part in paid if on <= until]
    short = payable - invoice.deposit - sum(part for _, part in in_time)
    left = invoice.balance
    earned = bool(in_time) and 0 < short <= amount and left > 0
    return Earning(
        payable=payable,
        amount=amount,
        until=until,
        to_credit=min(short, left) if earned else 0,
        paid_on=max(on for on, _ in in_time) if earned else None,
        doubt="" if earned or not paid else _doubt(left, amount, bool(in_time)),
    )


def _amount(rule: Discount, invoice: Invoice, payable: Minor) -> Minor:
    base = exact_major(payable, invoice.currency)
    if rule.base == "ex_tax":
        base *= Fraction(invoice.total - invoice.tax, invoice.total)
    return round_minor(base * Fraction(rule.percent) / 100, invoice.currency)


def _doubt(left: Minor, amount: Minor, was_in_time: bool) -> Doubt:
    """A remainder of about the size of the discount was probably meant to be one."""
    if 0 < left <= amount:
        return "late"
    return "short" if was_in_time and 0 < left <= 2 * amount else ""


def discounts_open(
    day: AccountDay, invoices: tuple[InvoiceId, ...], stage: str
) -> tuple[tuple[InvoiceId, Minor, date], ...]:
    """Discounts that a message of this stage may mention: amount and last day of each invoice on
    which nothing was paid yet."""
    rule = day.frame.policy.discount
    if rule is None or stage not in rule.offer_in:
        return ()
    asked = set(invoices)
    found = []
    for invoice in day.account.invoices:
        if invoice.id not in asked:
            continue
        earning = discount_of(day, rule, invoice)
        if (
            earning is not None
            and earning.until >= day.today
            and invoice.balance == earning.payable
        ):
            found.append((invoice.id, earning.amount, earning.until))
    return tuple(found)
