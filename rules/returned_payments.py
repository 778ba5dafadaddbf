"""Fees for payments that came back (`on = "returned_payment"`): which, on which invoice, how much.

Each returned payment is charged once, whatever number of invoices it was for: to the oldest of
them that is open. Its slot is the payment's id, so it stays charged when that invoice is paid.
"""

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from rules.account_day import AccountDay
from rules.actions.late_fee import DerivationRow
from rules.aging import is_fee_document, is_open
from rules.fee_rules import FeeRule
from rules.fees.base import NOTHING, Accrued, NoAmountError, major, rational, total_of
from rules.fees.slots import slot_of
from rules.model.invoice import Invoice
from rules.model.payment import Payment
from rules.policy.fee import Fee

_NOT_IN_A_SLOT: Final = re.compile(r"[^A-Za-z0-9_-]+")


def returned_slot(payment: Payment) -> str:
    """The part of the item key that names the payment."""
    return f"returned-{_NOT_IN_A_SLOT.sub('-', payment.id)}"


def returned_to(
    day: AccountDay, rule: FeeRule, invoice: Invoice
) -> tuple[list[Payment], list[Payment]]:
    """Returned payments that the fee was charged for on the invoice, and that it is still to be
    charged for there, both in order of the return. Among these may be some of which only their
    being deleted is known."""
    charged_on = {
        slot_of(charge.key): charge.invoice for charge in day.account.fees if charge.fee in rule.ids
    }
    charged: list[Payment] = []
    waiting: list[Payment] = []
    for payment in sorted(day.payments_of(invoice), key=_by_return):
        back_on = payment.reversed_on
        if back_on is None or back_on > day.today:
            continue
        if rule.from_day is not None and back_on < rule.from_day:
            continue
        slot = returned_slot(payment)
        if slot in charged_on:
            if charged_on[slot] == invoice.id:
                charged.append(payment)
        elif _bearer(day, payment) == invoice.id:
            waiting.append(payment)
    return charged, waiting


def _by_return(payment: Payment) -> tuple[str, str]:
    return (str(payment.reversed_on), payment.id)


def _bearer(day: AccountDay, payment: Payment) -> str | None:
    """The oldest open invoice that the payment was for."""
    named = {part.invoice for part in payment.allocations}
    for invoice in day.account.invoices:  # by due date, then id
        if invoice.id in named and is_open(invoice) and not is_fee_document(invoice):
            return invoice.id if invoice.due_on is not None else None
    return None


def came_back(
    day: AccountDay, rule: FeeRule, invoice: Invoice, payments: Iterable[Payment]
) -> Accrued:
    """One row for each of the payments. Raises NoAmountError."""
    fee = _agreed(rule, invoice)
    if fee is None:
        return NOTHING
    return total_of([_row(day, fee, invoice, payment) for payment in payments])


def _agreed(rule: FeeRule, invoice: Invoice) -> Fee | None:
    """The fee as the version of the invoice's date words it."""
    if not rule.terms:
        return rule.fee
    terms = [one.fee for one in rule.terms if one.first <= invoice.issued_on <= one.last]
    return next((fee for fee in terms if fee.on == "returned_payment"), None)


def _row(day: AccountDay, fee: Fee, invoice: Invoice, payment: Payment) -> DerivationRow:
    on, currency = payment.reversed_on, invoice.currency
    if fee.percent is not None:
        if payment.currency != currency:
            raise NoAmountError(f"payment {payment.id} is in {payment.currency}")
        exact = major(payment.amount, currency) * Fraction(fee.percent) / 100
        base = payment.amount
        return DerivationRow(kind="fixed", from_=on, to=on, base=base, exact=rational(exact))
    amount = None if fee.amount is None else fee.amount.of(currency, day.frame.base_currency)
    if amount is None:
        raise NoAmountError(f"{fee.id} has no amount in {currency}")
    return DerivationRow(kind="fixed", from_=on, to=on, exact=rational(Fraction(amount)))


def has_returned(day: AccountDay) -> bool:
    """Whether any payment of the account came back."""
    return any(payment.reversed_on is not None for payment in day.account.payments)
