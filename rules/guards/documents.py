"""Documents that are not chased: void or settled ones, fee documents, those without a due date."""

from datetime import timedelta

from rules.aging import is_fee_document
from rules.fees_left import left_over
from rules.guards.base import REVIEW_AFTER, Case, Hold, hold


def dead_documents(case: Case) -> Hold | None:
    """Void, deleted and draft invoices are nobody's debt."""
    invoice = case.invoice
    if invoice.status in ("void", "deleted", "draft"):
        return hold("void", ("invoice", invoice.number), ("status", invoice.status))
    return None


def settled_invoices(case: Case) -> Hold | None:
    """A paid invoice is never chased, and locks no credit."""
    invoice = case.invoice
    if invoice.status == "paid" or invoice.balance <= 0:
        return hold("paid", ("invoice", invoice.number))
    return None


def fee_documents(case: Case) -> Hold | None:
    """A late fee has no procedure of its own and bears no fee. One that is left over when its
    invoice is paid may be reminded of, where the policy chases it, but never formally."""
    invoice = case.invoice
    if not is_fee_document(invoice):
        return None
    review = (invoice.due_on or invoice.issued_on) + timedelta(days=90)
    what = left_over(case.day, invoice)
    if what is None or case.purpose == "fee":
        return hold("fee_document", ("invoice", invoice.number), review_on=review)
    is_formal = case.stage is not None and case.stage.formal
    if what == "chase" and case.purpose == "reminder" and not is_formal:
        return None
    code = "fee_left_open" if what == "leave" else "fee_document"
    review = (invoice.due_on or invoice.issued_on) + REVIEW_AFTER
    return hold(code, ("invoice", invoice.number), review_on=review)


def missing_due_dates(case: Case) -> Hold | None:
    """Without a due date nothing is late."""
    invoice = case.invoice
    if invoice.due_on is not None:
        return None
    return hold(
        "no_due_date",
        ("invoice", invoice.number),
        review_on=invoice.issued_on + REVIEW_AFTER,
    )


def automatic_payments(case: Case) -> Hold | None:
    """An automatic or scheduled payment is set up: there is nothing to chase."""
    invoice = case.invoice
    if not invoice.pays_by_itself:
        return None
    review = (invoice.due_on or invoice.issued_on) + timedelta(days=14)
    return hold("pays_by_itself", ("invoice", invoice.number), review_on=review)


def inactive_customers(case: Case) -> Hold | None:
    """The ledger takes no new document for a customer who is archived. The debt stays one."""
    customer = case.day.account.members.get(case.invoice.customer)
    if customer is None or customer.is_active:
        return None
    return hold(
        "inactive_customer",
        ("customer", customer.name),
        review_on=case.today + REVIEW_AFTER,
    )


def inactive_payers(case: Case) -> Hold | None:
    """Who was archived in the ledger is left alone until a person has looked: the business may
    have ended, been merged into another, or be known under another name by now."""
    payer = case.day.account.payer
    if payer.is_active:
        return None
    return hold("inactive_payer", ("customer", payer.name), review_on=case.today)
