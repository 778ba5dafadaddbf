"""How old debts are: days past due, aging buckets, totals per currency."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

import msgspec

from rules.model.book import Account
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor

BUCKETS: Final[tuple[tuple[str, int | None], ...]] = (
    ("not due", 0),
    ("1-30", 30),
    ("31-60", 60),
    ("61-90", 90),
    ("over 90", None),
)
"""Name and last day past due of each aging bucket."""


def days_past_due(invoice: Invoice, today: date) -> int | None:
    """Days since the due date: 0 on it, negative before it, None without one."""
    return None if invoice.due_on is None else (today - invoice.due_on).days


def bucket(days: int | None) -> str:
    """The aging bucket of a number of days past due; no due date counts as not due."""
    for name, last in BUCKETS:
        if last is None or (days if days is not None else 0) <= last:
            return name
    raise AssertionError("the last bucket is open")


def is_open(invoice: Invoice) -> bool:
    """Whether anything is owed on it."""
    return invoice.status == "open" and invoice.balance > 0


def is_fee_document(invoice: Invoice) -> bool:
    """A late fee of ours or of the ledger: never a base, never chased on its own."""
    return invoice.is_fee or invoice.fee_of is not None


def unapplied_credit(account: Account) -> dict[str, Minor]:
    """Money and credits that the customer has not used, per currency. Deposits are held money
    and never count."""
    credit: dict[str, Minor] = {}
    for payment in account.payments:
        left = payment.unapplied
        if left > 0:
            credit[payment.currency] = credit.get(payment.currency, 0) + left
    for note in account.credits:
        if note.remaining > 0 and note.kind != "deposit":
            credit[note.currency] = credit.get(note.currency, 0) + note.remaining
    return credit


def unused_money(account: Account) -> list[tuple[str, date]]:
    """(currency, day on which it was known) of payments that are not applied, or not in full."""
    found = [
        (payment.currency, payment.known_on or payment.on)
        for payment in account.payments
        if payment.unapplied > 0
    ]
    # Xero keeps money that is not applied as a credit of its own.
    return found + [
        (credit.currency, credit.known_on or credit.on)
        for credit in account.credits
        if credit.kind in ("overpayment", "prepayment") and credit.remaining > 0
    ]


def net_balances(
    invoices: Iterable[Invoice], credit: Mapping[str, Minor]
) -> dict[InvoiceId, Minor]:
    """What is owed on each open invoice once unapplied credit has settled the oldest first.

    `invoices` in order of their due date, as an account holds them.
    """
    left = dict(credit)
    net: dict[InvoiceId, Minor] = {}
    for invoice in invoices:
        if not is_open(invoice):
            continue
        used = min(left.get(invoice.currency, 0), invoice.balance)
        if used:
            left[invoice.currency] -= used
        net[invoice.id] = invoice.balance - used
    return net


class AgedTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What an account owes in one currency, by age. Minor units."""

    currency: str
    buckets: dict[str, Minor]
    total: Minor
    overdue: Minor
    unapplied: Minor


def aged_totals(account: Account, today: date) -> tuple[AgedTotal, ...]:
    """Totals of an account per currency, unapplied credit netted against the oldest first."""
    credit = unapplied_credit(account)
    net = net_balances(account.invoices, credit)
    totals: dict[str, dict[str, Minor]] = {}
    for invoice in account.invoices:
        if invoice.id in net:
            buckets = totals.setdefault(invoice.currency, {name: 0 for name, _ in BUCKETS})
            buckets[bucket(days_past_due(invoice, today))] += net[invoice.id]
    return tuple(
        AgedTotal(
            currency=currency,
            buckets=buckets,
            total=sum(buckets.values()),
            overdue=sum(buckets.values()) - buckets["not due"],
            unapplied=credit.get(currency, 0),
        )
        for currency, buckets in sorted(totals.items())
    )
