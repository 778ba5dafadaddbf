"""Tasks that follow from what customers told us: holds past their review date, promises that
were not kept, proofs of debt, credit notes that did not come, parts of a plan that were missed.

Each comes once: its key holds the day that it is about.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.internal import OpenTask
from rules.actions.keys import account_item, stage_item
from rules.aging import is_open
from rules.decision import Act, Decision, Reason, Skip
from rules.guards.reviews import owner_of, review_day
from rules.keeping import PromiseStanding
from rules.model.commitment import (
    Commitment,
    CreditExpected,
    Instalments,
    Stop,
    kind_of,
    last_day,
)
from rules.model.ids import InvoiceId, ItemKey, StageId
from rules.model.money import format_minor
from rules.model.own_stages import (
    BROKEN_PROMISE,
    CREDIT_OVERDUE,
    MISSED_INSTALMENT,
    PROOF_OF_DEBT,
    REVIEW,
)
from rules.owners import owner_text, person_in_charge
from rules.stand_ins import account_as_invoice


def commitment_tasks(day: AccountDay) -> Iterator[Decision]:
    """Every task of today that was not set before, and the next day on which there is one."""
    done = {item.key for item in day.account.served}
    for act in _tasks(day):
        if act.action.key not in done:
            yield act
    ahead = [on for on in _days(day) if on > day.today]
    if ahead:
        reason = Reason("not_due", (("next_on", min(ahead).isoformat()),))
        yield Skip(
            customer=day.account.payer.id, code="not_due", reasons=(reason,), next_on=min(ahead)
        )


def _days(day: AccountDay) -> Iterator[date]:
    """Days on which there is something to do about what stands."""
    for told in day.account.commitments:
        if told.stands_on(day.today):
            review_on = review_day(day.frame, told)
            if review_on is not None and _has_no_end_yet(told, review_on):
                yield review_on
            if isinstance(told, CreditExpected):
                yield told.until


READING: Final = "sync"
"""The actor of what the reading of the ledger found out."""


def _tasks(day: AccountDay) -> Iterator[Act]:
    yield from _broken(day)
    for told in sorted(day.account.commitments, key=lambda told: told.id):
        if not told.stands_on(day.today):
            continue
        review_on = review_day(day.frame, told)
        if review_on is not None and review_on <= day.today and _has_no_end_yet(told, review_on):
            yield _review(day, told, review_on)
        if isinstance(told, Stop) and told.because == "insolvency":
            yield _proof_of_debt(day, told)
        elif isinstance(told, CreditExpected) and told.until <= day.today:
            yield from _credit_overdue(day, told)
        elif isinstance(told, Instalments):
            yield from _missed(day, told)


def _has_no_end_yet(told: Commitment, review_on: date) -> bool:
    """What ends by itself by then needs nobody to look at it."""
    last = last_day(told)
    return last is None or review_on < last


def _broken(day: AccountDay) -> Iterator[Act]:
    """The slot is the promised day, so that each promise has its task once."""
    rules = day.frame.policy.commitments
    for position, found in enumerate(day.breaches):
        rule = rules.second_broken_promise if position else rules.broken_promise
        if rule == "task":
            told = found.promise
            yield _task(
                day,
                told,
                BROKEN_PROMISE,
                told.due_on,
                f"promised to pay {_about(day, told)} on {told.due_on}{_but(found)}",
                Reason("promise_broken", (("on", told.due_on.isoformat()),)),
            )


def _but(found: PromiseStanding) -> str:
    if found.paid <= 0:
        return " and did not"
    paid, promised = (
        f"{found.currency} {format_minor(amount, found.currency)}"
        for amount in (found.paid, found.promised)
    )
    return f" and paid {paid} of {promised}"


def _review(day: AccountDay, told: Commitment, review_on: date) -> Act:
    what = kind_of(told).replace("_", " ")
    why = f" ({told.reason})" if told.reason else ""
    reason = Reason(
        "review_due", (("what", what), ("since", told.on.isoformat()), ("on", str(review_on)))
    )
    return _task(
        day,
        told,
        REVIEW,
        review_on,
        # What nobody said, but the reading of the ledger, ends where it began.
        f"{_about(day, told)} waits since {told.on}{why}: put it right in the ledger"
        if told.actor == READING
        else f"look at the {what} of {told.on} about {_about(day, told)}{why}: end it, or say "
        "when to look again",
        reason,
        # Several of one customer may have the same day.
        key=ItemKey(f"task/{told.customer}/{REVIEW}/{told.id}/{review_on:%Y%m%d}"),
    )


def _proof_of_debt(day: AccountDay, told: Stop) -> Act:
    due_on = day.frame.calendar.shift(told.on, day.frame.policy.commitments.proof_of_debt_in)
    open_ones = [invoice for invoice in day.account.invoices if is_open(invoice)]
    sums: dict[str, int] = {}
    for invoice in open_ones:
        sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.balance
    owed = ", ".join(f"{name} {format_minor(sum_, name)}" for name, sum_ in sorted(sums.items()))
    return _task(
        day,
        told,
        PROOF_OF_DEBT,
        told.on,
        f"is insolvent: send in the proof of debt by {due_on}, {owed or 'nothing'} on "
        f"{len(open_ones)} invoice(s)",
        Reason("proof_of_debt", (("since", told.on.isoformat()), ("by", due_on.isoformat()))),
        due_on=due_on,
    )


def _credit_overdue(day: AccountDay, told: CreditExpected) -> Iterator[Act]:
    invoices = {invoice.id: invoice for invoice in day.account.invoices}
    for name in told.invoices:
        invoice = invoices.get(name)
        if invoice is None or not is_open(invoice):
            continue
        left = min(day.credit_awaited(told, invoice), invoice.balance)
        if left > 0:
            amount = f"{invoice.currency} {format_minor(left, invoice.currency)}"
            yield _task(
                day,
                told,
                CREDIT_OVERDUE,
                told.until,
                f"was to get a credit of {amount} on {invoice.number} by {told.until}, and it is "
                "not there: write it, or say that there is none",
                Reason(
                    "expected_credit_late", (("amount", amount), ("on", told.until.isoformat()))
                ),
                invoice=name,
            )


def _missed(day: AccountDay, told: Instalments) -> Iterator[Act]:
    if day.frame.policy.commitments.missed_instalment != "task":
        return
    found = day.plan_standing(told)
    for part in found.parts:
        if part.left > 0 and part.due_on < day.today:
            amount = f"{found.currency} {format_minor(part.left, found.currency)}"
            yield _task(
                day,
                told,
                MISSED_INSTALMENT,
                part.due_on,
                f"did not pay the instalment of {amount} that was due on {part.due_on}",
                Reason("instalment_missed", (("amount", amount), ("on", str(part.due_on)))),
            )


def _about(day: AccountDay, told: Commitment) -> str:
    numbers = {found.id: found.number for found in day.account.invoices}
    return ", ".join(numbers.get(name, name) for name in told.invoices) or "the account"


def _task(
    day: AccountDay,
    told: Commitment,
    stage: StageId,
    on: date,
    text: str,
    reason: Reason,
    *,
    due_on: date | None = None,
    invoice: InvoiceId | None = None,
    key: ItemKey | None = None,
) -> Act:
    payer = day.account.payer
    about = invoice or (told.invoices[0] if told.invoices else None)
    slot = int(f"{on:%Y%m%d}")
    if key is None and about is not None:
        key = stage_item("task", about, stage, slot)
    elif key is None:
        key = account_item("task", told.customer, stage, slot)
    found = next((one for one in day.account.invoices if one.id == about), None)
    named = owner_of(day.frame, told)
    person = person_in_charge(day, named, found or account_as_invoice(day, day.frame.base_currency))
    customer = day.account.members.get(told.customer, payer)
    return Act(
        action=OpenTask(
            key=key,
            customer=payer.id,
            items=(Item(key=key, kind="task", invoice=about, stage=stage),),
            stage=stage,
            text=f"{customer.name} {text}.",
            due_on=due_on or day.today,
            owner=owner_text(person, named),
        ),
        reasons=(reason,),
        send_on=day.today,
        mode=day.frame.policy.mode,
    )
