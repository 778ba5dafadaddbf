"""Credit limits: holds that are placed and released by what a customer owes, and warnings.

A hold is placed above the limit or for a debt that is overdue too long, and ends only once the
account is well below that again, so that it does not come and go. What a person placed in the
ledger is theirs to release. One hold and one release in a day at most, and never both: the
next one is a matter of the next day. Item keys name the change before, so that each hold and each
release of ours has exactly one, however often it is decided.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.internal import OpenTask, PlaceCreditHold, ReleaseCreditHold
from rules.actions.keys import account_item
from rules.aging import is_fee_document, is_open
from rules.contacting import ContactBudget
from rules.credit_state import UNDONE, CreditState, credit_state
from rules.decision import Act, Decision, Reason, Skip
from rules.exposure import Exposure, exposures
from rules.frame import ONE_DAY
from rules.guards.base import Case, Hold, hold
from rules.guards.table import first_hold
from rules.guards.whole_account import account_held
from rules.model.ids import StageId
from rules.model.invoice import Invoice
from rules.model.money import exact_major, format_minor, round_minor
from rules.owners import owner_text, person_in_charge
from rules.policy.credit import CreditRules
from rules.policy.schema import Policy
from rules.policy.values import strictest
from rules.stand_ins import account_as_invoice

CREDIT: Final = StageId("credit")
"""Stands in the place of a stage in the keys of what the limit does."""
WARNING: Final = StageId("credit-warning")

_REVIEW: Final = timedelta(days=30)


class _Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An account in one currency, against its limit."""

    exposure: Exposure
    limit: Fraction | None
    """Major units; None: no limit in this currency."""

    @property
    def percent(self) -> Fraction | None:
        return None if self.limit is None else self.exposure.percent_of(self.limit)

    @property
    def told(self) -> str:
        """The figures, for people."""
        found, currency = self.exposure, self.exposure.currency
        parts = [f"{format_minor(found.open, currency)} open"]
        if found.credit:
            parts.append(f"less {format_minor(found.credit, currency)} not applied yet")
        if found.estimates:
            parts.append(f"plus {format_minor(found.estimates, currency)} in estimates")
        text = f"{currency} {format_minor(found.total, currency)} ({', '.join(parts)})"
        if self.limit is None or self.percent is None:
            return text
        limit = format_minor(round_minor(self.limit, currency), currency)
        return f"{text}, {int(self.percent)} % of the limit of {limit}"


def wants_credit_control(policy: Policy) -> bool:
    """Whether the policy measures customers against a limit."""
    return policy.credit is not None and policy.credit.has_limits


def credit_decisions(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """A hold, a release or a warning for the account, or when it is looked at again."""
    del budget  # nothing here goes to the customer
    rules = day.frame.policy.credit
    if rules is None or not _is_for(day, rules):
        return
    standings = [
        _Standing(exposure=found, limit=_limit(day, rules, found.currency))
        for found in exposures(day.account, day.today, rules.estimates).values()
    ]
    state = credit_state(day.account)
    if state.by == "us":
        yield from _release(day, rules, state, standings)
    elif state.by == "ledger":
        yield from _theirs(day, rules, standings)
    else:
        yield from _hold(day, rules, state, standings)
    yield from _warnings(day, rules, standings)


def _is_for(day: AccountDay, rules: CreditRules) -> bool:
    payer = account_as_invoice(day, day.account.payer.currency or day.frame.base_currency)
    if rules.only and not day.is_in_any(rules.only, payer):
        return False
    return not day.is_in_any(rules.skip, payer)


def _limit(day: AccountDay, rules: CreditRules, currency: str) -> Fraction | None:
    """The limit in major units: the customer's own, that of a segment, the general one."""
    payer = day.account.payer
    if rules.limit_from == "customer" and payer.credit_limit is not None:
        return exact_major(payer.credit_limit, payer.currency or day.frame.base_currency)
    about = account_as_invoice(day, currency)
    tables = [row.limit for row in rules.segment_limit if day.is_in_any((row.segment,), about)] + (
        [rules.limit] if rules.limit is not None else []
    )
    for table in tables:
        # A limit compares nominally: a plain number is meant for every currency.
        amount = table.bare if table.bare is not None else table.of(currency, "")
        if amount is not None:
            return Fraction(amount)
    return None


def _above(standings: list[_Standing], percent: Fraction | None) -> _Standing | None:
    """The standing furthest above a percentage of its limit."""
    if percent is None:
        return None
    over = [one for one in standings if one.percent is not None and one.percent > percent]
    return max(over, key=lambda one: one.percent or Fraction(0), default=None)


def _overdue(day: AccountDay) -> list[Invoice]:
    """Overdue invoices that nothing speaks for, the oldest first."""
    return [
        invoice
        for invoice in day.account.invoices
        if is_open(invoice)
        and not is_fee_document(invoice)
        and invoice.due_on is not None
        and invoice.due_on < day.today
        and first_hold(Case(day, invoice, "hold")) is None
    ]


def _hold(
    day: AccountDay, rules: CreditRules, state: CreditState, standings: list[_Standing]
) -> Iterator[Decision]:
    if day.is_credit_moved:
        return  # a stage did today
    above = _above(standings, None if rules.hold_above is None else Fraction(rules.hold_above))
    overdue = _overdue(day) if rules.hold_overdue is not None else []
    oldest = overdue[0] if overdue else None
    late = oldest if oldest is not None and _is_too_late(day, rules, oldest) else None
    payer = day.account.payer
    slot = _slot(state)
    key = account_item("credit_hold", payer.id, CREDIT, slot)
    if above is None and late is None:
        if oldest is not None and oldest.due_on is not None:
            next_on = day.frame.calendar.shift(oldest.due_on, rules.hold_overdue) + ONE_DAY
            yield _not_due(day, next_on)
        return
    held = account_held(day) or _undone(day, rules, state, overdue)
    if held is not None:
        yield Skip(
            customer=payer.id,
            stage=CREDIT,
            key=key,
            code=held.code,
            reasons=held.reasons,
            next_on=held.next_on,
            review_on=held.review_on,
        )
        return
    if state.last is not None and state.last.on >= day.today:
        reason = Reason("credit_moved_today", (("next_on", (day.today + ONE_DAY).isoformat()),))
        yield Skip(
            customer=payer.id,
            stage=CREDIT,
            key=key,
            code=reason.code,
            reasons=(reason,),
            next_on=day.today + ONE_DAY,
        )
        return
    reasons: list[Reason] = []
    if above is not None:
        reasons.append(
            Reason("credit_limit_exceeded", (("customer", payer.name), ("figures", above.told)))
        )
    if late is not None:
        reasons.append(_late_reason(day, late))
    yield _act(day, rules, "credit_hold", slot, reasons, standings)


def _undone(
    day: AccountDay, rules: CreditRules, state: CreditState, overdue: list[Invoice]
) -> Hold | None:
    """A hold that a person undid is not placed again on the same ground: the account rests until
    it has changed (an invoice since, or one more that is overdue too long), or until the time
    after which a person looks at whatever holds."""
    last = state.last
    if last is None or not str(last.key).startswith(UNDONE):
        return None
    calendar = day.frame.calendar
    until = calendar.shift(last.on, day.frame.policy.commitments.review_after)
    later = any(one.issued_on > last.on for one in day.account.invoices if is_open(one))
    worse = rules.hold_overdue is not None and any(
        last.on <= calendar.shift(one.due_on, rules.hold_overdue) < day.today
        for one in overdue
        if one.due_on is not None
    )
    if later or worse or until <= day.today:
        return None
    return hold("hold_undone", ("on", last.on), ("until", until), next_on=until)


def _release(
    day: AccountDay, rules: CreditRules, state: CreditState, standings: list[_Standing]
) -> Iterator[Decision]:
    if day.is_credit_moved or state.last is None or state.last.state != "done":
        return
    placed = state.last
    grounds: list[Reason] = []
    released_at = rules.released_at
    above = _above(standings, None if released_at is None else Fraction(released_at))
    payer = day.account.payer
    if above is not None:
        grounds.append(
            Reason(
                "credit_still_above",
                (("figures", above.told), ("percent", f"{released_at:f}")),
            )
        )
    limit = rules.release_overdue
    late = [
        invoice
        for invoice in day.account.invoices
        if is_open(invoice)
        and not is_fee_document(invoice)
        and invoice.due_on is not None
        and day.frame.calendar.shift(invoice.due_on, limit) < day.today
    ]
    if late:
        grounds.append(_late_reason(day, late[0]))
    if placed.invoice is not None:
        # A stage placed it for an invoice: the ground is that invoice, whatever else is owed.
        about = [one for one in day.account.invoices if one.id == placed.invoice and is_open(one)]
        if about and not late:
            grounds.append(_late_reason(day, about[0]))
    slot = int(f"{placed.on:%Y%m%d}")
    if grounds:
        yield Skip(
            customer=payer.id,
            stage=CREDIT,
            key=account_item("credit_release", payer.id, CREDIT, slot),
            code="credit_hold_stands",
            reasons=(Reason("credit_hold_stands", (("since", placed.on.isoformat()),)), *grounds),
            next_on=day.today + ONE_DAY,
            review_on=placed.on + _REVIEW,
        )
        return
    if placed.on >= day.today:
        return  # placed today: looked at again tomorrow, so that it does not come and go
    reason = Reason(
        "credit_free_again", (("customer", payer.name), ("since", placed.on.isoformat()))
    )
    yield _act(day, rules, "credit_release", slot, [reason], standings)


def _theirs(day: AccountDay, rules: CreditRules, standings: list[_Standing]) -> Iterator[Decision]:
    """A hold that a person placed: theirs to release. Said where it would not be needed."""
    released_at = rules.released_at
    above = _above(standings, None if released_at is None else Fraction(released_at))
    if above is not None or _overdue(day):
        return
    payer = day.account.payer
    yield Skip(
        customer=payer.id,
        stage=CREDIT,
        code="hold_of_a_person",
        reasons=(Reason("hold_of_a_person", (("customer", payer.name),)),),
        next_on=day.today + ONE_DAY,
    )


def _warnings(
    day: AccountDay, rules: CreditRules, standings: list[_Standing]
) -> Iterator[Decision]:
    """One task a month while a customer is near the limit."""
    if rules.warn_at is None:
        return
    least = Fraction(rules.warn_at)
    # Above the level of a hold the hold itself says it.
    most = None if rules.hold_above is None else Fraction(rules.hold_above)
    near = [
        one
        for one in standings
        if one.percent is not None
        and one.percent >= least
        and (most is None or one.percent <= most)
    ]
    if not near:
        return
    payer = day.account.payer
    slot = day.today.year * 100 + day.today.month
    key = account_item("task", payer.id, WARNING, slot)
    if any(item.key == key for item in day.account.served):
        return
    figures = "; ".join(one.told for one in near)
    about = account_as_invoice(day, near[0].exposure.currency)
    person = person_in_charge(day, rules.owner, about)
    task = OpenTask(
        key=key,
        customer=payer.id,
        currency=near[0].exposure.currency,
        items=(Item(key=key, kind="task", stage=WARNING),),
        stage=WARNING,
        text=f"{payer.name} comes near the credit limit: {figures}. Ask for a payment before "
        "more is delivered, or raise the limit.",
        due_on=day.today,
        owner=owner_text(person, rules.owner),
    )
    reason = Reason("credit_limit_near", (("customer", payer.name), ("figures", figures)))
    mode = strictest(day.frame.policy.mode, rules.mode)
    yield Act(action=task, reasons=(reason,), send_on=day.today, mode=mode)


def _is_too_late(day: AccountDay, rules: CreditRules, invoice: Invoice) -> bool:
    assert invoice.due_on is not None
    return day.frame.calendar.shift(invoice.due_on, rules.hold_overdue) < day.today


def _late_reason(day: AccountDay, invoice: Invoice) -> Reason:
    assert invoice.due_on is not None
    owed = f"{invoice.currency} {format_minor(invoice.balance, invoice.currency)}"
    facts = (
        ("invoice", invoice.number),
        ("owed", owed),
        ("days", str((day.today - invoice.due_on).days)),
    )
    return Reason("credit_overdue", facts)


def _slot(state: CreditState) -> int:
    """Of a hold: the day of the release before it; 1 for the first one."""
    return int(f"{state.last.on:%Y%m%d}") if state.last is not None else 1


def _act(
    day: AccountDay,
    rules: CreditRules,
    kind: str,
    slot: int,
    reasons: list[Reason],
    standings: list[_Standing],
) -> Act:
    payer = day.account.payer
    key = account_item(kind, payer.id, CREDIT, slot)
    figures = "; ".join(one.told for one in standings) or "nothing is owed"
    late = [f"invoice {facts['invoice']} is {facts['days']} days late" for facts in _late(reasons)]
    action_type = PlaceCreditHold if kind == "credit_hold" else ReleaseCreditHold
    action = action_type(
        key=key,
        customer=payer.id,
        currency=standings[0].exposure.currency if standings else "",
        items=(Item(key=key, kind=kind, stage=CREDIT),),
        stage=CREDIT,
        text="; ".join([f"{day.today}: {figures}", *late]) + ".",
    )
    day.is_credit_moved = True
    mode = strictest(day.frame.policy.mode, rules.mode)
    return Act(action=action, reasons=tuple(reasons), send_on=day.today, mode=mode)


def _late(reasons: list[Reason]) -> list[dict[str, str]]:
    return [dict(reason.facts) for reason in reasons if reason.code == "credit_overdue"]


def _not_due(day: AccountDay, next_on: date) -> Skip:
    return Skip(
        customer=day.account.payer.id,
        code="not_due",
        reasons=(Reason("not_due", (("next_on", next_on.isoformat()),)),),
        next_on=next_on,
    )
