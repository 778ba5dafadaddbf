"""Every ground to wait, in the order in which it is asked: the first that holds is the answer.

The contact budget (`rules.guards.budget`) and the days on which messages go out are asked for
the message as a whole, after these.
"""

from typing import Final

from rules.guards.answers import bounces, replies
from rules.guards.base import DEMANDS, EVERYTHING, FEES, Case, Check, Guard, Hold, Purpose
from rules.guards.credits import (
    covering_credits,
    fresh_payments,
    small_balances,
    unentered_cash,
)
from rules.guards.disputes import disputes, expected_credits, withheld_parts
from rules.guards.documents import (
    automatic_payments,
    dead_documents,
    fee_documents,
    inactive_customers,
    inactive_payers,
    missing_due_dates,
    settled_invoices,
)
from rules.guards.formal import live_firm_stages, unconfirmed_customers
from rules.guards.freshness import stale_books
from rules.guards.placements import placements
from rules.guards.promises import expected_payments, instalments, pauses, promises
from rules.guards.stops import stops
from rules.guards.unsent import unsent_invoices

GUARDS: Final[tuple[Guard, ...]] = (
    Guard(dead_documents),
    Guard(settled_invoices, DEMANDS),
    Guard(fee_documents),
    Guard(missing_due_dates),
    Guard(stops, needs_commitments=True),
    Guard(placements),
    Guard(unsent_invoices),
    Guard(disputes, needs_commitments=True),
    Guard(pauses, needs_commitments=True),
    Guard(promises, needs_commitments=True),
    Guard(instalments, needs_commitments=True),
    Guard(expected_payments),
    Guard(withheld_parts, needs_commitments=True),
    Guard(expected_credits, needs_commitments=True),
    Guard(automatic_payments),
    Guard(inactive_payers),
    Guard(inactive_customers, FEES),
    Guard(replies),
    Guard(bounces),
    Guard(covering_credits),
    Guard(fresh_payments),
    Guard(small_balances),
    Guard(stale_books),
    Guard(unentered_cash),
    Guard(unconfirmed_customers, DEMANDS),
    Guard(live_firm_stages, DEMANDS),
)

_CHECKS: Final[dict[tuple[Purpose, bool], tuple[Check, ...]]] = {
    (purpose, has_commitments): tuple(
        guard.check
        for guard in GUARDS
        if purpose in guard.binds and (has_commitments or not guard.needs_commitments)
    )
    for purpose in EVERYTHING
    for has_commitments in (True, False)
}


def first_hold(case: Case, *, without: Check | None = None) -> Hold | None:
    """The first ground to wait that binds what is about to be done; `without` is one that is what
    the message itself is about."""
    for check in _CHECKS[case.purpose, bool(case.day.account.commitments)]:
        found = check(case) if check is not without else None
        if found is not None:
            return found
    return None
