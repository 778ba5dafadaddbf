"""Every ground to wait, in the order in which it is asked: the first that holds is the answer.

The contact budget (`rules.guards.budget`) and the days on which messages go out are asked for
the message as a whole, after these.
"""

from typing import Final

from rules.frame import Frame
from rules.guards.answers import bounces, replies
from rules.guards.base import DEMANDS, FEES, Case, Check, Guard, Hold, Purpose, is_plain_invoice
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
from rules.guards.freshness import is_stale, stale_books
from rules.guards.placements import placements
from rules.guards.promises import expected_payments, instalments, pauses, promises
from rules.guards.stops import stops
from rules.guards.unsent import unsent_invoices


def _has_answers(frame: Frame) -> bool:
    return bool(frame.answered)


def _waits_for_cash(frame: Frame) -> bool:
    return frame.policy.do_not_chase.cash_older_than is not None


def _has_firm(frame: Frame) -> bool:
    return frame.has_firm


GUARDS: Final[tuple[Guard, ...]] = (
    Guard(dead_documents, of_document=True),
    Guard(settled_invoices, DEMANDS, of_document=True),
    Guard(fee_documents, of_document=True),
    Guard(missing_due_dates, of_document=True),
    Guard(stops, needs_commitments=True),
    Guard(placements),
    Guard(unsent_invoices, of_document=True),
    Guard(disputes, needs_commitments=True),
    Guard(pauses, needs_commitments=True),
    Guard(promises, needs_commitments=True),
    Guard(instalments, needs_commitments=True),
    Guard(expected_payments, of_document=True),
    Guard(withheld_parts, needs_commitments=True),
    Guard(expected_credits, needs_commitments=True),
    Guard(automatic_payments, of_document=True),
    Guard(inactive_payers),
    Guard(inactive_customers, FEES),
    Guard(replies, concerns=_has_answers),
    Guard(bounces, concerns=_has_answers),
    Guard(covering_credits),
    Guard(fresh_payments),
    Guard(small_balances),
    Guard(stale_books, concerns=is_stale),
    Guard(unentered_cash, concerns=_waits_for_cash),
    Guard(unconfirmed_customers, DEMANDS),
    Guard(live_firm_stages, DEMANDS, concerns=_has_firm),
)


def checks_of(
    frame: Frame,
    purpose: Purpose,
    has_commitments: bool,
    is_plain: bool,
    has_history: bool,
    has_money: bool,
    is_formal: bool,
) -> tuple[Check, ...]:
    """What there is to ask in this run, in order."""
    kept: dict[Check, bool] = {
        placements: has_commitments or has_history,
        covering_credits: has_money,
        fresh_payments: has_money,
        unconfirmed_customers: is_formal,
        live_firm_stages: has_history,
    }
    found = tuple(
        guard.check
        for guard in GUARDS
        if purpose in guard.binds
        and (has_commitments or not guard.needs_commitments)
        and not (is_plain and guard.of_document)
        and (guard.concerns is None or guard.concerns(frame))
        and kept.get(guard.check, True)
    )
    frame.checks[purpose, has_commitments, is_plain, has_history, has_money, is_formal] = found
    return found


def first_hold(case: Case, *, without: Check | None = None) -> Hold | None:
    """The first ground to wait that binds what is about to be done; `without` is one that is what
    the message itself is about."""
    account, stage = case.day.account, case.stage
    of = (
        case.purpose,
        bool(account.commitments),
        is_plain_invoice(case.invoice),
        bool(account.served),
        bool(account.payments or account.credits),
        stage is not None and stage.formal,
    )
    checks: tuple[Check, ...] | None = case.frame.checks.get(of)
    if checks is None:
        checks = checks_of(case.frame, *of)
    for check in checks:
        found = check(case) if check is not without else None
        if found is not None:
            return found
    return None
