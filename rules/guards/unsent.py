"""Invoices that never reached the customer."""

from rules.guards.base import REVIEW_AFTER, Case, Hold, hold

_KNOWN = {
    None: "the ledger cannot tell, and the policy is strict",
    False: "the ledger says so",
}


def unsent_invoices(case: Case) -> Hold | None:
    """Nobody is chased for an invoice that was not sent.

    `hold` stops on "known not sent", `strict` also on "unknown", `ignore` never.
    """
    rules = case.frame.policy.do_not_chase
    sent = case.invoice.sent
    if sent is True or rules.unsent_invoice == "ignore":
        return None
    if sent is None and rules.unsent_invoice != "strict":
        return None
    if rules.treat_as_sent is not None and case.day.holds(rules.treat_as_sent, case.invoice):
        return None
    number = case.invoice.number
    facts: tuple[tuple[str, str], ...] = (("invoice", number), ("known", _KNOWN[sent]))
    if case.invoice.is_undelivered:
        facts = (("undelivered", number),)
    return hold(
        "never_sent",
        *facts,
        review_on=case.invoice.due_on or case.invoice.issued_on + REVIEW_AFTER,
    )
