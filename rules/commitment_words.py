"""What customers told us and what became of it, in sentences, for `explain` and lists of holds."""

from collections.abc import Iterator
from datetime import date

import msgspec

from rules.account_day import AccountDay
from rules.guards.reviews import review_day
from rules.model.commitment import (
    Commitment,
    CreditExpected,
    Dispute,
    Instalments,
    Pause,
    Placement,
    Promise,
    Stop,
    Withheld,
    kind_of,
    last_day,
)
from rules.model.ids import CustomerId
from rules.model.money import Minor, format_minor
from rules.owners import in_charge_of


class HoldWords(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that holds a customer, with who looks after it."""

    id: str
    kind: str
    customer: CustomerId
    customer_name: str
    invoices: tuple[str, ...]
    """Numbers; none: the whole account."""
    since: date
    until: date | None
    """The day named in it; None: a person ends it."""
    owner: str
    review_on: date | None
    """When the owner looks at it; None: it ends by itself."""
    is_past_review: bool
    reason: str
    actor: str
    text: tuple[str, ...]
    """What was said and what became of it."""


def standing_holds(day: AccountDay) -> Iterator[HoldWords]:
    """Everything that stands for an account, in the order of its days."""
    for told in sorted(day.account.commitments, key=lambda told: (told.on, told.id)):
        if told.stands_on(day.today) and not _is_over(day, told):
            yield hold_words(day, told)


def hold_words(day: AccountDay, told: Commitment) -> HoldWords:
    """One of them."""
    numbers = {invoice.id: invoice.number for invoice in day.account.invoices}
    customer = day.account.members.get(told.customer, day.account.payer)
    review_on = review_day(day.frame, told)
    return HoldWords(
        id=told.id,
        kind=kind_of(told),
        customer=told.customer,
        customer_name=customer.name,
        invoices=tuple(numbers.get(name, name) for name in told.invoices),
        since=told.on,
        until=last_day(told),
        owner=in_charge_of(day, told),
        review_on=review_on,
        is_past_review=review_on is not None and review_on < day.today,
        reason=told.reason,
        actor=told.actor,
        text=tuple(commitment_words(day, told)),
    )


def commitment_words(day: AccountDay, told: Commitment) -> Iterator[str]:
    """What was said, what became of it, and who looks after it."""
    yield from _said(day, told)
    owner, review_on = in_charge_of(day, told), review_day(day.frame, told)
    if review_on is not None and review_on < day.today:
        yield f"It was to be looked at by {owner} on {review_on}."
    elif review_on is not None:
        yield f"{owner[:1].upper()}{owner[1:]} looks at it on {review_on}."
    else:
        yield f"{owner[:1].upper()}{owner[1:]} looks after it."


def _is_over(day: AccountDay, told: Commitment) -> bool:
    """Whether it holds nothing any more, though nobody ended it."""
    match told:
        case Promise():
            found = day.promise_standing(told)
            return found.outcome == "kept" and told.due_on < day.today
        case Pause():
            return told.until < day.today
        case Withheld():
            return told.until <= day.today
        case _:
            return False


def _said(day: AccountDay, told: Commitment) -> Iterator[str]:
    why = f" ({told.reason})" if told.reason else ""
    on = told.on
    match told:
        case Promise():
            yield _of_promise(day, told, why)
        case Instalments():
            yield from _of_plan(day, told, why)
        case Dispute():
            part = _sum(day, told, told.amount)
            yield f"Disputed since {on}{f', {part} of it' if part else ''}{why}."
        case Pause():
            yield f"Paused from {on} until {told.until}{why}."
        case Withheld():
            yield f"{_sum(day, told, told.amount)} withheld until {told.until}{why}."
        case CreditExpected():
            yield f"A credit of {_sum(day, told, told.amount)} is expected by {told.until}{why}."
        case Stop():
            yield f"Everything stopped since {on}: {told.because}{why}."
        case Placement():
            yield f"Handed over on {on} to {told.name or told.to}{why}."


def _of_promise(day: AccountDay, told: Promise, why: str) -> str:
    found = day.promise_standing(told)
    amount = f" {_money(found.promised, found.currency)}" if told.amount is not None else ""
    head = f"Promised on {told.on} to pay{amount} by {told.due_on}{why}"
    paid = _money(found.paid, found.currency)
    match found.outcome:
        case "kept":
            return f"{head}: kept."
        case "waited_for":
            came = f", {paid} came so far" if found.paid > 0 else ""
            return f"{head}; waited for until {found.ends}{came}."
        case "partly":
            missing = _money(found.missing, found.currency)
            return f"{head}: kept in part, {paid} came and {missing} is missing."
        case "broken":
            return f"{head}: not kept."


def _of_plan(day: AccountDay, told: Instalments, why: str) -> Iterator[str]:
    found = day.plan_standing(told)
    count = len(found.parts)
    state = "broken, so the procedure goes on" if found.is_broken else "kept so far"
    if found.next_part is None:
        state = "all parts are paid"
    yield f"{count} instalments agreed on {told.on}{why}: {state}."
    for position, part in enumerate(found.parts, start=1):
        amount = _money(part.amount, found.currency)
        if part.left <= 0:
            paid = "paid"
        elif part.due_on < day.today:
            paid = f"{_money(part.left, found.currency)} missing"
        elif part.paid > 0:
            paid = f"{_money(part.left, found.currency)} to come"
        else:
            paid = "to come"
        yield f"Instalment {position} of {count}: {amount} on {part.due_on}, {paid}."


def _sum(day: AccountDay, told: Commitment, amount: Minor | None) -> str:
    if amount is None:
        return ""
    found = (one.currency for one in day.account.invoices if one.id in told.invoices)
    return _money(amount, next(found, day.frame.base_currency))


def _money(amount: Minor, currency: str) -> str:
    return f"{format_minor(amount, currency or 'USD')} {currency}".strip()
