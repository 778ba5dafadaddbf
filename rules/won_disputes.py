"""What customers were right about in a dispute, until its credit note is there.

Whoever ends a dispute by the command is told to write the credit note, and a credit is expected
from then on. A book file, or notes found again, may know no more than that the customer won: the
same follows from that, so that nobody asks for what is to be credited.
"""

from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from rules.model.book import Account
from rules.model.commitment import CreditExpected, Dispute
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor


def with_credits_to_come(account: Account, today: date, until: Callable[[date], date]) -> Account:
    """The account with a credit expected for each part that the customer was right about.

    `until` is the day, counted from the end of a dispute, on which a person looks why there is no
    credit note yet.
    """
    found = tuple(_credits_to_come(account, today, until))
    if not found:
        return account
    return msgspec.structs.replace(account, commitments=(*account.commitments, *found))


def _credits_to_come(
    account: Account, today: date, until: Callable[[date], date]
) -> Iterator[CreditExpected]:
    for told in account.commitments:
        if not isinstance(told, Dispute) or told.won_by != "customer":
            continue
        ended_on = told.ended_on
        if ended_on is None or ended_on > today:
            continue
        for invoice in account.invoices:
            if not _is_about(account, told, invoice) or _is_expected(account, invoice, ended_on):
                continue
            notes = _credit_notes(account, invoice.id, told.on)
            came_on: date | None = None
            if told.amount is not None:
                # What came since the end of the dispute counts against what is expected.
                amount = told.amount - sum(credited for on, credited in notes if on < ended_on)
            else:
                # Nobody said how much: the first credit note is the answer.
                amount = invoice.total
                came_on = min((on for on, _ in notes), default=None)
            if amount > 0 and (came_on is None or came_on > ended_on):
                yield CreditExpected(
                    id=f"{told.id}/credit/{invoice.id}",
                    customer=told.customer,
                    invoices=(invoice.id,),
                    on=ended_on,
                    ended_on=came_on,
                    reason=told.reason,
                    actor=told.actor,
                    owner=told.owner,
                    amount=amount,
                    until=until(ended_on),
                )


def _is_about(account: Account, told: Dispute, invoice: Invoice) -> bool:
    if told.invoices:
        return invoice.id in told.invoices
    # Of a payer it spoke of all that was there, of a child of its own.
    return told.customer in (account.payer.id, invoice.customer) and (
        told.ended_on is None or invoice.issued_on <= told.ended_on
    )


def _is_expected(account: Account, invoice: Invoice, since: date) -> bool:
    """Whether somebody said when a credit is to come, and how much."""
    return any(
        isinstance(one, CreditExpected) and one.on >= since and one.binds(invoice.id)
        for one in account.commitments
    )


def _credit_notes(account: Account, invoice: InvoiceId, since: date) -> list[tuple[date, Minor]]:
    return [
        (credit.on, part.amount)
        for credit in account.credits
        if credit.kind == "credit_note" and credit.on >= since
        for part in credit.allocations
        if part.invoice == invoice
    ]
