"""Invoices that never reached the customer."""

from rules.guards.base import REVIEW_AFTER, Case, Hold, hold


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
    return hold(
        "never_sent",
        ("invoice", case.invoice.number),
        ("known", "no" if sent is None else "yes"),
        review_on=case.invoice.due_on or case.invoice.issued_on + REVIEW_AFTER,
    )
