"""Money that a customer has not used yet, counted against the oldest invoices: the base of fees.

A payment or a credit that is not applied settles what is owed all the same, from its own day on
(a credit note from the beginning), oldest invoice first: the same as totals and gates say.
Deposits are held money and settle nothing. In doubt for the customer: with whatever invoice the
money is applied later, no fee rested on what it covered.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import msgspec

from rules.aging import is_fee_document, is_open
from rules.fees.timeline import Debt
from rules.model.book import Account
from rules.model.ids import InvoiceId
from rules.model.money import Minor

_DAY = timedelta(days=1)


class NettedShare(msgspec.Struct, frozen=True):
    """A part of unused money that covers an invoice. Minor units."""

    on: date
    amount: Minor
    is_credit_note: bool


def netted_shares(account: Account) -> Mapping[InvoiceId, Sequence[NettedShare]]:
    """What covers which invoice, fee documents apart."""
    left: dict[str, list[NettedShare]] = defaultdict(list)
    sources = [
        (one.on, str(one.id), one.currency, one.unapplied, False) for one in account.payments
    ] + [
        (one.on, str(one.id), one.currency, one.remaining, one.kind == "credit_note")
        for one in account.credits
        if one.kind != "deposit"
    ]
    for on, _, currency, amount, is_note in sorted(sources):
        if amount > 0:
            left[currency].append(NettedShare(on, amount, is_note))
    found: dict[InvoiceId, list[NettedShare]] = defaultdict(list)
    for invoice in account.invoices:
        if not is_open(invoice) or is_fee_document(invoice):
            continue
        open_, queue = invoice.balance, left[invoice.currency]
        while open_ > 0 and queue:
            first = queue[0]
            used = min(open_, first.amount)
            found[invoice.id].append(NettedShare(first.on, used, first.is_credit_note))
            open_ -= used
            if used == first.amount:
                queue.pop(0)
            else:
                rest = first.amount - used
                queue[0] = NettedShare(first.on, rest, first.is_credit_note)
    return found


def with_netted(debt: Debt, shares: Sequence[NettedShare]) -> Debt:
    """The debt once that money counts: a payment dated D still leaves day D on the old balance."""
    if not shares:
        return debt
    notes = sum(share.amount for share in shares if share.is_credit_note)
    changes = [(share.on + _DAY, -share.amount) for share in shares if not share.is_credit_note]
    return msgspec.structs.replace(
        debt,
        original=debt.original - notes,
        changes=tuple(sorted((*debt.changes, *changes))),
    )
