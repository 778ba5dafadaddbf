"""A decision in sentences: what happens to an invoice or a customer, why, and what comes next."""

from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.account_ladder import account_standings
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.aging import aged_totals, bucket, days_past_due, is_fee_document, is_open
from rules.commitment_words import commitment_words, standing_holds
from rules.decide import decide_account
from rules.decision import Act, Decision, Reason, Skip
from rules.dunning import standing
from rules.frame import Frame
from rules.model.book import Account, Book
from rules.model.customer import Customer
from rules.model.history import Served
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice
from rules.model.money import format_minor
from rules.policy.schema import Policy
from rules.quote import quote_in
from rules.reasons import REASONS, sentence

__all__ = ["REASONS", "Explanation", "SubjectError", "explain", "sentence"]


_FOUND: Final = " (found again in the ledger)"


class SubjectError(LookupError):
    """No invoice or customer of that name, or several: `candidates` are their ids."""

    def __init__(self, message: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said about a subject, in plain sentences."""

    subject: str
    customer: CustomerId
    title: str
    state: tuple[str, ...]
    """How things stand."""
    today: tuple[str, ...]
    """What is done today and what is not, with the reasons."""
    coming: tuple[str, ...]
    """What comes next, with its day."""
    fees: tuple[str, ...]
    """How each fee came about."""
    history: tuple[str, ...]
    """What was done so far."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything, in order."""
        return (
            self.title,
            *self.state,
            *self.today,
            *self.coming,
            *self.fees,
            *self.history,
        )


def explain(book: Book, policy: Policy, subject: str, today: date) -> Explanation:
    """Explain an invoice (by id or number) or a customer (by id or name).

    Raises SubjectError with the candidates where the name is unknown or not unique.
    """
    account, invoice = _find(book, subject)
    frame = Frame(book, policy, today)
    decisions = decide_account(frame, account)
    day = AccountDay(frame, account)
    if invoice is None:
        return _of_customer(day, subject, decisions)
    return _of_invoice(day, invoice, decisions)


def _find(book: Book, subject: str) -> tuple[Account, Invoice | None]:
    wanted = subject.casefold()
    invoices: list[tuple[Account, Invoice]] = []
    customers: list[tuple[Account, Customer]] = []
    for account in book.accounts():
        for found in account.invoices:
            if found.id == subject:
                return account, found
            if found.number.casefold() == wanted:
                invoices.append((account, found))
        for customer in account.members.values():
            if customer.id == subject or customer.name.casefold() == wanted:
                customers.append((account, customer))
    if len(invoices) == 1 and not customers:
        return invoices[0]
    if len(customers) == 1 and not invoices:
        return customers[0][0], None
    candidates = (
        *(invoice.id for _, invoice in invoices),
        *(customer.id for _, customer in customers),
    )
    if not candidates:
        raise SubjectError(f'no invoice or customer is called "{subject}"')
    raise SubjectError(
        f'"{subject}" may be any of {", ".join(candidates)}; name it by its id', candidates
    )


def _of_invoice(day: AccountDay, invoice: Invoice, decisions: list[Decision]) -> Explanation:
    customer = day.customer_of(invoice)
    touching = [found for found in decisions if _touches(found, invoice)]
    quoted = quote_in(day.frame, day.account, invoice)
    fees = tuple(
        f"{fee.fee}: {format_minor(fee.accrued, invoice.currency)} {invoice.currency} so far, "
        f"{format_minor(fee.posted, invoice.currency)} posted. {fee.text}"
        for fee in quoted.fees
    )
    return Explanation(
        subject=invoice.id,
        customer=day.account.payer.id,
        title=f"Invoice {invoice.number} of {customer.name}",
        state=(*_state(day, invoice), *_segments(day, invoice)),
        today=tuple(line for found in touching for line in _told(found)),
        # A stage that both writes and sets a task has a day for each: it is told once.
        coming=tuple(dict.fromkeys(_coming(day, invoice))),
        fees=fees,
        history=tuple(_history(day, invoice)),
    )


def _touches(found: Decision, invoice: Invoice) -> bool:
    if isinstance(found, Skip):
        return found.invoice == invoice.id or found.invoice is None
    return invoice.id in found.action.about


def _state(day: AccountDay, invoice: Invoice) -> Iterator[str]:
    currency = invoice.currency
    total = f"{format_minor(invoice.total, currency)} {currency}"
    if not is_open(invoice):
        yield f"Issued on {invoice.issued_on} for {total}; it is {invoice.status}."
        return
    yield (
        f"Issued on {invoice.issued_on} for {total}; "
        f"{format_minor(invoice.balance, currency)} {currency} is open."
    )
    days = days_past_due(invoice, day.today)
    if days is None:
        yield "It has no due date."
    elif days > 0:
        yield f"It was due on {invoice.due_on}, {days} days ago (bucket {bucket(days)})."
    else:
        yield f"It is due on {invoice.due_on}."
    net = day.net_of(invoice)
    if net != invoice.balance and not is_fee_document(invoice):
        yield f"Unapplied credit leaves {format_minor(net, currency)} {currency} to be asked for."
    told = {one.id: one for one in day.told(invoice)}
    told |= {one.promise.id: one.promise for one in day.breaches_of(invoice)}
    for one in sorted(told.values(), key=lambda one: (one.on, one.id)):
        yield from commitment_words(day, one)


def _segments(day: AccountDay, invoice: Invoice) -> Iterator[str]:
    """Which groups the invoice belongs to, and what of the procedure is not for it."""
    names = [name for name in day.frame.segments if day.is_in_any((name,), invoice)]
    if names:
        yield f"Segments: {', '.join(names)}."
    for step in day.frame.steps:
        if not day.applies(step.stage, invoice):
            title = step.stage.name or step.id
            left_out = [name for name in step.stage.skip if name in names]
            if left_out:
                yield f"{title} leaves out {', '.join(left_out)}."
            else:
                yield f"{title} is for {', '.join(step.stage.only)} only."


def _told(found: Decision) -> Iterator[str]:
    if isinstance(found, Act):
        yield f"Today: {_what(found)}."
        yield from (sentence(reason) for reason in found.reasons)
        return
    reasons: tuple[Reason, ...] = found.reasons or (Reason(found.code),)
    yield from (sentence(reason) for reason in reasons)
    if found.next_on is not None and found.code != "not_due":
        yield f"It is looked at again on {found.next_on}."
    if found.review_on is not None:
        yield f"A person should look at it by {found.review_on}."


def _what(found: Act) -> str:
    action = found.action
    amount = ""
    if action.amount is not None:
        amount = f" over {format_minor(action.amount, action.currency)} {action.currency}"
    kind = action.kind.replace("_", " ")
    if isinstance(action, SendReminder):
        return f"{kind}{f' ({action.stage})' if action.stage else ''}{amount}, mode {found.mode}"
    if isinstance(action, ChargeLateFee):
        return f"{kind} {action.fee_name}{amount}, mode {found.mode}"
    return f"{kind}{f' ({action.stage})' if action.stage else ''}, mode {found.mode}"


def _coming(day: AccountDay, invoice: Invoice) -> Iterator[str]:
    if invoice.due_on is None or not is_open(invoice) or is_fee_document(invoice):
        return
    dates = day.frame.dates_of(invoice)
    for step, on in standing(day, invoice, dates, in_full=True).coming:
        yield f"{step.stage.name or step.id} falls due on {on} if it is still open."
    for ladder in account_standings(day):
        for step, on in ladder.coming if invoice in ladder.overdue else ():
            name = step.stage.name or step.id
            yield f"{name} falls due on {on} for all that is overdue then."
    for rule in day.frame.all_fees:
        posting = rule.next_posting(invoice.due_on, day.today, day.frame.calendar)
        if posting is not None:
            yield f"{rule.fee.name or rule.id} is next posted on {posting}."


def _by_day(item: Served) -> tuple[date, str]:
    return item.on, item.key


def _done(item: Served) -> str:
    stage = f" {item.stage}" if item.stage else ""
    state = "" if item.state == "done" else f" ({item.state})"
    state += _FOUND if item.is_found_again else ""
    return f"On {item.on}: {item.kind.replace('_', ' ')}{stage}{state}."


def _history(day: AccountDay, invoice: Invoice) -> Iterator[str]:
    yield from map(_done, sorted(day.served_about(invoice), key=_by_day))
    for fee in sorted(day.fees.get(invoice.id, ()), key=lambda fee: (fee.on, fee.key)):
        amount = f"{format_minor(fee.amount, fee.currency)} {fee.currency}"
        found = _FOUND if fee.is_found_again else ""
        yield f"On {fee.on}: {fee.fee} {amount} charged as {fee.document}{found}."


def _of_customer(day: AccountDay, subject: str, decisions: list[Decision]) -> Explanation:
    payer = day.account.payer
    state = [
        f"Owes {format_minor(total.total, total.currency)} {total.currency}, "
        f"{format_minor(total.overdue, total.currency)} of it overdue."
        for total in aged_totals(day.account, day.today)
    ]
    for hold in standing_holds(day):
        about = f"{', '.join(hold.invoices)}: " if hold.invoices else ""
        state += [about + line for line in hold.text]
    numbers = {invoice.id: invoice.number for invoice in day.account.invoices}
    today: list[str] = []
    for found in decisions:
        about = ""
        if isinstance(found, Skip) and found.invoice is not None:
            about = f"Invoice {numbers.get(found.invoice, found.invoice)}: "
        today += [about + line for line in _told(found)]
    return Explanation(
        subject=subject,
        customer=payer.id,
        title=f"Customer {payer.name}",
        state=tuple(state) or ("Owes nothing.",),
        today=tuple(today),
        coming=tuple(
            f"{step.stage.name or step.id} falls due on {on} for what is overdue in "
            f"{ladder.currency} then."
            for ladder in account_standings(day)
            for step, on in ladder.coming
        ),
        fees=(),
        history=tuple(_done(item) for item in sorted(day.served.get(None, ()), key=_by_day)),
    )
