"""Statements of account: on which day a customer gets one, and what it says.

A statement has turns of its own, one a month or every so many months, whether or not anything
is overdue. Reminders of the day go first; a statement whose day is taken waits for the next free
one, and is left out once it would come too late. What is contested is listed as such, and the
figures are those of the day on which it goes.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.keys import message_key, statement_item
from rules.actions.statement import SendStatement, StatementLine, StatementPeriod
from rules.aging import is_open, unapplied_credit
from rules.contacting import ContactBudget
from rules.cycles import Slot, latest_slot
from rules.decision import Act, Decision, Reason, Skip
from rules.frame import ONE_DAY
from rules.guards.whole_account import account_held
from rules.listed import aside_by_ground, in_instalments, parts_set_aside
from rules.model.ids import ItemKey, StageId
from rules.model.invoice import Invoice
from rules.model.money import exact_major, format_minor
from rules.movements import activity, is_in_the_books, last_movement
from rules.placed import without_placed
from rules.policy.reading import plain_decimal
from rules.policy.statement import STATEMENT_TEMPLATE, Statement
from rules.policy.values import Mode, strictest


def statement_decisions(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """A statement for each turn that has come and each currency; else why not, or when."""
    for rule in day.frame.policy.statement:
        yield from _cycle(day, budget, rule)


def _cycle(day: AccountDay, budget: ContactBudget, rule: Statement) -> Iterator[Decision]:
    currencies = sorted({invoice.currency for invoice in day.account.invoices})
    if not currencies:
        return
    slot = latest_slot(rule, day.today, day.frame.calendar)
    for currency in currencies:
        yield from _turn(day, budget, rule, slot, currency)


def _turn(
    day: AccountDay, budget: ContactBudget, rule: Statement, slot: Slot, currency: str
) -> Iterator[Decision]:
    """What becomes of one turn in one currency."""
    label = slot.label if currency == day.frame.base_currency else f"{slot.label}-{currency}"
    payer = day.account.payer
    key = statement_item(payer.id, rule.id, label)

    def skip(reason: Reason, next_on: date | None, review_on: date | None = None) -> Skip:
        return Skip(
            customer=payer.id,
            stage=StageId(rule.id),
            key=key,
            code=reason.code,
            reasons=(reason,),
            next_on=next_on,
            review_on=review_on,
        )

    not_due = Reason("not_due", (("next_on", slot.following.isoformat()),))
    connected_on = day.frame.book.company.connected_on
    is_earlier = connected_on is not None and slot.on < connected_on
    if is_earlier or _sent_before(day, rule, label):
        yield skip(not_due, slot.following)
        return
    about = _invoice_of(day, currency)
    if not day.applies(rule, about):
        return
    statement = _of_turn(day, rule, slot, currency, key)
    if statement is None:
        return
    until = max(
        min(day.frame.calendar.shift(slot.on, rule.catch_up), slot.following - ONE_DAY),
        _first_open_day(day, slot.on),
    )
    free = max(budget.free_day(payer.id, _mode(day, rule) is Mode.OBSERVE), day.today)
    send_on = day.frame.send_day(payer, free)
    if send_on > until:
        told = (("on", slot.on), ("until", until), ("next_on", slot.following))
        facts = tuple((name, on.isoformat()) for name, on in told)
        yield skip(
            Reason("statement_missed", (("statement", rule.name or rule.id), *facts)),
            slot.following,
        )
        return
    held = account_held(day)
    if held is not None:
        yield Skip(
            customer=payer.id,
            stage=StageId(rule.id),
            key=key,
            code=held.code,
            reasons=held.reasons,
            next_on=held.next_on,
            review_on=held.review_on,
        )
        return
    ground = _ground(day, rule, slot, statement, about)
    if ground is not None:
        again = day.today + ONE_DAY if ground.code == "condition" else slot.following
        yield skip(ground, again)
        return
    if send_on > day.today:
        reason = Reason("not_send_day", (("next_on", send_on.isoformat()),))
        if free > day.today:
            last = max((on for on, _ in day.contacts.values()), default=day.today)
            reason = Reason(
                "contact_budget", (("last_contact", str(last)), ("next_on", str(send_on)))
            )
        yield skip(reason, send_on)
        return
    budget.use(payer.id, _mode(day, rule) is Mode.OBSERVE)
    yield Act(
        action=statement,
        reasons=(_due(rule, slot, statement),),
        send_on=day.today,
        mode=_mode(day, rule),
    )


def _mode(day: AccountDay, rule: Statement) -> Mode:
    return strictest(day.frame.policy.mode, rule.mode)


def _due(rule: Statement, slot: Slot, statement: SendStatement) -> Reason:
    facts = (("statement", rule.name or rule.id), ("on", slot.on.isoformat()))
    period = statement.period
    if period is None:
        return Reason("statement_due", facts)
    covered = (("since", period.since.isoformat()), ("through", period.through.isoformat()))
    return Reason("statement_due", (*facts, *covered))


def _first_open_day(day: AccountDay, on: date) -> date:
    """Where closed days move the statement's own day to."""
    rules = day.frame.policy.calendar
    region = day.account.payer.region or rules.region
    return day.frame.calendar_of_region(region).next_send_day(
        on, rules.send_days, rules.send_month_days
    )


def _turns_served(day: AccountDay, rule: Statement) -> Iterator[tuple[str, date]]:
    """Label and day of every turn of this statement that went, or will go, to the customer."""
    ids = {rule.id, *rule.was}
    for item in day.served.get(None, ()):
        if item.kind == "statement" and item.state != "bounced" and item.stage in ids:
            yield item.key.rsplit("/", 1)[-1], item.on


def _sent_before(day: AccountDay, rule: Statement, label: str) -> bool:
    return any(sent == label for sent, _ in _turns_served(day, rule))


def _invoice_of(day: AccountDay, currency: str) -> Invoice:
    """An invoice that facts about the customer are asked of: they are the same for all in one
    currency."""
    found = [one for one in day.account.invoices if one.currency == currency]
    return next((one for one in found if is_open(one)), found[-1])


def _of_turn(
    day: AccountDay, rule: Statement, slot: Slot, currency: str, key: ItemKey
) -> SendStatement | None:
    """The statement of a turn; None where there is nothing to state."""
    period = None
    if rule.kind == "activity":
        period = _period(day, currency, slot.since, slot.through)
    statement = statement_of(
        day,
        currency,
        items=(Item(key=key, kind="statement", stage=StageId(rule.id)),),
        statement=rule.id,
        name=rule.name,
        template=rule.template,
        roles=rule.to,
        cc_roles=rule.cc,
        lists_not_due=rule.include_not_due,
        period=period,
    )
    if statement.qualified:
        return statement
    is_quiet = period is None or not (period.lines or period.closing or period.after)
    return None if is_quiet else statement


def statement_of(
    day: AccountDay,
    currency: str,
    *,
    items: tuple[Item, ...],
    statement: str,
    name: str = "",
    template: str = STATEMENT_TEMPLATE,
    roles: tuple[str, ...] = ("billing",),
    cc_roles: tuple[str, ...] = (),
    lists_not_due: bool = True,
    period: StatementPeriod | None = None,
) -> SendStatement:
    """The statement of an account in one currency, as of the day; `items` are what it serves."""
    listed = [
        invoice
        for invoice in day.account.invoices
        if invoice.currency == currency
        and is_open(invoice)
        and is_in_the_books(invoice)
        and invoice.id not in day.placed
        and (lists_not_due or (invoice.due_on is not None and invoice.due_on < day.today))
    ]
    agreed = in_instalments(day, listed)
    if agreed and not lists_not_due:
        kept = {invoice for invoice, _, _ in agreed}
        listed, agreed = [invoice for invoice in listed if invoice.id not in kept], ()
    qualified = tuple(invoice.id for invoice in listed)
    set_aside = parts_set_aside(day, qualified)
    contested = sum(part for _, part in set_aside)
    owed = sum(invoice.balance for invoice in listed)
    credit = unapplied_credit(day.account).get(currency, 0)
    if not lists_not_due:
        credit = min(credit, owed)
    payer = day.account.payer.id
    return SendStatement(
        key=message_key(payer, [item.key for item in items]),
        customer=payer,
        currency=currency,
        items=items,
        stage=StageId(statement),
        statement=statement,
        name=name,
        template=template,
        roles=roles,
        cc_roles=cc_roles,
        qualified=qualified,
        set_aside=set_aside,
        aside_as=aside_by_ground(day, set_aside),
        contested=contested,
        total=owed - contested - credit,
        unapplied=credit,
        period=period,
        lists_not_due=lists_not_due,
        in_instalments=agreed,
    )


def _period(day: AccountDay, currency: str, since: date, through: date) -> StatementPeriod:
    credit = unapplied_credit(day.account).get(currency, 0)
    ours = without_placed(day.account, day.placed)
    found = activity(ours, currency, since, through, day.today, credit)
    return StatementPeriod(
        since=since,
        through=through,
        opening=found.opening,
        lines=tuple(
            StatementLine(on=line.on, kind=line.kind, number=line.number, amount=line.amount)
            for line in found.lines
        ),
        closing=found.closing,
        after=found.after,
    )


def _ground(
    day: AccountDay, rule: Statement, slot: Slot, statement: SendStatement, about: Invoice
) -> Reason | None:
    """Why this turn is left out, or waits for what the policy asks of it."""
    name = ("statement", rule.name or rule.id)
    currency = statement.currency
    unmet = day.unmet(rule, about)
    if unmet:
        return Reason("condition", (("stage", rule.name or rule.id), ("why", "; ".join(unmet))))
    connected_on = day.frame.book.company.connected_on
    period = statement.period
    if period is not None and connected_on is not None and period.since < connected_on:
        return Reason(
            "statement_not_known",
            (name, ("since", str(period.since)), ("connected_on", str(connected_on))),
        )
    least = rule.minimum_balance
    owed = statement.amount or 0
    if least is not None and exact_major(owed, currency) < Fraction(least):
        return Reason(
            "statement_too_small",
            (
                name,
                ("balance", f"{format_minor(owed, currency)} {currency}"),
                ("minimum", plain_decimal(least)),
            ),
        )
    if rule.only_if_changed:
        is_base = currency == day.frame.base_currency
        sent = [
            on
            for label, on in _turns_served(day, rule)
            if label.endswith(f"-{currency}") or (is_base and len(label) == len(slot.label))
        ]
        changed = last_movement(day.account, currency)
        if sent and (changed is None or changed < max(sent)):
            return Reason("statement_unchanged", (name, ("last", max(sent).isoformat())))
    return None
