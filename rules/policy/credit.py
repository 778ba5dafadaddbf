"""`[credit]`: credit limits, holds that come and go with them, deposits of new customers."""

from decimal import Decimal
from typing import Literal

from rules.exposure import Counted
from rules.policy.conditions import Conditions
from rules.policy.reading import Count, Exact
from rules.policy.section import Section, key
from rules.policy.stage import Days
from rules.policy.values import Duration, Mode, MoneyTable

HYSTERESIS = Decimal(10)
"""Percentage points that a hold lasts below the level at which it was placed."""


class SegmentLimit(Section):
    """The credit limit of a group of customers."""

    segment: str = key(..., "Name of the segment.")
    limit: MoneyTable = key(..., "Its limit, or `{ GBP = 20000, EUR = 25000 }`.")


class Deposit(Section):
    """What new customers pay before work begins."""

    percent: Exact = key(..., "Percent of the estimate, tax included.", gt=0, le=100)
    estimates: Literal["accepted", "open"] = key(
        "open",
        "`open`: asked for as soon as the estimate is out; `accepted`: once the customer has "
        "accepted it.",
    )
    new_customer_days: Count = key(
        0,
        "A customer is new until an invoice was paid, and for this many days after the first "
        "invoice.",
        ge=0,
        le=3650,
    )
    when: Conditions | None = key(
        None, "Estimates and customers it is for; the estimate stands for the invoice."
    )
    unless: Conditions | None = key(None, "Leaves out those for which this holds.")
    only: tuple[str, ...] = key((), "Segments that are asked; empty means everybody.")
    skip: tuple[str, ...] = key((), "Segments that are not asked.")
    due_in: Days | None = key(None, "Time that the message gives the customer.")
    template: str = key("deposit_request", "Name of the message template.", min_length=1)
    to: tuple[str, ...] = key(("billing",), "Roles that the message goes to.", min_length=1)
    mode: Mode | None = key(
        Mode.APPROVE,
        "How far the request may go by itself. A person looks at it unless you say otherwise: "
        "what a customer paid before the books were connected may not be known here.",
    )


class CreditRules(Section):
    """How much customers may owe, and what happens above it."""

    limit: MoneyTable | None = key(
        None,
        "Credit limit of customers without one of their own; a plain number is meant for every "
        "currency, or `{ GBP = 5000, EUR = 6000 }`.",
    )
    limit_from: Literal["customer", "policy"] = key(
        "customer",
        "`customer`: the limit kept with the customer goes before those here; `policy`: only "
        "those here count.",
    )
    segment_limit: tuple[SegmentLimit, ...] = key(
        (), "Limits of segments, before the general one; the first that fits counts."
    )
    estimates: Counted = key(
        "accepted",
        "Which estimates count as if they were owed already: `none`, `accepted`, or `open` for "
        "all that are neither declined nor expired.",
    )
    hold_above: Exact | None = key(
        Decimal(100), "Hold credit above this percentage of the limit.", gt=0, le=1000
    )
    hold_overdue: Days | None = key(
        None, "Hold credit when an invoice is overdue for longer than this."
    )
    release_below: Exact | None = key(
        None,
        "Release it at this percentage of the limit or below; left out: ten points under "
        "`hold_above`.",
        ge=0,
        le=1000,
    )
    release_overdue: Days = key(
        Duration(0, "d"), "Release it only when nothing is overdue for longer than this."
    )
    warn_at: Exact | None = key(
        None,
        "A task for a person, once a month, from this percentage of the limit on.",
        gt=0,
        le=1000,
    )
    only: tuple[str, ...] = key((), "Segments that this is for; empty means everybody.")
    skip: tuple[str, ...] = key((), "Segments that are left out.")
    mode: Mode | None = key(None, "How far holds and releases may go by themselves.")
    owner: str = key("", "Who gets the warnings: the id or a role of a person.")
    deposit: Deposit | None = key(None, "Deposits asked of new customers on their estimates.")

    @property
    def has_limits(self) -> bool:
        """Whether anything here is measured against what a customer owes: deposits alone hold
        nobody's credit."""
        keys = {"limit", "limit_from", "segment_limit", "hold_overdue", "hold_above", "warn_at"}
        return bool(self.model_fields_set & keys)

    @property
    def released_at(self) -> Decimal | None:
        """Percentage of the limit at which a hold ends; None where no limit holds credit."""
        if self.release_below is not None:
            return self.release_below
        return None if self.hold_above is None else max(self.hold_above - HYSTERESIS, Decimal(0))
