"""Every ground to wait, in the order in which it is asked: the first that holds is the answer.

The contact budget (`rules.guards.budget`) and the days on which messages go out are asked for
the message as a whole, after these.
"""

from typing import Final

from rules.guards.base import DEMANDS, Case, Guard, Hold
from rules.guards.credits import (
    covering_credits,
    fresh_payments,
    small_balances,
    unentered_cash,
)
from rules.guards.disputes import disputes, withheld_parts
from rules.guards.documents import (
    automatic_payments,
    dead_documents,
    fee_documents,
    missing_due_dates,
    settled_invoices,
)
from rules.guards.formal import live_formal_stages, unconfirmed_customers
from rules.guards.freshness import stale_books
from rules.guards.promises import instalments, pauses, promises
from rules.guards.stops import stops
from rules.guards.unsent import unsent_invoices

GUARDS: Final[tuple[Guard, ...]] = (
    Guard(dead_documents),
    Guard(settled_invoices, DEMANDS),
    Guard(fee_documents),
    Guard(missing_due_dates),
    Guard(stops),
    Guard(unsent_invoices),
    Guard(disputes),
    Guard(pauses),
    Guard(promises),
    Guard(instalments),
    Guard(withheld_parts),
    Guard(automatic_payments),
    Guard(covering_credits),
    Guard(fresh_payments),
    Guard(small_balances, DEMANDS),
    Guard(stale_books),
    Guard(unentered_cash),
    Guard(unconfirmed_customers, DEMANDS),
    Guard(live_formal_stages, DEMANDS),
)


def first_hold(case: Case) -> Hold | None:
    """The first ground to wait that binds what is about to be done."""
    for guard in GUARDS:
        if case.purpose in guard.binds:
            found = guard.check(case)
            if found is not None:
                return found
    return None
