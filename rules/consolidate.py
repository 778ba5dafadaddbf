"""Messages of one customer on one day: what goes into one, and whether it may go today.

All that is due a customer in one currency travels in one message, each invoice at its own
stage; the highest stage chooses the template. Late fees are announced by the reminder of the
day or, without one, by a fee notice; a fee whose notice cannot go waits. A formal stage stands
alone. What is only observed is never announced by something that is really sent.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.keys import fee_notice_item, message_key
from rules.announcing import FeeToTell, in_order
from rules.charge_acts import charge_act
from rules.charges import Charge
from rules.claims import modes_of
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason, Skip
from rules.frame import ONE_DAY
from rules.model.customer import Customer
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.policy.values import Above, Mode, strictest
from rules.reminding import Reminding, reminder_message


class _Group:
    """What might travel together."""

    __slots__ = ("charges", "currency", "is_observed", "reminders", "silent", "unit")

    def __init__(self, unit: CustomerId, currency: str, is_observed: bool) -> None:
        self.unit = unit
        self.currency = currency
        self.is_observed = is_observed
        self.reminders: list[Reminding] = []
        self.charges: list[Charge] = []
        self.silent: list[FeeToTell] = []
        """Fees that were posted and never announced."""

    def rank(self) -> tuple[object, ...]:
        """Formal first, then the firmest, then the oldest."""
        if not self.reminders:
            about = [fee.invoice for fee in self.charges] + [fee.invoice for fee in self.silent]
            oldest = min((invoice.due_on or date.max for invoice in about), default=date.max)
            return (1, 1, 0, oldest, self.currency, self.unit)
        formal = any(found.due.step.formal for found in self.reminders)
        highest = max(found.due.step.index for found in self.reminders)
        oldest = min(found.invoice.due_on or date.max for found in self.reminders)
        return (0, 0 if formal else 1, -highest, oldest, self.currency, self.unit)


def messages(
    day: AccountDay,
    reminders: Sequence[Reminding],
    charges: Sequence[Charge],
    silent: Sequence[FeeToTell] = (),
    *,
    budget: ContactBudget,
) -> Iterator[Decision]:
    """Acts for everything that may go today, skips with their day for the rest.

    `silent` are fees that were posted before and that the customer was not told of yet. What
    goes uses up `budget`.
    """
    if not reminders and not charges and not silent:
        return
    groups = _groups(day, reminders, charges, silent)
    if len(groups) > 1:
        groups.sort(key=_Group.rank)
    for group in groups:
        head = day.account.members.get(group.unit, day.account.payer)
        yield from _send(day, group, head, budget)


def _groups(
    day: AccountDay,
    reminders: Sequence[Reminding],
    charges: Sequence[Charge],
    silent: Sequence[FeeToTell],
) -> list[_Group]:
    per_customer = day.frame.is_per_customer
    payer = day.account.payer.id
    if len(reminders) == 1 and not charges and not silent:
        (alone,) = reminders
        unit = alone.invoice.customer if per_customer else payer
        only = _Group(unit, alone.invoice.currency, alone.due.step.is_observed)
        only.reminders.append(alone)
        return [only]
    found: dict[tuple[CustomerId, str, bool], _Group] = {}

    def group(invoice: Invoice, is_observed: bool) -> _Group:
        unit = invoice.customer if per_customer else payer
        key = (unit, invoice.currency, is_observed)
        if key not in found:
            found[key] = _Group(*key)
        return found[key]

    for reminding in reminders:
        group(reminding.invoice, reminding.due.step.is_observed).reminders.append(reminding)
    for charge in charges:
        group(charge.invoice, charge.rule.is_observed).charges.append(charge)
    for fee in silent:
        group(fee.invoice, fee.mode is Mode.OBSERVE).silent.append(fee)
    if day.frame.is_one_message:
        return list(found.values())
    return [part for whole in found.values() for part in _parted(day, whole)]


def _parted(day: AccountDay, group: _Group) -> list[_Group]:
    """The group as it is, or one part for each invoice where the policy asks for that."""
    rule = day.frame.contact.consolidate
    invoices = list(
        dict.fromkeys(
            [found.invoice.id for found in group.reminders]
            + [charge.invoice.id for charge in group.charges]
            + [fee.invoice.id for fee in group.silent]
        )
    )
    if any(found.account is not None for found in group.reminders):
        return [group]
    if isinstance(rule, Above) and len(invoices) > rule.n:
        return [group]
    parts: list[_Group] = []
    for invoice in invoices:
        part = _Group(group.unit, group.currency, group.is_observed)
        part.reminders = [found for found in group.reminders if found.invoice.id == invoice]
        part.charges = [charge for charge in group.charges if charge.invoice.id == invoice]
        part.silent = [fee for fee in group.silent if fee.invoice.id == invoice]
        parts.append(part)
    return parts


def _send(
    day: AccountDay, group: _Group, head: Customer, budget: ContactBudget
) -> Iterator[Decision]:
    today = day.today
    wait = budget.wait(group.unit, group.is_observed)
    if wait is not None:
        yield from _all_wait(day, group, *wait)
        return
    charges, silent = group.charges, group.silent
    reminders: Sequence[Reminding] = group.reminders
    first: Reminding | None = None
    if day.frame.account_steps:
        reminders, first = _highest_only(reminders)
    if first is not None:
        stage = first.due.step.stage
        code = "account_stage_first" if first.account is not None else "higher_stage_first"
        left = _Group(group.unit, group.currency, group.is_observed)
        left.reminders = [found for found in group.reminders if found not in reminders]
        reason = Reason(code, (("stage", stage.name or stage.id),))
        # What is posted with a stage that waits, waits with it.
        left.charges = [one for one in charges if _goes_with(one, left.reminders)]
        charges = [one for one in charges if not _goes_with(one, left.reminders)]
        yield from _all_wait(day, left, reason, day.frame.send_day(head, today + ONE_DAY))
    formal = [found for found in reminders if found.due.step.formal]
    if formal:
        firmest = max(formal, key=lambda found: found.due.step.index).due.step
        alone = [found for found in formal if found.due.step is firmest]
        kept = {found.invoice.id for found in alone}
        others = _Group(group.unit, group.currency, group.is_observed)
        others.reminders = [found for found in reminders if found.invoice.id not in kept]
        others.charges = [charge for charge in charges if not kept.issuperset(_bearing(charge))]
        others.silent = [fee for fee in silent if fee.invoice.id not in kept]
        reason = Reason("formal_stands_alone", (("stage", firmest.stage.name or firmest.id),))
        yield from _all_wait(day, others, reason, day.frame.send_day(head, today + ONE_DAY))
        reminders = alone
        charges = [charge for charge in charges if kept.issuperset(_bearing(charge))]
        silent = [fee for fee in silent if fee.invoice.id in kept]
    budget.use(group.unit, group.is_observed)
    yield from _acts(day, group, reminders, charges, silent)


def _goes_with(charge: Charge, reminders: Sequence[Reminding]) -> bool:
    """Whether it is posted with the stage of one of the reminders."""
    stage = charge.rule.fee.post.stage
    return any(stage in found.due.step.ids for found in reminders)


def _bearing(charge: Charge) -> set[InvoiceId]:
    """The invoices that bear a charge."""
    return {part.invoice.id for part in charge.parts} or {charge.invoice.id}


def _highest_only(
    found: Sequence[Reminding],
) -> tuple[Sequence[Reminding], Reminding | None]:
    """Where a stage of the account meets stages of single invoices, only the higher one goes, and
    is told; nothing else changes."""
    if not any(one.account is not None for one in found):
        return found, None
    highest = max(found, key=lambda one: one.due.step.index)
    of_account = highest.account is not None
    kept = [one for one in found if (one.account is not None) == of_account]
    return kept, highest if len(kept) < len(found) else None


def _all_wait(day: AccountDay, group: _Group, reason: Reason, next_on: date) -> Iterator[Skip]:
    for found in group.reminders:
        yield Skip(
            customer=day.account.payer.id,
            invoice=found.invoice.id,
            stage=found.due.step.id,
            key=found.key,
            code=reason.code,
            reasons=(reason, *found.due.reasons),
            next_on=next_on,
        )
    for charge in group.charges:
        yield Skip(
            customer=day.account.payer.id,
            invoice=charge.invoice.id,
            fee=charge.rule.id,
            key=charge.key,
            code=reason.code,
            reasons=(reason, *charge.reasons),
            next_on=next_on,
        )
    for fee in group.silent:
        yield Skip(
            customer=day.account.payer.id,
            invoice=fee.invoice.id,
            fee=fee.fee,
            key=fee_notice_item(fee.key),
            code=reason.code,
            reasons=(reason,),
            next_on=next_on,
        )


def _acts(
    day: AccountDay,
    group: _Group,
    reminders: Sequence[Reminding],
    charges: Sequence[Charge],
    silent: Sequence[FeeToTell],
) -> Iterator[Act]:
    payer = day.account.payer.id
    fees = in_order(day, [*map(_to_tell, charges), *silent]) if charges or silent else []
    items = [found.item for found in reminders]
    if reminders and reminders[0].account is not None:
        items = list(dict.fromkeys(items))  # one stands for all the invoices of such a stage
    if fees:
        items += [_item_of(fee) for fee in fees]
    key = message_key(payer, [item.key for item in items])
    for charge in charges:
        yield charge_act(day, charge, key)
    modes = {found.due.step.mode for found in reminders}
    if fees:
        modes.update(fee.mode for fee in fees)
    reasons = _why(reminders, fees)
    message = reminder_message(
        day,
        reminders,
        fees,
        key,
        tuple(items),
        currency=group.currency,
        is_observed=group.is_observed,
    )
    if message.claims:
        modes.update(modes_of(day, message.claims))
    yield Act(
        action=message,
        reasons=reasons,
        send_on=day.today,
        mode=modes.pop() if len(modes) == 1 else strictest(*modes),
    )


def _item_of(fee: FeeToTell) -> Item:
    return Item(
        key=fee_notice_item(fee.key), kind="fee_notice", invoice=fee.invoice.id, fee=fee.fee
    )


def _why(reminders: Sequence[Reminding], fees: Sequence[FeeToTell]) -> tuple[Reason, ...]:
    if len(reminders) == 1 and not fees:
        return reminders[0].due.reasons
    due = dict.fromkeys(reason for found in reminders for reason in found.due.reasons)
    return tuple(due) + tuple(
        Reason(
            "fee_announced",
            (("fee", fee.name), ("invoice", fee.invoice.number), ("key", fee.key)),
        )
        for fee in fees
    )


def _to_tell(charge: Charge) -> FeeToTell:
    return FeeToTell(
        key=charge.key,
        invoice=charge.invoice,
        fee=charge.rule.id,
        name=charge.rule.fee.name or charge.rule.id,
        mode=charge.rule.mode,
        amount=charge.assessment.to_post,
    )
