"""Giving invoices to a collector or a lawyer: what has to have happened before, and the act.

Every ground to wait for a demand is one for a hand-off too. On top of them come the
preconditions of `[hand_off]`: messages served, notice given and its time run out, nothing in
dispute (not even a part), a least balance. A person may set single ones aside, but never what
is nobody's to set aside: a stop, an invoice that is not owed, one that was handed over before.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.hand_off import HandOff
from rules.actions.keys import message_key, stage_item
from rules.decision import Act, Skip
from rules.fees.caps import nominal
from rules.frame import ONE_DAY
from rules.guards.base import REVIEW_AFTER, Case, Hold, hold
from rules.guards.disputes import uncontested
from rules.guards.table import GUARDS
from rules.internal import Due
from rules.live_stages import FORMAL_DEADLINE
from rules.model.commitment import Dispute, Placement
from rules.model.invoice import Invoice
from rules.model.money import Minor, format_minor
from rules.policy.values import Mode, strictest
from rules.served_stages import slot_of

NEVER_OVERRIDDEN: Final = frozenset(
    {"stopped", "handed_off", "void", "paid", "fee_document", "no_due_date", "rule_error"}
)
"""Codes of what no person can set aside."""

_OWN: Final = "hand_off_"


def precondition(code: str) -> str:
    """The name by which a person sets aside what a reason code says: contacts, disputed, ..."""
    return code.removeprefix(_OWN)


def hand_offs(day: AccountDay, found: Sequence[Due]) -> Iterator[Act | Skip]:
    """One hand-off for each currency of the account, for a person to approve; a skip for each
    invoice that is not ready for it."""
    together: dict[str, list[Due]] = defaultdict(list)
    for one in found:
        if "hand_off" in one.due.step.holds and not _was_done(day, one):
            together[one.invoice.currency].append(one)
    before = _placed_today(day)
    for currency, same in sorted(together.items()):
        ready: list[Due] = []
        for one in same:
            failing = unmet(day, one.invoice)
            if failing:
                yield _skip(day, one, failing)
            else:
                ready.append(one)
        if not ready:
            continue
        small = too_small(day, [one.invoice for one in ready])
        if small is not None:
            for one in ready:
                yield _skip(day, one, [small])
            continue
        before += 1
        yield _act(day, currency, ready, before)


def unmet(day: AccountDay, invoice: Invoice) -> list[Hold]:
    """The preconditions of `[hand_off]` that the invoice does not meet by itself."""
    rules = day.frame.policy.hand_off
    case = Case(day, invoice, "hold")
    checks = (
        _recalled(case),
        _dispute(case),
        _contacts(case, rules.contacts),
        _notice(case, rules.notice),
    )
    return [one for one in checks if one is not None]


def too_small(day: AccountDay, invoices: Sequence[Invoice]) -> Hold | None:
    """Whether the invoices of one currency come to less than is handed over."""
    least = nominal(day.frame.policy.hand_off.minimum_balance, invoices[0].currency)
    owed = to_hand_over(day, invoices)
    if owed >= least:
        return None
    currency = invoices[0].currency
    return hold(
        "hand_off_balance",
        ("balance", f"{format_minor(owed, currency)} {currency}"),
        ("minimum", format_minor(least, currency)),
        review_on=day.today + REVIEW_AFTER,
    )


def to_hand_over(day: AccountDay, invoices: Sequence[Invoice]) -> Minor:
    """What is owed on invoices of one currency, unapplied credit and contested parts deducted."""
    return sum(uncontested(Case(day, invoice, "hold")) for invoice in invoices)


def all_unmet(day: AccountDay, invoice: Invoice) -> list[Hold]:
    """Everything that stands in the way of handing this invoice over, grounds to wait for any
    demand included; nothing of it hides the rest."""
    case = Case(day, invoice, "hold")
    has_word = bool(day.account.commitments)
    found = [
        held
        for guard in GUARDS
        if "hold" in guard.binds and (has_word or not guard.needs_commitments)
        if (held := guard.check(case)) is not None
    ]
    codes = {held.code for held in found}
    return found + [
        held
        for held in unmet(day, invoice)
        if not (held.code == "hand_off_dispute" and "disputed" in codes)
    ]


def _recalled(case: Case) -> Hold | None:
    """What was taken back is not handed over a second time by itself."""
    for told in case.day.account.commitments:
        if isinstance(told, Placement) and told.ended_on and told.binds(case.invoice.id):
            return hold(
                "hand_off_recalled",
                ("invoice", case.invoice.number),
                ("on", told.ended_on),
                ("since", told.on),
                review_on=told.ended_on + REVIEW_AFTER,
            )
    return None


def _dispute(case: Case) -> Hold | None:
    for told in case.told:
        if isinstance(told, Dispute):
            return hold(
                "hand_off_dispute",
                ("invoice", case.invoice.number),
                ("since", told.on),
                ("reason", told.reason),
                review_on=told.review_on or told.on + REVIEW_AFTER,
            )
    return None


def _contacts(case: Case, needed: int) -> Hold | None:
    about = case.day.served_about(case.invoice)
    # What only may have arrived is no contact, and what went out today has had no time yet.
    served = len(
        {
            item.message or item.key
            for item in about
            if item.is_contact and item.state == "done" and item.on < case.today
        }
    )
    if served >= needed:
        return None
    return hold(
        "hand_off_contacts",
        ("invoice", case.invoice.number),
        ("served", served),
        ("needed", needed),
        review_on=case.today + REVIEW_AFTER,
    )


def _notice(case: Case, notice: str) -> Hold | None:
    if not notice:
        return None
    step = case.frame.step_of[notice]
    name = step.stage.name or step.id
    given = [
        item.on
        for item in case.day.served_about(case.invoice)
        if item.kind == "reminder" and item.stage in step.ids and item.state == "done"
    ]
    if not given:
        return hold(
            "hand_off_notice",
            ("notice", name),
            ("invoice", case.invoice.number),
            review_on=case.today + REVIEW_AFTER,
        )
    shift = case.frame.calendar.shift
    ends = shift(max(given), step.stage.deadline or FORMAL_DEADLINE)
    first = max(ends + ONE_DAY, shift(ends, case.frame.policy.hand_off.cool_off))
    if case.today >= first:
        return None
    return hold(
        "hand_off_deadline",
        ("notice", name),
        ("invoice", case.invoice.number),
        ("until", first - timedelta(days=1)),
        next_on=first,
    )


def _was_done(day: AccountDay, one: Due) -> bool:
    return any(
        item.stage in one.due.step.ids and item.kind == "hand_off" and slot_of(item) >= one.due.slot
        for item in day.served.get(one.invoice.id, ())
    )


def _placed_today(day: AccountDay) -> int:
    return sum(
        1
        for told in day.account.commitments
        if isinstance(told, Placement)
        and told.on == day.today
        and told.customer == day.account.payer.id
    )


def _skip(day: AccountDay, one: Due, failing: Sequence[Hold]) -> Skip:
    """All that fails is said at once; the invoice is looked at when the last of it may be over."""
    days = [held.next_on for held in failing if held.next_on is not None]
    # A review that moved on with every day would never come: it counts from the stage's day.
    first, moving = one.due.trigger + REVIEW_AFTER, day.today + REVIEW_AFTER
    reviews = [
        min(held.review_on, first) if held.review_on == moving else held.review_on
        for held in failing
        if held.review_on is not None
    ]
    return Skip(
        customer=day.account.payer.id,
        invoice=one.invoice.id,
        stage=one.due.step.id,
        key=stage_item("hand_off", one.invoice.id, one.due.step.id, one.due.slot),
        code=failing[0].code,
        reasons=tuple(reason for held in failing for reason in held.reasons),
        next_on=max(days) if len(days) == len(failing) else None,
        review_on=min(reviews, default=None),
    )


def _act(day: AccountDay, currency: str, same: Sequence[Due], ordinal: int) -> Act:
    firmest = max(same, key=lambda due: due.due.step.index).due.step
    items = tuple(
        Item(
            key=stage_item("hand_off", one.invoice.id, one.due.step.id, one.due.slot),
            kind="hand_off",
            invoice=one.invoice.id,
            stage=one.due.step.id,
        )
        for one in same
    )
    key = items[0].key
    if len(items) > 1:
        key = message_key(day.account.payer.id, [item.key for item in items])
    rules = day.frame.policy.hand_off
    owed = sum(one.invoice.balance for one in same)
    numbers = ", ".join(one.invoice.number for one in same)
    whom = rules.agency.name or {"agency": "an agency", "legal": "a lawyer"}[rules.to]
    action = HandOff(
        key=key,
        customer=day.account.payer.id,
        currency=currency,
        items=items,
        stage=firmest.id,
        text=f"{day.account.payer.name}: {numbers}, {currency} {format_minor(owed, currency)} in "
        f"all, to {whom}.",
        due_on=day.frame.calendar.shift(day.today, firmest.stage.due_in),
        owner=firmest.stage.owner,
        owed=owed,
        to=rules.to,
        whom=rules.agency.name,
        ordinal=ordinal,
    )
    return Act(
        action=action,
        reasons=tuple(reason for one in same for reason in one.due.reasons),
        send_on=day.today,
        mode=strictest(Mode(strictest(*(one.due.step.mode for one in same))), Mode.APPROVE),
    )
