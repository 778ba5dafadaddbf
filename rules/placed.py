"""Invoices that are with a collector or a lawyer: the creditor no longer asks for them."""

from collections.abc import Collection, Mapping
from datetime import date

import msgspec

from rules.model.book import Account
from rules.model.commitment import Placement
from rules.model.ids import InvoiceId


def placed_invoices(account: Account, today: date) -> Mapping[InvoiceId, Placement]:
    """What was handed over and not recalled, by invoice.

    A hand-off that was approved counts from then on, before anything of it is written down: the
    customer is not to hear from both. Fee documents go with the invoice that they are about.
    """
    if not account.commitments and not account.served:
        return {}
    told = [one for one in account.commitments if isinstance(one, Placement)]
    found: dict[InvoiceId, Placement] = {}
    for item in account.served:
        if item.kind != "hand_off" or item.invoice is None or item.state == "bounced":
            continue
        recalled = any(
            one.binds(item.invoice)
            and one.ended_on is not None
            and item.on <= one.ended_on <= today
            for one in told
        )
        if not recalled:
            found[item.invoice] = Placement(
                id=item.key, customer=item.customer, invoices=(item.invoice,), on=item.on
            )
    standing = [one for one in told if one.stands_on(today)]
    if not standing and not found:
        return found
    for invoice in account.invoices:
        about = invoice.fee_of or invoice.id
        for one in standing:
            if one.binds(invoice.id) or one.binds(about):
                found[invoice.id] = one
        if about in found:
            found.setdefault(invoice.id, found[about])
    return found


def without_placed(account: Account, placed: Collection[InvoiceId]) -> Account:
    """The account as the creditor still speaks of it: without the invoices that are with somebody
    else, and without the money that settled a part of them."""
    if not placed:
        return account
    payments = []
    for payment in account.payments:
        gone = sum(part.amount for part in payment.allocations if part.invoice in placed)
        if gone:
            kept = tuple(part for part in payment.allocations if part.invoice not in placed)
            payment = msgspec.structs.replace(
                payment, amount=payment.amount - gone, allocations=kept
            )
        if payment.amount or not gone:
            payments.append(payment)
    credits = []
    for credit in account.credits:
        gone = sum(part.amount for part in credit.allocations if part.invoice in placed)
        if gone:
            kept = tuple(part for part in credit.allocations if part.invoice not in placed)
            credit = msgspec.structs.replace(credit, total=credit.total - gone, allocations=kept)
        if credit.total or not gone:
            credits.append(credit)
    return msgspec.structs.replace(
        account,
        invoices=[one for one in account.invoices if one.id not in placed],
        payments=payments,
        credits=credits,
    )
