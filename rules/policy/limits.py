"""`[limits]`: how much may leave a book in a run, on a day, to one customer, and the first time."""

import hashlib
import json
from typing import TYPE_CHECKING, Final

from rules.policy.reading import Count, Exact
from rules.policy.section import Section, key

if TYPE_CHECKING:
    from rules.policy.schema import Policy

MAILS_ON_A_DAY: Final = 500
FEES_ON_A_DAY: Final = 200
"""Least of the limits of a day that nobody has set."""

SPARE_MAILS: Final = 2
"""Messages above the contact budget that a customer may get in a day: thanks, answers."""

NOT_ACTED_ON: Final = frozenset({"name", "schema", "test", "person", "limits"})
"""Tables and keys of a policy that decide nothing about a customer."""


class Limits(Section):
    """Most that may leave a book.

    Limits of a run bind what goes by rule: what is above waits for a person. Limits of a day and
    of a customer bind everybody, a person's approval too; only `apply --beyond-limits` lifts
    them. Sums of fees are kept per currency. A late fee and the message that announces it are
    one unit.
    """

    mails_per_run: Count = key(200, "Messages in one run.", ge=0)
    fees_per_run: Count = key(50, "Fee documents in one run.", ge=0)
    fee_total_per_run: Exact | None = key(None, "Sum of fees in one run, per currency.", ge=0)
    mails_per_day: Count | None = key(
        None,
        "Messages in one day, whatever number of runs and workers, approved by a person or not; "
        "where it is not set, 500, or twice the limit of a run where that is more.",
        ge=0,
    )
    fees_per_day: Count | None = key(
        None,
        "Fee documents in one day, approved by a person or not; where it is not set, 200, or "
        "twice the limit of a run where that is more.",
        ge=0,
    )
    fee_total_per_day: Exact | None = key(
        None, "Sum of fees in one day, per currency, approved or not.", ge=0
    )
    mails_per_customer_per_day: Count | None = key(
        None,
        "Messages of every kind to one customer in one day; where it is not set, two more than "
        "`[contact] per_customer_per_day`.",
        ge=0,
    )
    fee_total_per_customer_per_month: Exact | None = key(
        None, "Sum of fees charged to one customer in a calendar month, per currency.", ge=0
    )
    first_apply: Count = key(
        5,
        "Actions that go by rule when a book, or a changed policy, is applied for the first "
        "time; the rest goes once a person has looked, or on the next day where all of the first "
        "went well.",
        ge=0,
    )


def mails_on_a_day(limits: Limits) -> int:
    """Messages in one day at most."""
    given = limits.mails_per_day
    return max(MAILS_ON_A_DAY, 2 * limits.mails_per_run) if given is None else given


def fees_on_a_day(limits: Limits) -> int:
    """Fee documents in one day at most."""
    given = limits.fees_per_day
    return max(FEES_ON_A_DAY, 2 * limits.fees_per_run) if given is None else given


def mails_to_one(policy: "Policy") -> int:
    """Messages that one customer may get in a day at most."""
    given = policy.limits.mails_per_customer_per_day
    return policy.contact.per_customer_per_day + SPARE_MAILS if given is None else given


def acting_hash(policy: "Policy") -> str:
    """sha256 over what a policy decides by: without its name, its tests, its colleagues and its
    limits. Two policies with the same one decide the same."""
    plain = policy.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={*NOT_ACTED_ON, "schema_"}
    )
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
