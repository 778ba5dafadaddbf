"""A book as it is known today, told as it was on an earlier day.

A ledger that is read keeps no dated history of itself, but most of it carries its day: documents,
payments and what they settled, people's words, what we did. That is unwound here. What carries no
day is taken as it stands: due dates, customers, whether an invoice was sent or is void.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import TypeVar

import msgspec

from rules.model.book import Account, Book
from rules.model.company import Company
from rules.model.credit import CreditNote
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.payment import Allocation, Payment

_Document = TypeVar("_Document", Payment, CreditNote)


class PastBook:
    """The days before today of a whole book, or of one account of it."""

    def __init__(self, book: Book, first: date) -> None:
        """`first` is the first day that is played: what we did from then on is left out."""
        self.company: Company = book.company
        self._first = first
        self._now = _without_own_work(book, first)
        self._settled = _settled(self._now.payments, self._now.credits)
        self._days = sorted(set(_days(self._now)))
        self._seen = -1
        self._book: Book | None = None

    def accounts(self) -> list["PastBook"]:
        """The same parted by account, in a fixed order."""
        # A dispute that the ledger itself tells of is found on the invoice again.
        told = {one.id for one in self._now.commitments}
        return [
            PastBook(_book_of(self._now, one, told), self._first) for one in self._now.accounts()
        ]

    def changes_on(self, day: date) -> bool:
        """Whether more is known on that day than when last asked for a book."""
        return bisect_right(self._days, day) != self._seen

    def book(self, day: date) -> Book:
        """The book of that day; the one before it where nothing has changed since."""
        seen = bisect_right(self._days, day)
        if self._book is None or seen != self._seen:
            self._book, self._seen = self._unwound(day), seen
        return msgspec.structs.replace(self._book, as_of=day, entered_through=day)

    def _unwound(self, day: date) -> Book:
        now = self._now
        payments = [_payment_on(one, day) for one in _known(now.payments, day)]
        credits = [_credit_on(one, day) for one in _known(now.credits, day)]
        settled = _settled(payments, credits)
        return msgspec.structs.replace(
            now,
            as_of=day,
            invoices=[
                self._invoice_on(one, settled) for one in now.invoices if one.issued_on <= day
            ],
            payments=payments,
            credits=credits,
            estimates=[one for one in now.estimates if one.on <= day],
            commitments=[
                msgspec.structs.replace(one, ended_on=None)
                if one.ended_on is not None and one.ended_on > day
                else one
                for one in now.commitments
                if one.on <= day
            ],
            rates=[one for one in now.rates if one.on <= day],
        )

    def _invoice_on(self, invoice: Invoice, settled: dict[InvoiceId, int]) -> Invoice:
        """What the ledger shows as owed, and what was settled since."""
        if invoice.status not in ("open", "paid"):
            return invoice
        since = self._settled.get(invoice.id, 0) - settled.get(invoice.id, 0)
        if not since:
            return invoice
        balance = min(max(invoice.balance + since, 0), max(invoice.total, 0))
        return msgspec.structs.replace(
            invoice, balance=balance, status="open" if balance else "paid"
        )


def _known(documents: Iterable[_Document], day: date) -> Iterator[_Document]:
    return (one for one in documents if max(one.on, one.known_on or one.on) <= day)


def _standing(parts: tuple[Allocation, ...], day: date) -> tuple[Allocation, ...]:
    if all(part.on is None or part.on <= day for part in parts):
        return parts
    return tuple(part for part in parts if part.on is None or part.on <= day)


def _payment_on(payment: Payment, day: date) -> Payment:
    parts = _standing(payment.allocations, day)
    if parts is not payment.allocations:
        payment = msgspec.structs.replace(payment, allocations=parts)
    if payment.reversed_on is not None and payment.reversed_on > day:
        payment = msgspec.structs.replace(payment, reversed_on=None, reversal_reason="")
    return payment


def _credit_on(credit: CreditNote, day: date) -> CreditNote:
    parts = _standing(credit.allocations, day)
    if parts is credit.allocations:
        return credit
    later = sum(one.amount for one in credit.allocations) - sum(one.amount for one in parts)
    return msgspec.structs.replace(credit, allocations=parts, remaining=credit.remaining + later)


def _settled(payments: Iterable[Payment], credits: Iterable[CreditNote]) -> dict[InvoiceId, int]:
    found: dict[InvoiceId, int] = defaultdict(int)
    for payment in payments:
        if payment.reversed_on is None:
            for part in payment.allocations:
                found[part.invoice] += part.amount
    for credit in credits:
        for part in credit.allocations:
            found[part.invoice] += part.amount
    return found


def _without_own_work(book: Book, first: date) -> Book:
    """Without what we did from a day on: a policy that is played does its own work on those days.
    Money that paid such a fee was no money of another invoice, and is left out with it."""
    ours = {one.id for one in book.invoices if one.is_fee and one.issued_on >= first}
    payments: list[Payment] = []
    for payment in book.payments:
        kept = tuple(part for part in payment.allocations if part.invoice not in ours)
        gone = sum(part.amount for part in payment.allocations if part.invoice in ours)
        if gone:
            payment = msgspec.structs.replace(
                payment, allocations=kept, amount=payment.amount - gone
            )
        if payment.amount > 0:
            payments.append(payment)
    credits: list[CreditNote] = []
    for credit in book.credits:
        kept = tuple(part for part in credit.allocations if part.invoice not in ours)
        gone = sum(part.amount for part in credit.allocations if part.invoice in ours)
        if gone:
            credit = msgspec.structs.replace(credit, allocations=kept, total=credit.total - gone)
        if credit.total > 0:
            credits.append(credit)
    fees = [one for one in book.fees if one.on < first]
    documents = {one.document for one in fees}
    return msgspec.structs.replace(
        book,
        invoices=[one for one in book.invoices if one.id not in ours],
        payments=payments,
        credits=credits,
        served=[one for one in book.served if one.on < first and one.state != "approved"],
        fees=fees,
        waivers=[one for one in book.waivers if one.on < first and one.document in documents],
        settled=(),
        read_on=None,
        age_hours=0,
    )


def _book_of(whole: Book, account: Account, told: Collection[str]) -> Book:
    return msgspec.structs.replace(
        whole,
        customers=dict(account.members),
        invoices=account.invoices,
        payments=account.payments,
        credits=account.credits,
        estimates=account.estimates,
        commitments=[one for one in account.commitments if one.id in told],
        served=account.served,
        fees=account.fees,
        waivers=account.waivers,
    )


def _days(book: Book) -> Iterator[date]:
    """All days on which something became known."""
    for invoice in book.invoices:
        yield invoice.issued_on
    for payment in book.payments:
        yield max(payment.on, payment.known_on or payment.on)
        if payment.reversed_on is not None:
            yield payment.reversed_on
    for credit in book.credits:
        yield max(credit.on, credit.known_on or credit.on)
    parts = [one.allocations for one in book.payments] + [one.allocations for one in book.credits]
    for part in (part for of_one in parts for part in of_one):
        if part.on is not None:
            yield part.on
    for told in book.commitments:
        yield told.on
        if told.ended_on is not None:
            yield told.ended_on
    for estimate in book.estimates:
        yield estimate.on
    for rate in book.rates:
        yield rate.on
