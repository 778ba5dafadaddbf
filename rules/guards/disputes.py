"""Parts of invoices that nobody asks for today: contested, withheld, or to be credited."""

from collections.abc import Iterator
from datetime import date
from typing import Literal, TypeAlias

from rules.guards.base import Case, Hold, hold
from rules.guards.reviews import owner_of, review_day
from rules.model.book import LEDGER
from rules.model.commitment import CreditExpected, Dispute, Withheld
from rules.model.money import Minor, format_minor

Ground: TypeAlias = Literal["disputed", "withheld", "credit"]
"""Why a part is not asked for: in dispute, held back by agreement, a credit note on its way."""


def disputes(case: Case) -> Hold | None:
    """A dispute about the whole, or about all that is still owed, holds the invoice.

    Of a partly disputed invoice the rest goes on: `uncontested` is what may be asked for. Several
    partial disputes add up, never to more than what is open.
    """
    if case.frame.policy.do_not_chase.dispute == "ignore":
        return None
    found = [told for told in case.told if isinstance(told, Dispute)]
    if not found:
        return None
    if all(told.amount is not None for told in found) and uncontested(case) > 0:
        return None
    first = found[0]
    parts = [told.amount for told in found if told.amount is not None]
    amount = min(sum(parts), case.invoice.balance) if len(parts) == len(found) else None
    return hold(
        "disputed",
        ("invoice", case.invoice.number),
        ("since", None if first.actor == LEDGER else first.on),
        ("reason", first.reason),
        ("owner", owner_of(case.frame, first)),
        ("amount", None if amount is None else format_minor(amount, case.invoice.currency)),
        review_on=min(day for told in found if (day := review_day(case.frame, told)) is not None),
    )


def withheld_parts(case: Case) -> Hold | None:
    """A retention is not due before its day; an invoice of which nothing else is open waits."""
    found = [told for told in case.told if isinstance(told, Withheld) and case.today < told.until]
    if not found or uncontested(case) > 0:
        return None
    until = max(told.until for told in found)
    return hold("withheld", ("invoice", case.invoice.number), ("until", until), next_on=until)


def expected_credits(case: Case) -> Hold | None:
    """What a credit note on its way will settle is not asked for until the day has passed on
    which it should be here; an invoice of which nothing else is open waits."""
    found = [told for told in case.told if _is_awaited(case, told)]
    if not found or uncontested(case) > 0:
        return None
    until = max(told.until for told in found if isinstance(told, CreditExpected))
    return hold(
        "credit_expected", ("invoice", case.invoice.number), ("until", until), next_on=until
    )


def contested(case: Case) -> Minor:
    """Disputed and withheld parts of the balance and those to be credited, which nobody asks for
    today; never more than the balance."""
    return min(sum(part for _, part in _parts(case)), case.invoice.balance)


def contested_by_ground(case: Case) -> dict[Ground, Minor]:
    """The same by why nobody asks for them, in the order in which they were told."""
    found: dict[Ground, Minor] = {}
    left = case.invoice.balance
    for ground, part in _parts(case):
        taken = min(part, left)
        left -= taken
        if taken:
            found[ground] = found.get(ground, 0) + taken
    return found


def _parts(case: Case) -> Iterator[tuple[Ground, Minor]]:
    ignores = case.frame.policy.do_not_chase.dispute == "ignore"
    for told in case.told:
        if isinstance(told, Dispute) and not ignores:
            yield "disputed", case.invoice.balance if told.amount is None else told.amount
        elif isinstance(told, Withheld) and case.today < told.until:
            yield "withheld", told.amount
        elif isinstance(told, CreditExpected) and _is_awaited(case, told):
            yield "credit", case.day.credit_awaited(told, case.invoice)


def _is_awaited(case: Case, told: object) -> bool:
    day: date = case.today
    return isinstance(told, CreditExpected) and day < told.until


def uncontested(case: Case) -> Minor:
    """What may be asked for today: owed net of credit, less contested parts, never below zero."""
    if case.day.is_plain:
        return case.invoice.balance
    return max(case.day.net_of(case.invoice) - contested(case), 0)
