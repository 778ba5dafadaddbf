"""Debts that are let go: proposals of a stage, and the monthly batch of small balances.

Nothing is ever written off without a person. A proposal waits for what speaks for the customer
or for the money (a dispute, even of a part; a promise, a pause, credit that is there), but not
for what only keeps messages back: a customer who is insolvent, archived or not worth a mail is
who write-offs are for.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.account_ladder import AccountStage
from rules.actions.action import Item
from rules.actions.keys import message_key, stage_item
from rules.actions.write_off import ProposeWriteOff, WriteOffPart
from rules.aging import is_fee_document, is_open
from rules.calendar import add_months
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason, Skip
from rules.guards.base import REVIEW_AFTER, Case, Hold, hold
from rules.guards.credits import small_balances
from rules.guards.disputes import contested
from rules.guards.documents import inactive_payers
from rules.guards.formal import live_firm_stages, unconfirmed_customers
from rules.guards.stops import stops
from rules.guards.table import GUARDS
from rules.guards.unsent import unsent_invoices
from rules.internal import Due
from rules.model.ids import ItemKey, StageId
from rules.model.invoice import Invoice
from rules.model.money import exact_major, format_minor
from rules.owners import owner_text, person_in_charge
from rules.policy.schema import Policy
from rules.policy.values import Duration, Mode, MoneyTable, strictest
from rules.served_stages import slot_of

KIND: Final = "write_off_proposal"
VERB: Final = "propose_write_off"

SMALL_BALANCE: Final = StageId("small-balance")
"""Stands in the place of a stage in the keys of the monthly batch."""

TAX_REMARK: Final = (
    "Ask your accountant before you approve whether, and when, tax on it may be reclaimed."
)

_NO_GROUND: Final = frozenset(
    {
        stops,
        unsent_invoices,
        small_balances,
        inactive_payers,
        unconfirmed_customers,
        live_firm_stages,
    }
)
_GROUNDS: Final = tuple(
    guard.check for guard in GUARDS if "hold" in guard.binds and guard.check not in _NO_GROUND
)


class _Candidate(msgspec.Struct, frozen=True):
    """An invoice to be proposed."""

    invoice: Invoice
    key: ItemKey
    stage: StageId
    reasons: tuple[Reason, ...]
    account: AccountStage | None = None
    """Where it is a stage of the account's ladder: one item stands for all its invoices."""

    @property
    def item(self) -> Item:
        """What counts as done once it is."""
        if self.account is not None:
            return Item(key=self.account.key(KIND), kind=KIND, stage=self.stage)
        return Item(key=self.key, kind=KIND, invoice=self.invoice.id, stage=self.stage)


def wants_small_balances(policy: Policy) -> bool:
    """Whether the policy proposes small balances."""
    return policy.write_off is not None and policy.write_off.small_balance is not None


def write_off_acts(day: AccountDay, found: Sequence[Due]) -> Iterator[Act | Skip]:
    """One proposal for each stage and currency; a skip for each invoice that waits."""
    together: dict[tuple[int, str], list[_Candidate]] = defaultdict(list)
    steps = {one.due.step.index: one.due.step for one in found}
    for one in found:
        step = one.due.step
        if VERB not in step.internal or _was_done(day, one):
            continue
        key = stage_item(KIND, one.invoice.id, step.id, one.due.slot)
        candidate = _Candidate(one.invoice, key, step.id, one.due.reasons, one.account)
        ground = _ground(day, one.invoice)
        if ground is not None:
            yield _skip(day, candidate, ground)
        else:
            together[step.index, one.invoice.currency].append(candidate)
    for (index, _), same in sorted(together.items()):
        stage = steps[index].stage
        yield _proposal(
            day,
            same,
            title=stage.name or stage.id,
            owner=stage.owner,
            due_in=stage.due_in,
            mode=steps[index].mode,
        )


def small_balance_decisions(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """The account's part of the batch of the month, per currency; else when the next one is."""
    del budget  # nothing here goes to the customer
    rules = day.frame.policy.write_off
    if rules is None or rules.small_balance is None:
        return
    batch_on = _batch_day(day.today, rules.on)
    together: dict[str, list[_Candidate]] = defaultdict(list)
    is_coming = False
    for invoice in day.account.invoices:
        if not _is_small(invoice, rules.small_balance) or invoice.due_on is None:
            continue
        if any(item.stage == SMALL_BALANCE for item in day.served.get(invoice.id, ())):
            continue
        if day.frame.calendar.shift(invoice.due_on, rules.older_than) >= batch_on:
            is_coming = True
            continue
        slot = batch_on.year * 100 + batch_on.month
        owed = f"{invoice.currency} {format_minor(invoice.balance, invoice.currency)}"
        facts = (
            ("invoice", invoice.number),
            ("owed", owed),
            ("days", str((day.today - invoice.due_on).days)),
        )
        key = stage_item(KIND, invoice.id, SMALL_BALANCE, slot)
        reasons = (Reason("balance_small", facts),)
        candidate = _Candidate(invoice, key, SMALL_BALANCE, reasons)
        ground = _ground(day, invoice)
        if ground is not None:
            yield _skip(day, candidate, ground)
        else:
            together[invoice.currency].append(candidate)
    for _, same in sorted(together.items()):
        yield _proposal(
            day,
            same,
            title="Small balances",
            owner=rules.owner,
            due_in=None,
            mode=day.frame.policy.mode,
        )
    if is_coming:
        following = add_months(batch_on, 1)
        yield Skip(
            customer=day.account.payer.id,
            stage=SMALL_BALANCE,
            code="not_due",
            reasons=(Reason("not_due", (("next_on", following.isoformat()),)),),
            next_on=following,
        )


def _batch_day(today: date, on: int) -> date:
    """The latest batch day that has come."""
    return today.replace(day=on) if today.day >= on else add_months(today.replace(day=on), -1)


def _is_small(invoice: Invoice, most: MoneyTable) -> bool:
    if not is_open(invoice) or is_fee_document(invoice):
        return False
    # A threshold compares nominally: a plain number is meant for every currency.
    limit = most.bare if most.bare is not None else most.of(invoice.currency, "")
    if limit is None:
        return False
    return exact_major(invoice.balance, invoice.currency) <= Fraction(limit)


def _was_done(day: AccountDay, one: Due) -> bool:
    if one.account is not None:
        key = one.account.key(KIND)
        return any(item.key == key for item in day.served.get(None, ()))
    return any(
        item.kind == KIND and item.stage in one.due.step.ids and slot_of(item) >= one.due.slot
        for item in day.served.get(one.invoice.id, ())
    )


def _ground(day: AccountDay, invoice: Invoice) -> Hold | None:
    """What speaks against letting it go today."""
    case = Case(day, invoice, "hold")
    for check in _GROUNDS:
        found = check(case)
        if found is not None:
            return found
    if contested(case) > 0:
        assert invoice.due_on is not None
        return hold(
            "disputed", ("invoice", invoice.number), review_on=invoice.due_on + REVIEW_AFTER
        )
    return None


def _skip(day: AccountDay, candidate: _Candidate, ground: Hold) -> Skip:
    review_on = ground.review_on
    if ground.next_on is None and review_on is None:
        review_on = day.today + timedelta(days=30)
    return Skip(
        customer=day.account.payer.id,
        invoice=candidate.invoice.id,
        stage=candidate.stage,
        key=candidate.key,
        code=ground.code,
        reasons=ground.reasons,
        next_on=ground.next_on,
        review_on=review_on,
    )


def _proposal(
    day: AccountDay,
    same: Sequence[_Candidate],
    *,
    title: str,
    owner: str,
    due_in: Duration | None,
    mode: Mode,
) -> Act:
    payer = day.account.payer
    currency = same[0].invoice.currency
    parts = tuple(
        WriteOffPart(
            key=one.key,
            invoice=one.invoice.id,
            number=one.invoice.number,
            amount=day.net_of(one.invoice),
        )
        for one in same
    )
    listed = "; ".join(
        f"invoice {part.number}, {currency} {format_minor(part.amount, currency)}, "
        f"due {one.invoice.due_on}"
        for part, one in zip(parts, same, strict=True)
    )
    total = format_minor(sum(part.amount for part in parts), currency)
    rules = day.frame.policy.write_off
    remark = (rules.remark if rules is not None else "") or TAX_REMARK
    person = person_in_charge(day, owner, same[0].invoice)
    items = tuple(dict.fromkeys(one.item for one in same))
    key = items[0].key
    if len(items) > 1:
        key = message_key(payer.id, [item.key for item in items])
    action = ProposeWriteOff(
        key=key,
        customer=payer.id,
        currency=currency,
        items=items,
        stage=same[0].stage,
        text=f"{title}, {payer.name}: write off {currency} {total} ({listed}). {remark}",
        due_on=day.frame.calendar.shift(day.today, due_in),
        owner=owner_text(person, owner),
        parts=parts,
    )
    return Act(
        action=action,
        reasons=tuple(reason for one in same for reason in one.reasons),
        send_on=day.today,
        mode=strictest(mode, Mode.APPROVE),
    )
