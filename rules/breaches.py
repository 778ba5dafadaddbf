"""Broken promises that the customer has not heard of yet."""

from collections.abc import Iterable

from rules.account_day import AccountDay
from rules.actions.undertaken import BrokenPromise
from rules.keeping import PromiseStanding
from rules.model.invoice import Invoice


def untold_breach(day: AccountDay, invoice: Invoice) -> PromiseStanding | None:
    """The last broken promise about the invoice, where something of it is still missing and no
    reminder went out since it broke."""
    breaches = day.breaches_of(invoice)
    if not breaches or breaches[-1].missing <= 0:
        return None
    last = breaches[-1]
    since = (
        item
        for item in day.served.get(invoice.id, ())
        if item.kind == "reminder" and item.state != "bounced" and item.on > last.ends
    )
    return None if any(since) else last


def broken_promise(day: AccountDay, invoices: Iterable[Invoice]) -> BrokenPromise | None:
    """What a message about these invoices says of a promise: of several the latest."""
    if not day.account.commitments:
        return None
    found = [one for invoice in invoices if (one := untold_breach(day, invoice)) is not None]
    if not found:
        return None
    return told_of(day, max(found, key=lambda one: (one.promise.due_on, one.promise.id)))


def told_of(day: AccountDay, standing: PromiseStanding) -> BrokenPromise:
    """The broken promise as a message tells it."""
    return BrokenPromise(
        promised_on=standing.promise.on,
        due_on=standing.promise.due_on,
        promised=standing.promised,
        paid=min(standing.paid, standing.promised),
        missing=standing.missing,
        nth=day.breaches.index(standing) + 1,
    )
