"""What is due a reminder, and the message that reminds of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from rules.account_day import AccountDay
from rules.account_ladder import AccountStage
from rules.actions.action import Item
from rules.actions.keys import stage_item
from rules.actions.messages import SendFeeNotice, SendReminder
from rules.announcing import FeeToTell
from rules.breaches import broken_promise
from rules.claims import claims
from rules.dunning import DueStage
from rules.early_payment import discounts_open
from rules.frame import Frame
from rules.guards.base import Case
from rules.guards.disputes import uncontested
from rules.listed import also_open_of, aside_by_ground, credit_deducted, parts_set_aside
from rules.model.ids import CustomerId, InvoiceId, ItemKey
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.payments_told import payments_returned
from rules.policy.schema import Policy
from rules.policy.stage import Stage
from rules.steps import Step


class Reminding(msgspec.Struct, frozen=True):
    """An invoice that is due a reminder and that nothing holds."""

    invoice: Invoice
    due: DueStage
    asked: Minor
    """What may be asked for: credit, disputed and withheld parts deducted."""
    account: AccountStage | None = None
    """Where it is a stage of the account's ladder: one item stands for all its invoices."""

    @property
    def key(self) -> ItemKey:
        """Item key of the reminder."""
        if self.account is not None:
            return self.account.key("reminder")
        return stage_item("reminder", self.invoice.id, self.due.step.id, self.due.slot)

    @property
    def item(self) -> Item:
        """What is served."""
        if self.account is not None:
            return Item(key=self.key, kind="reminder", stage=self.due.step.id)
        invoice, stage = self.invoice.id, self.due.step.id
        key = stage_item("reminder", invoice, stage, self.due.slot)
        return Item(key=key, kind="reminder", invoice=invoice, stage=stage)


def account_reminders(stage: AccountStage) -> list[Reminding]:
    """The invoices that a stage of the account asks for, in one message."""
    return [
        Reminding(invoice, stage.due, asked, stage)
        for invoice, asked in zip(stage.invoices, stage.asked, strict=True)
    ]


def reminder_message(
    day: AccountDay,
    reminders: Sequence[Reminding],
    told: Sequence[FeeToTell],
    key: ItemKey,
    items: tuple[Item, ...],
    *,
    currency: str,
    is_observed: bool,
) -> SendReminder:
    """The message for reminders of one currency and the fees that it tells of; a fee notice where
    there are no reminders. `is_observed`: it never really goes."""
    payer = day.account.payer.id
    if not reminders:
        return _fee_notice(day, told, key, items, currency)
    if len(reminders) == 1:
        step = reminders[0].due.step
    else:
        step = max(reminders, key=lambda found: found.due.step.index).due.step
    about = [found.invoice for found in reminders]
    qualified = tuple([invoice.id for invoice in about])
    total = sum([found.asked for found in reminders])
    documents = frozenset([fee.document for fee in told if fee.document]) if told else _NOTHING
    also_open = also_open_of(day, currency, qualified, documents)
    # Most messages say nothing of all this.
    rarer = dict(of_stage(day.frame, step))
    if not day.is_plain:
        rarer["unapplied"] = credit_deducted(day, about, total)
    if reminders[0].account is not None:
        rarer["covers"] = qualified
    if told:
        rarer["fees"] = tuple(fee.key for fee in told)
        rarer["announced"] = sum(fee.amount for fee in told)
    if day.account.commitments:
        set_aside = parts_set_aside(day, (*qualified, *also_open))
        rarer["set_aside"] = set_aside
        rarer["aside_as"] = aside_by_ground(day, set_aside)
        rarer["broken"] = broken_promise(day, about)
    if day.frame.has_discount:
        rarer["discounts"] = discounts_open(day, qualified, step.id)
    if step.formal:
        rarer["claims"] = tuple(claims(day, about, is_observed))
    attaching = [found for found in reminders if found.due.step.attach]
    if attaching:
        rarer["letter_on"] = _with(attaching, "letter")
        rarer["enclosed"] = _with(attaching, "invoice")
        rarer["with_statement"] = bool(_with(attaching, "statement"))
    if day.frame.has_returned_stages:
        back = [one.invoice for one in reminders if one.due.step.is_returned]
        rarer["returned"] = payments_returned(day, back)
    return plain_message(
        payer,
        step,
        key,
        items,
        currency=currency,
        qualified=qualified,
        also_open=also_open,
        total=total,
        rarer=rarer,
    )


def plain_message(
    payer: CustomerId,
    step: Step,
    key: ItemKey,
    items: tuple[Item, ...],
    *,
    currency: str,
    qualified: tuple[InvoiceId, ...],
    also_open: tuple[InvoiceId, ...],
    total: Minor,
    rarer: Mapping[str, Any],
) -> SendReminder:
    """The message of a stage. `rarer` are further fields, of which most messages have none."""
    return SendReminder(
        key=key,
        customer=payer,
        currency=currency,
        items=items,
        stage=step.id,
        template=step.template,
        channel=step.channel,
        roles=step.roles,
        is_formal=step.formal,
        qualified=qualified,
        also_open=also_open,
        total=total,
        **rarer,
    )


_NOTHING: Final[frozenset[str]] = frozenset()


def of_stage(frame: Frame, step: Step) -> Mapping[str, Any]:
    """What the stage asks of a message today beyond what most stages do."""
    found = frame.of_stages.get(step.index)
    if found is None:
        stage = step.stage
        told = {
            "also_by": stage.channels[1:],
            "fallback": stage.fallback,
            "signed_by": _signature(frame.policy, stage),
            "cc_roles": stage.cc,
        }
        found = {name: value for name, value in told.items() if value}
        if step.deadline is not None:
            until = frame.calendar.shift(frame.today, step.deadline)
            found["deadline_days"] = (until - frame.today).days
        frame.of_stages[step.index] = found
    return found


def _fee_notice(
    day: AccountDay,
    told: Sequence[FeeToTell],
    key: ItemKey,
    items: tuple[Item, ...],
    currency: str,
) -> SendFeeNotice:
    charged = list({fee.invoice.id: fee.invoice for fee in told}.values())
    qualified = tuple(invoice.id for invoice in charged)
    documents = frozenset(fee.document for fee in told if fee.document)
    total = sum(uncontested(Case(day, invoice, "fee")) for invoice in charged)
    also_open = also_open_of(day, currency, qualified, documents)
    set_aside = parts_set_aside(day, (*qualified, *also_open))
    return SendFeeNotice(
        key=key,
        customer=day.account.payer.id,
        currency=currency,
        items=items,
        template="fee_notice",
        qualified=qualified,
        also_open=also_open,
        set_aside=set_aside,
        aside_as=aside_by_ground(day, set_aside),
        fees=tuple(fee.key for fee in told),
        announced=sum(fee.amount for fee in told),
        total=total,
        unapplied=credit_deducted(day, charged, total),
    )


def _with(reminders: Sequence[Reminding], what: str) -> tuple[InvoiceId, ...]:
    """The invoices whose stage attaches it."""
    return tuple([one.invoice.id for one in reminders if what in one.due.step.attach])


def _signature(policy: Policy, stage: Stage) -> str:
    """The name under the message; of a colleague who is known by id, the name."""
    if not stage.signed_by:
        return ""
    named = (person.name for person in policy.person if person.id == stage.signed_by)
    return next(named, "") or stage.signed_by
