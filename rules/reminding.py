"""What is due a reminder, and the message that reminds of it."""

from collections.abc import Sequence

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
from rules.guards.base import Case
from rules.guards.disputes import uncontested
from rules.listed import also_open_of, aside_by_ground, credit_deducted, parts_set_aside
from rules.model.ids import InvoiceId, ItemKey
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.payments_told import payments_returned
from rules.policy.schema import Policy
from rules.policy.stage import Stage


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
        invoice = self.invoice.id if self.account is None else None
        return Item(key=self.key, kind="reminder", invoice=invoice, stage=self.due.step.id)


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
    fees = tuple(fee.key for fee in told)
    announced = sum(fee.amount for fee in told)
    documents = frozenset(fee.document for fee in told if fee.document)
    if not reminders:
        charged = list({fee.invoice.id: fee.invoice for fee in told}.values())
        qualified = tuple(invoice.id for invoice in charged)
        total = sum(uncontested(Case(day, invoice, "fee")) for invoice in charged)
        also_open = also_open_of(day, currency, qualified, documents)
        set_aside = parts_set_aside(day, (*qualified, *also_open))
        return SendFeeNotice(
            key=key,
            customer=payer,
            currency=currency,
            items=items,
            template="fee_notice",
            qualified=qualified,
            also_open=also_open,
            set_aside=set_aside,
            aside_as=aside_by_ground(day, set_aside),
            fees=fees,
            announced=announced,
            total=total,
            unapplied=credit_deducted(day, charged, total),
        )
    highest = max(reminders, key=lambda found: found.due.step.index).due.step
    stage = highest.stage
    about = [found.invoice for found in reminders]
    qualified = tuple([invoice.id for invoice in about])
    total = sum([found.asked for found in reminders])
    attaching = [found for found in reminders if found.due.step.stage.attach]
    also_open = also_open_of(day, currency, qualified, documents)
    set_aside = parts_set_aside(day, (*qualified, *also_open))
    deadline = None
    if stage.deadline is not None:
        deadline = (day.frame.calendar.shift(day.today, stage.deadline) - day.today).days
    return SendReminder(
        key=key,
        customer=payer,
        currency=currency,
        items=items,
        stage=highest.id,
        template=stage.template,
        channel=stage.channels[0],
        also_by=stage.channels[1:],
        fallback=stage.fallback,
        signed_by=_signature(day.frame.policy, stage),
        roles=stage.to,
        cc_roles=stage.cc,
        is_formal=stage.formal,
        deadline_days=deadline,
        covers=qualified if reminders[0].account is not None else (),
        qualified=qualified,
        also_open=also_open,
        set_aside=set_aside,
        aside_as=aside_by_ground(day, set_aside),
        fees=fees,
        announced=announced,
        total=total,
        unapplied=credit_deducted(day, about, total),
        discounts=discounts_open(day, qualified, highest.id),
        claims=tuple(claims(day, about, is_observed)) if stage.formal else (),
        letter_on=_with(attaching, "letter"),
        enclosed=_with(attaching, "invoice"),
        with_statement=bool(_with(attaching, "statement")),
        broken=broken_promise(day, about),
        returned=payments_returned(
            day,
            [one.invoice for one in reminders if one.due.step.stage.at.anchor == "returned"],
        ),
    )


def _with(reminders: Sequence[Reminding], what: str) -> tuple[InvoiceId, ...]:
    """The invoices whose stage attaches it."""
    return tuple([one.invoice.id for one in reminders if what in one.due.step.stage.attach])


def _signature(policy: Policy, stage: Stage) -> str:
    """The name under the message; of a colleague who is known by id, the name."""
    if not stage.signed_by:
        return ""
    named = (person.name for person in policy.person if person.id == stage.signed_by)
    return next(named, "") or stage.signed_by
