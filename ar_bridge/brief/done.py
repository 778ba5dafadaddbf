"""What was done since the last brief, and the money that came in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from ar_bridge.brief.model import Deed, Money, MoneyIn
from ar_bridge.store import briefs
from rules.model import Book, InvoiceId, Payment, PaymentId, Served, format_minor
from rules.policy.schema import Policy

UNTOLD: Final = frozenset({"task", "call", "notify", "notice", "note"})
"""Kinds that are no deed to the owner: they stand among what waits, or say what is told anyway."""

MONEY: Final = ("overpayment", "prepayment")
"""Kinds of credits that are money which came in."""

LOOKED_BACK: Final = timedelta(days=10)
"""Payments that became known longer ago are no news, whenever they are first read."""


def deeds(conn: Connection, book_id: int, since: datetime, names: Mapping[str, str]) -> list[Deed]:
    """By kind, with the customers and the sums in each currency."""
    by_kind: dict[str, list[briefs.Deeds]] = defaultdict(list)
    for one in briefs.done_since(conn, book_id, since):
        if one.kind not in UNTOLD:
            by_kind[one.kind].append(one)
    return [
        Deed(
            kind=kind,
            count=sum(one.count for one in found),
            customers=tuple(sorted({names.get(one.customer, one.customer) for one in found})),
            sums=sums_of((one.currency, one.amount) for one in found if one.amount is not None),
        )
        for kind, found in sorted(by_kind.items())
    ]


def sums_of(amounts: Iterable[tuple[str, int]]) -> tuple[Money, ...]:
    """One sum for each currency, in the order of their codes."""
    totals: dict[str, int] = defaultdict(int)
    for currency, amount in amounts:
        totals[currency] += amount
    return tuple(
        Money(currency=currency, amount=format_minor(total, currency))
        for currency, total in sorted(totals.items())
        if currency
    )


def recent_payments(book: Book, today: date) -> list[Payment]:
    """Money that became known lately, the oldest first. Xero keeps what is not applied as a
    credit of its own: that is money too."""
    since = today - LOOKED_BACK
    unapplied = (
        Payment(
            id=PaymentId(f"{one.kind}/{one.id}"),
            customer=one.customer,
            currency=one.currency,
            on=one.on,
            known_on=one.known_on,
            amount=one.total,
            allocations=one.allocations,
        )
        for one in book.credits
        if one.kind in MONEY
    )
    found = [
        one
        for one in (*book.payments, *unapplied)
        if one.amount > 0 and one.reversed_on is None and (one.known_on or one.on) >= since
    ]
    return sorted(found, key=lambda one: (one.on, str(one.id)))


def money_in(
    book: Book, policy: Policy, payments: Sequence[Payment], told: Collection[str], since: date
) -> list[MoneyIn]:
    """Payments that no brief told of yet, each with the contact that came before it. Without an
    earlier brief, those of `since` and later."""
    news = [
        one
        for one in payments
        if str(one.id) not in told and (told or (one.known_on or one.on) >= since)
    ]
    numbers = {invoice.id: invoice.number for invoice in book.invoices}
    names = {stage.id: stage.name or stage.id for stage in policy.stage}
    contacts: dict[InvoiceId, list[Served]] = defaultdict(list)
    paid = {part.invoice for one in news for part in one.allocations}
    for item in book.served:
        if item.is_contact:
            for invoice in (*item.covers, *((item.invoice,) if item.invoice else ())):
                if invoice in paid:
                    contacts[invoice].append(item)
    return [
        MoneyIn(
            id=str(one.id),
            customer=_name(book, one),
            on=one.on,
            money=Money(currency=one.currency, amount=format_minor(one.amount, one.currency)),
            invoices=tuple(
                dict.fromkeys(numbers.get(p.invoice, str(p.invoice)) for p in one.allocations)
            ),
            after=_after(one, contacts, names),
        )
        for one in news
    ]


def _name(book: Book, payment: Payment) -> str:
    customer = book.customers.get(payment.customer)
    return customer.name if customer is not None else str(payment.customer)


def _after(
    payment: Payment,
    contacts: Mapping[InvoiceId, Sequence[Served]],
    names: Mapping[str, str],
) -> str:
    before = [
        item
        for part in payment.allocations
        for item in contacts.get(part.invoice, ())
        if item.on <= payment.on
    ]
    if not before:
        return ""
    last = max(before, key=lambda item: (item.on, item.key))
    what = names.get(str(last.stage), "") if last.stage else ""
    days = (payment.on - last.on).days
    when = "the same day" if days == 0 else f"{days} day{'' if days == 1 else 's'} before"
    return f"{what or last.kind.replace('_', ' ')}, {when}"
