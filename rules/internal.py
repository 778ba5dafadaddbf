"""What a stage has colleagues do: notes, tasks, calls, notifications; credit holds; and invoices
that the ledger mails."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from rules.account_day import AccountDay
from rules.account_ladder import AccountStage
from rules.actions.action import Action, Item
from rules.actions.internal import (
    MakeCall,
    NotifyOwner,
    OpenTask,
    PlaceCreditHold,
    ReleaseCreditHold,
    WriteNote,
)
from rules.actions.keys import message_key, stage_item
from rules.actions.on_invoice import SendInvoice
from rules.credit_state import credit_state
from rules.decision import Act, Reason, Skip
from rules.dunning import DueStage
from rules.frame import ONE_DAY
from rules.model.ids import InvoiceId, ItemKey
from rules.model.invoice import Invoice
from rules.model.money import format_minor
from rules.owners import owner_text, person_in_charge
from rules.policy.script import filled
from rules.served_stages import slot_of
from rules.steps import KIND_OF_VERB, Step

_FOR_PEOPLE: dict[str, type[OpenTask]] = {
    "task": OpenTask,
    "call": MakeCall,
    "notify": NotifyOwner,
}


HOLD_REVIEWED_AFTER: Final = timedelta(days=30)
"""After its day, a stage that found the customer on hold already is looked at by a person."""

_VERBS: Final = frozenset({"note", *_FOR_PEOPLE})
"""Internal verbs of this module; proposals to write off have a module of their own."""

_CREDIT_VERBS: Final = ("hold_credit", "release_credit")


class Due(msgspec.Struct, frozen=True):
    """An invoice and the stage of which something internal is due."""

    invoice: Invoice
    due: DueStage
    account: AccountStage | None = None
    """Where it is a stage of the account's ladder: one item stands for all its invoices."""


def account_dues(stage: AccountStage) -> list[Due]:
    """The invoices that a stage of the account is about, as one thing to do."""
    return [Due(invoice, stage.due, stage) for invoice in stage.invoices]


def internal_acts(day: AccountDay, found: Sequence[Due]) -> Iterator[Act]:
    """A note for each invoice; one task, call or notification for all of a stage."""
    together: dict[tuple[str, int, str, str], list[Due]] = defaultdict(list)
    noted: set[ItemKey] = set()
    for one in found:
        for verb in one.due.step.internal:
            if verb not in _VERBS or _was_done(day, one, verb):
                continue
            if verb == "note":
                if _key(one, verb) not in noted:
                    noted.add(_key(one, verb))
                    yield _act(day, _note(day, one), [one])
            else:
                unit = one.account.unit if one.account is not None else ""
                together[verb, one.due.step.index, one.invoice.currency, unit].append(one)
    for (verb, _, currency, _), same in together.items():
        yield _act(day, _for_person(day, verb, currency, same), same)


def _was_done(day: AccountDay, one: Due, verb: str) -> bool:
    if one.account is not None:
        key = _key(one, verb)
        return any(item.key == key for item in day.served.get(None, ()))
    return any(
        item.stage in one.due.step.ids
        and item.kind == KIND_OF_VERB[verb]
        and slot_of(item) >= one.due.slot
        for item in day.served.get(one.invoice.id, ())
    )


def _key(one: Due, verb: str) -> ItemKey:
    if one.account is not None:
        return one.account.key(KIND_OF_VERB[verb])
    return stage_item(KIND_OF_VERB[verb], one.invoice.id, one.due.step.id, one.due.slot)


def _item(one: Due, verb: str) -> Item:
    return Item(
        key=_key(one, verb),
        kind=KIND_OF_VERB[verb],
        invoice=one.invoice.id if one.account is None else None,
        stage=one.due.step.id,
    )


def _covered(found: Sequence[Due]) -> tuple[InvoiceId, ...]:
    """Invoices that the items of stages of the account stand for."""
    return tuple(dict.fromkeys(one.invoice.id for one in found if one.account is not None))


def _items(found: Sequence[Due], verb: str) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(_item(one, verb) for one in found))


def _told(day: AccountDay, one: Due) -> str:
    invoice = one.invoice
    days = (day.today - invoice.due_on).days if invoice.due_on is not None else 0
    late = f"{days} days past due" if days > 0 else f"due on {invoice.due_on or 'no day'}"
    if invoice.status == "paid":
        return f"invoice {invoice.number}, paid"
    owed = f"{invoice.currency} {format_minor(invoice.balance, invoice.currency)}"
    return f"invoice {invoice.number}, {owed}, {late}"


def _note(day: AccountDay, one: Due) -> WriteNote:
    about = [one] if one.account is None else account_dues(one.account)
    told = "; ".join(_told(day, due) for due in about)
    return WriteNote(
        key=_key(one, "note"),
        customer=day.account.payer.id,
        currency=one.invoice.currency,
        items=(_item(one, "note"),),
        covers=_covered(about),
        stage=one.due.step.id,
        invoice=one.invoice.id,
        text=f"{_title(one.due.step)} reached on {day.today}: {told}.",
    )


def _title(step: Step) -> str:
    return step.stage.name or step.id


def _for_person(day: AccountDay, verb: str, currency: str, same: Sequence[Due]) -> OpenTask:
    step = same[0].due.step
    stage = step.stage
    items = _items(same, verb)
    key = items[0].key
    if len(items) > 1:
        key = message_key(day.account.payer.id, [item.key for item in items])
    payer = day.account.payer
    told = tuple(_told(day, one) for one in same)
    text = f"{_title(step)}, {payer.name}: {'; '.join(told)}."
    asked = filled(stage.script, _figures(day, currency, same))
    person = person_in_charge(day, stage.owner, same[0].invoice)
    facts: dict[str, Any] = {
        "key": key,
        "customer": payer.id,
        "currency": currency,
        "items": items,
        "covers": _covered(same),
        "stage": step.id,
        "text": f"{text} {asked}".strip(),
        "due_on": day.frame.calendar.shift(day.today, stage.due_in),
        "owner": owner_text(person, stage.owner),
    }
    if verb != "notify":
        return _FOR_PEOPLE[verb](**facts)
    return NotifyOwner(
        **facts,
        email=person.email if person is not None else "",
        name=person.shown if person is not None else "",
        title=_title(step),
        customer_name=payer.name,
        told=told,
        asked=asked,
    )


def _figures(day: AccountDay, currency: str, same: Sequence[Due]) -> dict[str, str]:
    """What fills the blanks of a script."""
    payer = day.account.payer
    found = [one.invoice for one in same]
    oldest = min(found, key=lambda one: (one.due_on or day.today, one.id))
    contact = next((one for one in payer.contacts if one.phone), None)
    late = (day.today - oldest.due_on).days if oldest.due_on is not None else 0
    total = format_minor(sum(one.balance for one in found), currency)
    return {
        "customer": payer.name,
        "contact": (contact.name if contact is not None else "") or payer.name,
        "phone": payer.phone or (contact.phone if contact is not None else "") or "no number",
        "invoices": ", ".join(one.number for one in found),
        "total": f"{currency} {total}",
        "days_late": str(max(late, 0)),
        "due_on": str(oldest.due_on or ""),
        "promises": str(day.broken_promises),
    }


def _act(day: AccountDay, action: Action, same: Sequence[Due]) -> Act:
    return Act(
        action=action,
        reasons=tuple(dict.fromkeys(reason for one in same for reason in one.due.reasons)),
        send_on=day.today,
        mode=same[0].due.step.mode,
    )


def sending_acts(day: AccountDay, found: Sequence[Due]) -> Iterator[Act]:
    """One for each invoice: the ledger mails its own document, in a mail of its own."""
    for one in found:
        yield _act(
            day,
            SendInvoice(
                key=_key(one, "send_invoice"),
                customer=day.account.payer.id,
                currency=one.invoice.currency,
                items=(_item(one, "send_invoice"),),
                stage=one.due.step.id,
                invoice=one.invoice.id,
            ),
            [one],
        )


def hold_acts(day: AccountDay, found: Sequence[Due]) -> Iterator[Act | Skip]:
    """One credit hold, or one release, for the account: the firmest stage's."""
    credit = [due for due in found if set(due.due.step.holds) & set(_CREDIT_VERBS)]
    if not credit:
        return
    one = max(credit, key=lambda due: (due.due.step.index, due.invoice.id))
    state = credit_state(day.account)
    for verb in one.due.step.holds:
        if verb not in _CREDIT_VERBS:
            continue
        same = [due for due in credit if verb in due.due.step.holds]
        places = verb == "hold_credit"
        if places == state.is_on_hold or (state.by == "ledger" and not places):
            code = "already_on_hold" if places else "not_on_hold"
            if state.by == "ledger" and not places:
                # What a person placed in the ledger is theirs to release.
                code = "hold_of_a_person"
            for due in same:
                # Nothing to do here, and perhaps nothing after it: a person looks in a month.
                review_on = due.due.trigger + HOLD_REVIEWED_AFTER
                yield _no_hold(day, due, verb, code, review_on=review_on)
            continue
        day.is_credit_moved = True
        kind = PlaceCreditHold if places else ReleaseCreditHold
        yield _act(
            day,
            kind(
                key=_key(one, verb),
                customer=day.account.payer.id,
                currency=one.invoice.currency,
                items=_items((one, *(d for d in same if d is not one)), verb),
                covers=_covered(same),
                stage=one.due.step.id,
                text=f"{_title(one.due.step)}: {_told(day, one)}.",
            ),
            [one],
        )
    for due in credit:
        verb = next(verb for verb in due.due.step.holds if verb in _CREDIT_VERBS)
        if verb not in one.due.step.holds:
            yield _no_hold(day, due, verb, "firmer_hold_first", next_on=day.today + ONE_DAY)


def _no_hold(
    day: AccountDay,
    due: Due,
    verb: str,
    code: str,
    *,
    next_on: date | None = None,
    review_on: date | None = None,
) -> Skip:
    payer = day.account.payer
    return Skip(
        customer=payer.id,
        invoice=due.invoice.id,
        stage=due.due.step.id,
        key=_key(due, verb),
        code=code,
        reasons=(Reason(code, (("customer", payer.name),)),),
        next_on=next_on,
        review_on=review_on,
    )
