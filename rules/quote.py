"""What a customer would owe on an invoice on a day: principal, fees, and how they came about.

A quote ignores posting schedules, modes and the contact budget. It never charges anything.
"""

from datetime import date

import msgspec

from rules.account_day import AccountDay
from rules.accruing import assessed, note_charge
from rules.actions.late_fee import DerivationRow, DerivationStep
from rules.aging import is_fee_document
from rules.charges import not_yet
from rules.decision import Reason
from rules.fee_rules import FeeRule
from rules.fees.assess import Assessment, in_words, less
from rules.fees.base import NOTHING, MissingRateError, NoAmountError
from rules.frame import Frame
from rules.model.book import Account, Book
from rules.model.ids import FeeId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor, format_minor
from rules.policy.schema import Policy
from rules.reasons import sentence

SCHEMA = 1


class UnknownInvoiceError(LookupError):
    """The invoice is not in the book."""


class QuotedFee(msgspec.Struct, frozen=True, kw_only=True):
    """One fee of the policy on the invoice. Minor units."""

    fee: FeeId
    type: str
    accrued: Minor
    """Cumulative after the lifetime caps, rounded once."""
    posted: Minor
    to_post: Minor
    capped_by: str | None
    derivation: tuple[DerivationRow, ...]
    steps: tuple[DerivationStep, ...]
    text: str


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What would be owed. Minor units of `currency`."""

    invoice: InvoiceId
    invoice_number: str
    on: date
    currency: str
    original: Minor
    outstanding: Minor
    fees: tuple[QuotedFee, ...]
    total_due: Minor
    """Outstanding, fees charged before and still owed, and what is to be posted."""

    def plain(self) -> dict[str, object]:
        """As `quote --json` prints it: amounts as decimal strings in the currency's digits."""

        def money(minor: Minor | None) -> str | None:
            return None if minor is None else format_minor(minor, self.currency)

        return {
            "schema": SCHEMA,
            "invoice": self.invoice,
            "invoice_number": self.invoice_number,
            "on": self.on.isoformat(),
            "currency": self.currency,
            "original": money(self.original),
            "outstanding": money(self.outstanding),
            "fees": [
                {
                    "fee": fee.fee,
                    "type": fee.type,
                    "accrued": money(fee.accrued),
                    "posted": money(fee.posted),
                    "to_post": money(fee.to_post),
                    "capped_by": fee.capped_by,
                    "derivation": [
                        {
                            "kind": row.kind,
                            "from": row.from_.isoformat() if row.from_ else None,
                            "to": row.to.isoformat() if row.to else None,
                            "days": row.days,
                            "base": money(row.base),
                            "annual_rate": row.annual_rate,
                            "exact": row.exact,
                        }
                        for row in fee.derivation
                    ],
                    "steps": [{"step": step.step, "amount": step.amount} for step in fee.steps],
                    "text": fee.text,
                }
                for fee in self.fees
            ],
            "total_due": money(self.total_due),
        }


def quote(book: Book, policy: Policy, invoice: InvoiceId, today: date) -> Quote:
    """What would be owed on the invoice on `today`. Raises UnknownInvoiceError."""
    for account in book.accounts():
        for found in account.invoices:
            if found.id == invoice:
                return quote_in(Frame(book, policy, today), account, found)
    raise UnknownInvoiceError(f"invoice {invoice} is not in the book")


def quote_in(frame: Frame, account: Account, invoice: Invoice) -> Quote:
    """The quote of an invoice whose account is at hand."""
    day = AccountDay(frame, account)
    fees: list[QuotedFee] = []
    if invoice.status in ("open", "paid") and not is_fee_document(invoice):
        for rule in frame.all_fees:
            if day.applies(rule.fee, invoice):
                fees.append(_fee(day, invoice, rule))
    outstanding = invoice.balance if invoice.status == "open" else 0
    to_post = sum(fee.to_post for fee in fees)
    return Quote(
        invoice=invoice.id,
        invoice_number=invoice.number,
        on=frame.today,
        currency=invoice.currency,
        original=invoice.total,
        outstanding=outstanding,
        fees=tuple(fees),
        total_due=outstanding + to_post + _charged_before(account, invoice),
    )


def _fee(day: AccountDay, invoice: Invoice, rule: FeeRule) -> QuotedFee:
    fee, frame = rule.fee, day.frame
    name = fee.name or fee.id
    posted = [charge for charge in day.fees.get(invoice.id, ()) if charge.fee in rule.ids]
    told = (("fee", name), ("invoice", invoice.number))
    if fee.scope == "customer" and fee.type == "flat":
        return _none(rule, sentence(Reason("fee_of_the_account", told)))
    debt = day.debt(invoice)
    since = fee.applies_to.issued_from
    if debt is None:
        return _none(rule, sentence(Reason("no_due_date", told)))
    if since is not None and invoice.issued_on < since:
        return _none(rule, f"{name} is for invoices issued from {since}.")
    try:
        debt, found = assessed(day, rule, invoice, frame.today, posted)
    except NoAmountError:
        facts = (*told, ("currency", invoice.currency))
        return _none(rule, sentence(Reason("no_amount_for_currency", facts)))
    except MissingRateError as missing:
        return _none(rule, sentence(Reason("reference_rate_missing", (*told, *missing.facts))))
    text = in_words(fee, found, debt)
    note_charge(day, rule, invoice, max(found.to_post, 0))
    waits = not_yet(day, invoice, rule, debt, found, posted) if found.to_post > 0 else None
    if waits is not None:
        code, more = waits
        step = "carried" if code == "fee_too_small" else "deferred"
        found = less(found, step, found.to_post, invoice.currency)
        text = f"{text}; {sentence(Reason(code, (*told, *more)))}"
    if fee.post.kind == "claim_only":
        text = f"{text}; {sentence(Reason('fee_claimed_only', told))}"
    if not rule.has_basis:
        # What it would come to is still worth knowing; charging waits for the basis.
        text = f"{text}; {sentence(Reason('no_legal_basis', told))}"
    return _quoted(rule, found, text)


def _none(rule: FeeRule, why: str) -> QuotedFee:
    nothing = Assessment(accrued=0, posted=0, to_post=0, accrual=NOTHING)
    return _quoted(rule, nothing, why)


def _quoted(rule: FeeRule, found: Assessment, text: str) -> QuotedFee:
    return QuotedFee(
        fee=rule.id,
        type=rule.fee.type,
        accrued=found.accrued,
        posted=found.posted,
        to_post=found.to_post,
        capped_by=found.capped_by,
        derivation=found.accrual.rows,
        steps=found.steps,
        text=text or "Nothing accrued.",
    )


def _charged_before(account: Account, invoice: Invoice) -> Minor:
    """Fees of the invoice that were charged and are still owed.

    Where the fee's document is in the book its balance counts; where it is not, what was charged
    less what was taken back or waived.
    """
    documents = {found.number: found for found in account.invoices if is_fee_document(found)}
    owed = 0
    for charge in account.fees:
        if charge.invoice != invoice.id:
            continue
        document = documents.get(charge.document)
        if document is not None:
            left = document.balance if document.status == "open" else 0
            # Of a document about a whole account no more than the invoice's own part.
            owed += left if charge.account_key is None else min(left, charge.amount)
            continue
        waived = sum(w.amount for w in account.waivers if w.document == charge.document)
        owed += max(charge.amount - charge.corrected - waived, 0)
    return owed
