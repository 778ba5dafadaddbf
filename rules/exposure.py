"""What a customer owes, may soon owe, and may owe at most: the figures of a credit limit.

Sums are kept per currency and never converted; a limit is a plain number that is compared with
the sum of each currency.
"""

from datetime import date
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from rules.aging import is_open, unapplied_credit
from rules.model.book import Account
from rules.model.estimate import Estimate
from rules.model.money import Minor, exact_major

Counted: TypeAlias = Literal["none", "accepted", "open"]
"""Which estimates count as if they were owed already."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What is at risk with one account in one currency, in minor units."""

    currency: str
    open: Minor = 0
    """Invoices and late fees that are open."""
    credit: Minor = 0
    """Money and credits not applied yet; deposits are held money and do not count."""
    estimates: Minor = 0
    """Work that is promised or offered and not invoiced yet."""

    @property
    def total(self) -> Minor:
        """What would be lost if the customer never paid again; never below zero."""
        return max(0, self.open - self.credit + self.estimates)

    def percent_of(self, limit: Fraction) -> Fraction:
        """The share of a limit in major units that is used up, in percent.

        Of a limit of zero, anything at all is more than the whole.
        """
        total = exact_major(self.total, self.currency)
        if not limit:
            return Fraction(1000) if total else Fraction(0)
        return total / limit * 100


def exposures(account: Account, today: date, counted: Counted) -> dict[str, Exposure]:
    """The exposure of an account per currency, in order of the currency's code."""
    owed: dict[str, Minor] = {}
    for invoice in account.invoices:
        if is_open(invoice):
            owed[invoice.currency] = owed.get(invoice.currency, 0) + invoice.balance
    credit = unapplied_credit(account)
    offered: dict[str, Minor] = {}
    for estimate in account.estimates:
        if counts(estimate, today, counted):
            offered[estimate.currency] = offered.get(estimate.currency, 0) + estimate.total
    return {
        currency: Exposure(
            currency=currency,
            open=owed.get(currency, 0),
            credit=credit.get(currency, 0),
            estimates=offered.get(currency, 0),
        )
        for currency in sorted({*owed, *offered})
    }


def counts(estimate: Estimate, today: date, counted: Counted) -> bool:
    """Whether an estimate is as good as owed. One that was invoiced is owed already."""
    if counted == "none" or estimate.on > today:
        return False
    if estimate.status == "accepted":
        return True
    is_live = estimate.expires_on is None or estimate.expires_on >= today
    return counted == "open" and estimate.status == "open" and is_live
