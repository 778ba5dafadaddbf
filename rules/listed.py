"""What a message lists besides the invoices it asks for: other open ones, parts that are set
aside, and credit that makes the total smaller."""

from collections.abc import Iterable, Sequence
from datetime import date

from rules.account_day import AccountDay
from rules.aging import is_fee_document
from rules.guards.base import Case
from rules.guards.disputes import contested, contested_by_ground, uncontested
from rules.guards.promises import part_awaited
from rules.model.book import Account
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor


def parts_set_aside(
    day: AccountDay, listed: Sequence[InvoiceId]
) -> tuple[tuple[InvoiceId, Minor], ...]:
    """Contested parts of the invoices that a message lists."""
    if not day.account.commitments:
        return ()
    shown = set(listed)
    parts = (
        (invoice.id, contested(Case(day, invoice, "reminder")))
        for invoice in day.account.invoices
        if invoice.id in shown
    )
    return tuple((invoice, part) for invoice, part in parts if part)


def aside_by_ground(
    day: AccountDay, set_aside: Sequence[tuple[InvoiceId, Minor]]
) -> tuple[tuple[InvoiceId, str, Minor], ...]:
    """Those parts by why nobody asks for them: disputed, withheld, credit (on its way)."""
    if not set_aside:
        return ()
    shown = {invoice for invoice, _ in set_aside}
    return tuple(
        (invoice.id, ground, part)
        for invoice in day.account.invoices
        if invoice.id in shown
        for ground, part in contested_by_ground(Case(day, invoice, "reminder")).items()
    )


def in_instalments(
    day: AccountDay, listed: Sequence[Invoice]
) -> tuple[tuple[InvoiceId, date, Minor], ...]:
    """Those of the invoices that are paid in instalments as agreed, with the day of the plan's
    next part and what is open of it."""
    if not day.account.commitments:
        return ()
    return tuple(
        (invoice.id, part.due_on, part.left)
        for invoice in listed
        if (part := part_awaited(Case(day, invoice, "reminder"))) is not None
    )


def credit_deducted(day: AccountDay, invoices: Sequence[Invoice], total: Minor) -> Minor:
    """Credit of the account that makes the total smaller than the rows above it."""
    if day.is_plain:
        return 0
    rows = (invoice.balance - contested(Case(day, invoice, "reminder")) for invoice in invoices)
    return sum(rows) - total


def open_beside(account: Account, currency: str, listed: Iterable[InvoiceId]) -> list[Invoice]:
    """Open invoices of the account and currency besides those that a message asks for; not those
    that were never sent."""
    listed = frozenset(listed)
    return [
        invoice
        for invoice in account.invoices
        if invoice.currency == currency
        and invoice.status == "open"
        and invoice.balance > 0
        and invoice.sent is not False
        and invoice.id not in listed
    ]


def also_open_of(
    day: AccountDay, currency: str, qualified: tuple[InvoiceId, ...], announced: frozenset[str]
) -> tuple[InvoiceId, ...]:
    """Other open invoices, for information: sent, not contested, not covered by credit and
    not handed over. Documents of the fees that the message announces stand there already."""
    found: list[InvoiceId] = []
    is_plain, placed = day.is_plain, day.placed
    for invoice in open_beside(day.account, currency, qualified):
        if invoice.id in placed:
            continue
        if announced and invoice.number in announced and is_fee_document(invoice):
            continue
        if is_plain or is_fee_document(invoice):
            found.append(invoice.id)
            continue
        if uncontested(Case(day, invoice, "reminder")) <= 0:
            continue
        found.append(invoice.id)
    return tuple(found)
