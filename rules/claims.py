"""Fees that are claimed and never posted (`post = "claim_only"`): what formal letters claim.

UK creditors, for one, often ask for statutory interest in the letter before action and in court
only: it accrues, a formal message names what it came to and what each further day adds, and the
ledger never holds a document of it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from fractions import Fraction

from rules.account_day import AccountDay
from rules.accruing import accrual, assessed, note_charge
from rules.actions.fee_claim import FeeClaim
from rules.charges import hold_of_fee, not_yet, posted_on
from rules.fee_rules import FeeRule
from rules.fees.assess import Assessment, in_words
from rules.fees.base import MissingRateError, NoAmountError, rational
from rules.fees.timeline import Debt
from rules.model.invoice import Invoice
from rules.policy.values import Mode


def claims(
    day: AccountDay, invoices: Iterable[Invoice], is_observed: bool = False
) -> Iterator[FeeClaim]:
    """What is claimed on the invoices today, in the order of the invoices and of the policy.

    Whatever keeps a fee from being charged keeps it from being claimed; what is only observed
    stands in no message that goes out. `is_observed`: neither does the message.
    """
    rules = [
        rule
        for rule in day.frame.fees
        if rule.fee.post.kind == "claim_only" and (is_observed or not rule.is_observed)
    ]
    if not rules:
        return
    for invoice in invoices:
        for rule in rules:
            found = _claim(day, rule, invoice)
            if found is not None:
                yield found


def modes_of(day: AccountDay, made: Iterable[FeeClaim]) -> set[Mode]:
    """How far the fees that are claimed may go by themselves: the message goes no further."""
    named = {claim.fee for claim in made}
    return {rule.mode for rule in day.frame.fees if rule.id in named}


def _claim(day: AccountDay, rule: FeeRule, invoice: Invoice) -> FeeClaim | None:
    fee = rule.fee
    since = fee.applies_to.issued_from
    if not rule.has_basis or not day.applies(fee, invoice):
        return None
    if invoice.due_on is None or (since is not None and invoice.issued_on < since):
        return None
    if hold_of_fee(day, invoice, fee) is not None:
        return None
    posted = posted_on(day, invoice, rule)
    try:
        debt, found = assessed(day, rule, invoice, day.today, posted)
        per_day = _per_day(day, rule, invoice, debt, found)
    except (NoAmountError, MissingRateError):
        return None
    if found.to_post <= 0 or not_yet(day, invoice, rule, debt, found, posted) is not None:
        return None
    note_charge(day, rule, invoice, found.to_post)
    return FeeClaim(
        invoice=invoice.id,
        fee=rule.id,
        name=fee.name or fee.id,
        amount=found.to_post,
        through=day.today,
        per_day=rational(per_day),
        derivation=found.derivation(in_words(fee, found, debt)),
    )


def _per_day(
    day: AccountDay, rule: FeeRule, invoice: Invoice, debt: Debt, found: Assessment
) -> Fraction:
    """What tomorrow adds, exactly and in major units; nothing under a cap that is reached."""
    if found.capped_by is not None or rule.fee.on == "returned_payment":
        return Fraction(0)
    tomorrow = accrual(day, rule, invoice, debt)(day.today + timedelta(days=1))
    return max(tomorrow.exact - found.accrual.exact, Fraction(0))
