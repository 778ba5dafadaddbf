"""What a fee of the policy comes to on an invoice: the debt as the fee sees it, its terms over
time, and what others left of the limits that it shares with them."""

from collections.abc import Sequence
from datetime import date

import msgspec

from rules.account_day import AccountDay
from rules.fee_rules import FeeRule
from rules.fees.assess import Accrue, AccrueOn, Assessment, accruing, assess, by_type
from rules.fees.base import Accrued, NoAmountError
from rules.fees.caps import cap_amount, lifetime_caps
from rules.fees.schedule import late_from
from rules.fees.timeline import ONE_DAY, Debt
from rules.fees.versions import accrued_over_versions
from rules.model.history import FeePosted
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.policy.fee_tables import Cap, CapGroup
from rules.policy.values import MoneyTable
from rules.returned_payments import came_back, returned_to


def fee_debt(day: AccountDay, rule: FeeRule, invoice: Invoice) -> Debt | None:
    """The invoice as a debt over time, as the fee's own terms count it; None without a due date."""
    fee = rule.fee
    debt = day.debt(invoice, reversal=fee.reversal, lifts_pause=fee.on_dispute_won == "lift_pause")
    if debt is None or (fee.due_roll == "none" and fee.allocation == "principal_first"):
        return debt
    settled: tuple[tuple[date, Minor], ...] = ()
    if fee.allocation == "interest_first":
        settled = tuple(sorted(_settled_on_documents(day, rule, invoice)))
    return msgspec.structs.replace(
        debt,
        due_on=late_from(fee, debt.due_on, day.frame.calendar),
        interest_settled=settled,
    )


def _debt_again(day: AccountDay, rule: FeeRule, invoice: Invoice) -> Debt | None:
    """The same; on days that are decided one after the other the debt of the day before, where
    nothing that it hangs on has changed."""
    fee, kept = rule.fee, day.frame.worked_out
    if (
        kept is None
        or fee.due_roll != "none"
        or fee.allocation != "principal_first"
        or not day.is_plain
    ):
        return fee_debt(day, rule, invoice)
    facts = (fee.reversal, invoice, *day.settled_by(invoice))
    before = kept.debts.get((invoice.id, rule.id))
    if before is not None and before[0] == facts:
        return before[1]
    found = fee_debt(day, rule, invoice)
    if found is not None:
        kept.debts[invoice.id, rule.id] = (facts, found)
    return found


def _settled_on_documents(
    day: AccountDay, rule: FeeRule, invoice: Invoice
) -> list[tuple[date, Minor]]:
    """(first day on which it counts, amount): paid on the fee's own documents, credited or let
    off. A document that the book does not show counts as paid: in doubt for the customer."""
    shown = {found.number: found for found in day.account.invoices if found.is_fee}
    found: list[tuple[date, Minor]] = []
    for charge in day.fees.get(invoice.id, ()):
        if charge.fee not in rule.ids:
            continue
        document = shown.get(charge.document)
        left = charge.amount - charge.corrected
        if document is None and charge.on < day.today:
            found.append((charge.on, left))
            continue
        waived = [
            (one.on, one.amount) for one in day.account.waivers if one.document == charge.document
        ]
        found += waived
        if document is None:
            continue
        settled = left - sum(amount for _, amount in waived)
        if document.status != "open":
            paid = [one.on for one in day.payments_of(document)]
            found.append((max(paid, default=charge.on) + ONE_DAY, max(settled, 0)))
            continue
        for payment in day.payments_of(document):
            if payment.reversed_on is None:
                found += [
                    (payment.on + ONE_DAY, part.amount)
                    for part in payment.allocations
                    if part.invoice == document.id
                ]
    return found


def accrual(day: AccountDay, rule: FeeRule, invoice: Invoice, debt: Debt) -> Accrue:
    """What the fee accrued on the invoice by any day, under the terms of each day."""
    base_currency = day.frame.base_currency
    if rule.fee.on == "returned_payment":
        charged, waiting = returned_to(day, rule, invoice)
        known = [payment for payment in waiting if payment.is_return_known]
        came_to = came_back(day, rule, invoice, (*charged, *known))
        return lambda _: came_to
    on: AccrueOn = by_type(rule.fee, from_day=rule.from_day, base_currency=base_currency)
    if rule.terms:

        def on(bearing: Debt, through: date) -> Accrued:
            return accrued_over_versions(
                rule.terms,
                bearing,
                through,
                issued_on=invoice.issued_on,
                connected_on=rule.connected_on,
                base_currency=base_currency,
            )

    return accruing(rule.fee, debt, on)


def assessed(
    day: AccountDay,
    rule: FeeRule,
    invoice: Invoice,
    through: date,
    posted: Sequence[FeePosted],
    accrued: Accrued | None = None,
) -> tuple[Debt, Assessment]:
    """What the fee comes to on the invoice by a day. Raises NoAmountError, MissingRateError.

    `accrued`: what accrued, where the caller knows it.
    """
    debt = _debt_again(day, rule, invoice)
    assert debt is not None
    shared = shared_caps(day, rule, invoice, debt, through)
    kept, until = day.frame.worked_out, through
    known = None if kept is None else kept.assessments
    if known is not None:
        if rule.is_plain_interest and rule.fee.allocation == "principal_first":
            # Nothing more accrues once nothing is owed.
            until = min(through, debt.settled_from or through)
        if accrued is not None or rule.terms or rule.fee.on == "returned_payment":
            known = None
        elif until == day.today:
            known = None  # what is worked out to the day itself is never asked for again
    if known is None:
        known = {}
    facts = (rule.fee, rule.from_day, debt, until, shared, tuple(posted))
    before = known.get((invoice.id, rule.id))
    if before is not None and before[0] == facts:
        return debt, before[1]
    found = assess(
        rule.fee,
        debt,
        through,
        posted,
        from_day=rule.from_day,
        base_currency=day.frame.base_currency,
        shared=shared,
        accrue=accrual(day, rule, invoice, debt) if accrued is None else lambda _: accrued,
    )
    known[invoice.id, rule.id] = (facts, found)
    return debt, found


def group_of(day: AccountDay, rule: FeeRule) -> CapGroup | None:
    """The limits that the fee shares with others."""
    name = rule.fee.cap_group
    return None if name is None else day.frame.cap_groups.get(name)


def charged_in_group(day: AccountDay, group: CapGroup) -> list[FeePosted]:
    """What was posted of all fees of a group to the account."""
    names = {
        name for rule in day.frame.all_fees if rule.fee.cap_group == group.name for name in rule.ids
    }
    return [charge for charge in day.account.fees if charge.fee in names]


def shared_caps(
    day: AccountDay, rule: FeeRule, invoice: Invoice, debt: Debt, through: date
) -> list[tuple[str, Minor]]:
    """Lifetime caps of the fee's group, less what its other fees charged to the invoice.

    Invoices come by due date, then id, and the fees of one invoice in the order of the policy.
    """
    group = group_of(day, rule)
    if group is None:
        return []
    others = day.group_total_this_run[group.name, invoice.id] + sum(
        charge.amount - charge.corrected
        for charge in charged_in_group(day, group)
        if charge.invoice == invoice.id and charge.fee not in rule.ids
    )
    caps = lifetime_caps(group, debt, through, day.frame.base_currency)
    return [(f"cap_group.{name}", max(most - others, 0)) for name, most in caps]


def has_monthly_limit(day: AccountDay, rule: FeeRule) -> bool:
    """Whether a limit for the month may defer a part of what the fee comes to."""
    cap, group = rule.fee.cap, group_of(day, rule)
    return any(one is not None and one.per_customer_month is not None for one in (cap, group))


def was_cut_off(day: AccountDay, rule: FeeRule, posted: Sequence[FeePosted]) -> bool:
    """Whether the last of these charges used up a limit of its month: a part of it may wait for
    another one. What the policy says otherwise since is no reason to charge more."""
    last = max(posted, key=lambda charge: charge.on, default=None)
    if last is None:
        return False
    cap, group = rule.fee.cap, group_of(day, rule)
    limits: list[tuple[Cap | CapGroup | None, Sequence[FeePosted]]] = [(cap, day.account.fees)]
    if group is not None:
        limits.append((group, charged_in_group(day, group)))
    return any(
        limit is not None
        and limit.per_customer_month is not None
        and _in_month(last.on, charged, last.currency)
        >= _monthly(day, limit.per_customer_month, last.currency)
        for limit, charged in limits
    )


def room_this_month(day: AccountDay, rule: FeeRule, currency: str) -> Minor | None:
    """What monthly limits of the customer leave today; None without any."""
    rooms: list[Minor] = []
    cap, group = rule.fee.cap, group_of(day, rule)
    if cap is not None and cap.per_customer_month is not None:
        used = day.fee_total_this_run[currency] + _in_month(day.today, day.account.fees, currency)
        rooms.append(_monthly(day, cap.per_customer_month, currency) - used)
    if group is not None and group.per_customer_month is not None:
        used = day.group_total_this_run[group.name, currency]
        used += _in_month(day.today, charged_in_group(day, group), currency)
        rooms.append(_monthly(day, group.per_customer_month, currency) - used)
    return max(min(rooms), 0) if rooms else None


def _monthly(day: AccountDay, limit: MoneyTable, currency: str) -> Minor:
    """A limit that has no amount in a currency leaves no room in it."""
    try:
        return cap_amount(limit, currency, day.frame.base_currency)
    except NoAmountError:
        return 0


def _in_month(month: date, charged: Sequence[FeePosted], currency: str) -> Minor:
    return sum(
        charge.amount - charge.corrected
        for charge in charged
        if charge.currency == currency
        and (charge.on.year, charge.on.month) == (month.year, month.month)
    )


def note_charge(day: AccountDay, rule: FeeRule, invoice: Invoice, amount: Minor) -> None:
    """Remember what is charged today: what one fee used, the others no longer have."""
    note_part(day, rule, invoice, amount)
    note_document(day, rule, invoice.currency, amount)


def note_part(day: AccountDay, rule: FeeRule, invoice: Invoice, amount: Minor) -> None:
    """Remember what an invoice bears today: of limits for an invoice."""
    if rule.fee.cap_group is not None:
        day.group_total_this_run[rule.fee.cap_group, invoice.id] += amount
        day.group_total_this_run[rule.fee.cap_group, _posts_of(invoice)] += 1


def note_document(day: AccountDay, rule: FeeRule, currency: str, amount: Minor) -> None:
    """Remember what a document of today comes to: of limits for a month."""
    day.fee_total_this_run[currency] += amount
    if rule.fee.cap_group is not None:
        day.group_total_this_run[rule.fee.cap_group, currency] += amount


def posts_left(day: AccountDay, rule: FeeRule, invoice: Invoice) -> int | None:
    """How many documents the fee's group still has for the invoice; None without a limit."""
    group = group_of(day, rule)
    if group is None or group.posts is None:
        return None
    made = sum(1 for one in charged_in_group(day, group) if one.invoice == invoice.id)
    return max(group.posts - made - day.group_total_this_run[group.name, _posts_of(invoice)], 0)


def _posts_of(invoice: Invoice) -> str:
    return f"posts/{invoice.id}"
