"""What happened on an account in a period: invoices, payments, credits, from an opening to a
closing balance that sums exactly."""

from collections.abc import Iterator
from datetime import date
from typing import Literal, TypeAlias

import msgspec

from rules.aging import is_fee_document
from rules.model.book import Account
from rules.model.invoice import Invoice
from rules.model.money import Minor

MovementKind: TypeAlias = Literal[
    "invoice", "late_fee", "payment", "payment_returned", "credit_note", "deposit"
]

_ORDER = ("invoice", "late_fee", "credit_note", "deposit", "payment", "payment_returned")


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an activity statement."""

    on: date
    kind: MovementKind
    number: str = ""
    amount: Minor
    """What it adds to the balance; payments and credits are negative."""
    known_on: date | None = None
    """The day the books learned of it, where that differs from `on`."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """A period of an account in one currency: `opening` and the lines make `closing`; what came
    `after` the period makes it `balance`, what is owed today."""

    since: date
    through: date
    opening: Minor
    lines: tuple[Movement, ...]
    closing: Minor
    after: Minor
    """Sum of what was entered after the period."""
    balance: Minor


def is_in_the_books(invoice: Invoice) -> bool:
    """Whether the document counts: neither void nor a draft, nor known not to have been sent."""
    return invoice.status in ("open", "paid") and invoice.sent is not False


def balance_of(account: Account, currency: str, credit: Minor) -> Minor:
    """What the account owes today in a currency, late fees included, `credit` deducted."""
    owed = sum(
        invoice.balance
        for invoice in account.invoices
        if invoice.currency == currency and invoice.status == "open" and is_in_the_books(invoice)
    )
    return owed - credit


def activity(
    account: Account, currency: str, since: date, through: date, today: date, credit: Minor
) -> Activity:
    """The movements from `since` to `through`, both included.

    The opening balance is counted back from what is owed today, because that is what the ledger
    states: whatever was entered late with an earlier date is a part of it.
    """
    found = [line for line in _movements(account, currency) if since <= line.on <= today]
    found.sort(key=lambda line: (line.on, _ORDER.index(line.kind), line.number, line.amount))
    lines = tuple(line for line in found if line.on <= through)
    balance = balance_of(account, currency, credit)
    after = sum(line.amount for line in found if line.on > through)
    closing = balance - after
    return Activity(
        since=since,
        through=through,
        opening=closing - sum(line.amount for line in lines),
        lines=lines,
        closing=closing,
        after=after,
        balance=balance,
    )


def last_movement(account: Account, currency: str) -> date | None:
    """The last day on which anything was entered."""
    return max((line.known_on or line.on for line in _movements(account, currency)), default=None)


def _movements(account: Account, currency: str) -> Iterator[Movement]:
    for invoice in account.invoices:
        if invoice.currency != currency or not is_in_the_books(invoice):
            continue
        yield Movement(
            on=invoice.issued_on,
            kind="late_fee" if is_fee_document(invoice) else "invoice",
            number=invoice.number,
            amount=invoice.total,
        )
        if invoice.deposit:
            yield Movement(
                on=invoice.issued_on,
                kind="deposit",
                number=invoice.number,
                amount=-invoice.deposit,
            )
    for payment in account.payments:
        if payment.currency != currency:
            continue
        yield Movement(
            on=payment.on, kind="payment", amount=-payment.amount, known_on=payment.known_on
        )
        if payment.reversed_on is not None:
            yield Movement(on=payment.reversed_on, kind="payment_returned", amount=payment.amount)
    for credit in account.credits:
        if credit.currency != currency or credit.kind == "deposit":
            continue
        kind: MovementKind = "credit_note" if credit.kind == "credit_note" else "payment"
        yield Movement(
            on=credit.on,
            kind=kind,
            number=credit.number,
            amount=-credit.total,
            known_on=credit.known_on,
        )
