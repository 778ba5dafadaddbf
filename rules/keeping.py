"""Whether what customers undertook was kept: promises to pay, and the parts of payment plans.

Payments since the day of the promise or plan count, whatever came in on that very day included;
money that is not applied to an invoice yet counts too, because it is there. A payment that was
returned never was one.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal, TypeAlias

import msgspec

from rules.aging import is_fee_document, is_open
from rules.model.book import Account
from rules.model.commitment import CreditExpected, Instalments, Pause, Promise
from rules.model.credit import CreditNote
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor

ONE_DAY = timedelta(days=1)

Outcome: TypeAlias = Literal["waited_for", "kept", "partly", "broken"]


class PromiseStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a promise so far. Minor units."""

    promise: Promise
    outcome: Outcome
    """kept: all of it came by the end of the grace; partly, broken: some of it, or nothing, did."""
    ends: date
    """Last day on which it is waited for."""
    currency: str
    promised: Minor
    """Its amount; without one, what came in since and what is still open."""
    paid: Minor
    """What came in since, to this day."""
    missing: Minor
    """What of it has not come yet, never more than is open."""

    @property
    def is_breach(self) -> bool:
        """Whether its day and grace passed without all of it."""
        return self.outcome in ("partly", "broken")


class PartStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment. Minor units."""

    due_on: date
    ends: date
    """Last day on which it is waited for."""
    amount: Minor
    paid: Minor

    @property
    def left(self) -> Minor:
        return self.amount - self.paid


class PlanStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a payment plan so far. Minor units."""

    plan: Instalments
    currency: str
    paid: Minor
    parts: tuple[PartStanding, ...]
    is_broken: bool
    """A part, grace included, has passed without being paid, and still is not."""
    free: tuple[tuple[date, date], ...]
    """Days, both ends included, on which the plan stood and was kept."""

    @property
    def next_part(self) -> PartStanding | None:
        """The first part that is not paid in full; None where all are."""
        return next((part for part in self.parts if part.left > 0), None)


def promise_standing(
    account: Account, promise: Promise, ends: date, today: date
) -> PromiseStanding:
    """What became of a promise that is waited for until `ends`."""
    about = [
        invoice
        for invoice in account.invoices
        if not is_fee_document(invoice)
        and promise.binds(invoice.id)
        and (promise.invoices or promise.customer in (account.payer.id, invoice.customer))
    ]
    currency = promise.currency or next((one.currency for one in about), "")
    still_open = sum(one.balance for one in about if is_open(one) and one.currency == currency)
    received = receipts(account, promise.invoices, promise.on, currency, today)
    paid = sum(amount for _, amount in received)
    promised = promise.amount if promise.amount is not None else paid + still_open
    in_time = sum(amount for on, amount in received if on <= ends)
    missing = max(min(promised - paid, still_open), 0)
    outcome: Outcome
    if still_open <= 0 or in_time >= promised:
        outcome = "kept"
    elif today <= ends:
        outcome = "waited_for"
    else:
        outcome = "partly" if in_time > 0 else "broken"
    return PromiseStanding(
        promise=promise,
        outcome=outcome,
        ends=ends,
        currency=currency,
        promised=promised,
        paid=paid,
        missing=missing,
    )


def superseded(promise: Promise, others: Iterable[Promise]) -> bool:
    """Whether the customer agreed on another day before the promised one had passed: that is no
    breach. A new promise after it is one."""
    return any(
        (promise.on, promise.id) < (other.on, other.id)
        and other.on <= promise.due_on
        and (
            not promise.invoices
            or not other.invoices
            or not set(promise.invoices).isdisjoint(other.invoices)
        )
        for other in others
        if other is not promise and other.customer == promise.customer
    )


def plan_standing(
    account: Account, plan: Instalments, ends: Sequence[date], today: date
) -> PlanStanding:
    """What became of a plan. `ends` are the last days, grace included, of its parts in order."""
    currency = plan.currency or _currency(account.invoices, plan)
    received = receipts(account, plan.invoices, plan.on, currency, today)
    paid = left = sum(amount for _, amount in received)
    parts: list[PartStanding] = []
    for part, end in zip(plan.parts, ends, strict=True):
        used = min(left, part.amount)
        left -= used
        parts.append(PartStanding(due_on=part.due_on, ends=end, amount=part.amount, paid=used))
    return PlanStanding(
        plan=plan,
        currency=currency,
        paid=paid,
        parts=tuple(parts),
        is_broken=any(part.ends < today and part.left > 0 for part in parts),
        free=tuple(_kept_days(plan, parts, received)),
    )


def credit_awaited(
    told: CreditExpected, invoice: InvoiceId, credits: Iterable[CreditNote]
) -> Minor:
    """What of an expected credit has not come yet: credit notes since then count against it."""
    came = sum(
        part.amount
        for credit in credits
        if credit.kind == "credit_note" and credit.on >= told.on
        for part in credit.allocations
        if part.invoice == invoice
    )
    return max(told.amount - came, 0)


def free_days(found: PlanStanding) -> Iterable[Pause]:
    """Days on which a payment plan was kept, as pauses: nothing accrues on them, and they stay
    free when the plan breaks later."""
    plan = found.plan
    for first, last in found.free:
        yield Pause(
            id=plan.id, customer=plan.customer, invoices=plan.invoices, on=first, until=last
        )


def receipts(
    account: Account,
    invoices: Sequence[InvoiceId],
    since: date,
    currency: str,
    today: date,
) -> list[tuple[date, Minor]]:
    """(day, amount) of money that came in for those invoices, or for any where none is named."""
    named = frozenset(invoices)
    found: list[tuple[date, Minor]] = []
    for payment in account.payments:
        if payment.on < since or payment.on > today or payment.currency != currency:
            continue
        if payment.reversed_on is not None and payment.reversed_on <= today:
            continue
        applied = sum(p.amount for p in payment.allocations if not named or p.invoice in named)
        if applied + payment.unapplied > 0:
            found.append((payment.on, applied + payment.unapplied))
    for credit in account.credits:
        # Xero keeps money that is not applied as a credit of its own.
        if credit.kind not in ("overpayment", "prepayment") or credit.currency != currency:
            continue
        applied = sum(p.amount for p in credit.allocations if not named or p.invoice in named)
        if since <= credit.on <= today and applied + credit.remaining > 0:
            found.append((credit.on, applied + credit.remaining))
    return sorted(found)


def _currency(invoices: Iterable[Invoice], plan: Instalments) -> str:
    return next((one.currency for one in invoices if plan.binds(one.id)), "")


def _kept_days(
    plan: Instalments, parts: Sequence[PartStanding], received: Sequence[tuple[date, Minor]]
) -> Iterable[tuple[date, date]]:
    """Runs of days on which every part that had passed, grace included, was paid."""
    if not parts:
        return
    last = max(part.ends for part in parts)
    if plan.ended_on is not None:
        last = min(last, plan.ended_on - ONE_DAY)
    turns = {plan.on, *(part.ends + ONE_DAY for part in parts), *(on for on, _ in received)}
    days = sorted(day for day in turns if plan.on <= day <= last)
    begun: date | None = None
    for day in days:
        came = sum(amount for on, amount in received if on <= day)
        due = sum(part.amount for part in parts if part.ends < day)
        if came >= due and begun is None:
            begun = day
        elif came < due and begun is not None:
            yield begun, day - ONE_DAY
            begun = None
    if begun is not None:
        yield begun, last
