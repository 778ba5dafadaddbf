"""Invoices that the customer contests, wholly or in part."""

from rules.guards.base import REVIEW_AFTER, Case, Hold, hold
from rules.model.book import LEDGER
from rules.model.commitment import Dispute, Withheld
from rules.model.money import Minor, format_minor


def disputes(case: Case) -> Hold | None:
    """A dispute about the whole, or about all that is still owed, holds the invoice.

    Of a partly disputed invoice the rest goes on: `uncontested` is what may be asked for.
    """
    if case.frame.policy.do_not_chase.dispute == "ignore":
        return None
    found = [told for told in case.told if isinstance(told, Dispute)]
    if not found:
        return None
    if all(told.amount is not None for told in found) and uncontested(case) > 0:
        return None
    first = found[0]
    return hold(
        "disputed",
        ("invoice", case.invoice.number),
        ("since", None if first.actor == LEDGER else first.on),
        ("reason", first.reason),
        ("owner", first.owner),
        (
            "amount",
            None if first.amount is None else format_minor(first.amount, case.invoice.currency),
        ),
        review_on=first.review_on or first.on + REVIEW_AFTER,
    )


def withheld_parts(case: Case) -> Hold | None:
    """A retention is not due before its day; an invoice of which nothing else is open waits."""
    found = [told for told in case.told if isinstance(told, Withheld) and case.today < told.until]
    if not found or uncontested(case) > 0:
        return None
    until = max(told.until for told in found)
    return hold("withheld", ("invoice", case.invoice.number), ("until", until), next_on=until)


def contested(case: Case) -> Minor:
    """Disputed and withheld parts of the balance, which nobody asks for today."""
    ignores = case.frame.policy.do_not_chase.dispute == "ignore"
    aside = 0
    for told in case.told:
        if isinstance(told, Dispute) and not ignores:
            aside += case.invoice.balance if told.amount is None else told.amount
        elif isinstance(told, Withheld) and case.today < told.until:
            aside += told.amount
    return min(aside, case.invoice.balance)


def uncontested(case: Case) -> Minor:
    """What may be asked for today: owed net of credit, less contested parts, never below zero."""
    if case.day.is_plain:
        return case.invoice.balance
    return max(case.day.net_of(case.invoice) - contested(case), 0)
