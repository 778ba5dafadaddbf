"""Which late fees are charged to an invoice today, and why others are not."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.accruing import (
    assessed,
    group_of,
    has_monthly_limit,
    note_charge,
    posts_left,
    room_this_month,
    was_cut_off,
)
from rules.actions.keys import fee_item
from rules.aging import is_open
from rules.decision import Reason, Skip
from rules.dunning import DueStage
from rules.episodes import CLOSED_FOR, owes_fees_after
from rules.fee_rules import FeeRule
from rules.fees.assess import Assessment, in_words, less
from rules.fees.base import MissingRateError, NoAmountError
from rules.fees.caps import nominal
from rules.fees.schedule import Posting, latest_posting
from rules.fees.slots import free_slot, slot_after_return, slot_of_the_rest
from rules.fees.timeline import Debt
from rules.frame import ONE_DAY, Dates
from rules.guards.base import Case, Hold
from rules.guards.formal import unconfirmed_debtors
from rules.guards.native_fees import native_late_fees
from rules.guards.table import first_hold
from rules.model.history import FeePosted
from rules.model.ids import ItemKey
from rules.model.invoice import Invoice
from rules.model.money import Minor, format_minor
from rules.model.payment import Payment
from rules.policy.fee import Fee
from rules.returned_payments import came_back, has_returned, returned_slot, returned_to

ASKED_WITHIN: Final = timedelta(days=14)
"""Time for a person to say whether a payment that was deleted in the ledger came back."""

_STAYS_SO: Final = frozenset(
    {"fee_too_small", "fee_balance_too_small", "fee_posts_reached", "fee_group_reached"}
)
"""Why a fee that no longer grows is not posted, until something happens to the invoice."""


class ChargePart(msgspec.Struct, frozen=True):
    """What one invoice bears of a fee of the whole account."""

    invoice: Invoice
    key: ItemKey
    assessment: Assessment
    text: str
    is_minimum: bool = False


class Charge(msgspec.Struct, frozen=True):
    """A fee to be charged, before anybody asked whether the customer may be told today."""

    rule: FeeRule
    invoice: Invoice
    """Of a whole account: the oldest that bears it."""
    key: ItemKey
    through: date
    assessment: Assessment
    text: str
    reasons: tuple[Reason, ...]
    parts: tuple[ChargePart, ...] = ()
    """What each invoice bears of a fee of the whole account."""


def charges(
    day: AccountDay, invoice: Invoice, dates: Dates, due_stage: DueStage | None
) -> Iterator[Charge | Skip]:
    """The fees of one invoice, in the order of the policy.

    `due_stage` is the reminder that the invoice is served today, for fees that are posted with it.
    """
    assert invoice.due_on is not None
    for rule, known in zip(day.frame.fees, dates.postings, strict=True):
        posting = known or _with_stage(day, invoice.due_on, rule, due_stage)
        if posting is None:
            continue
        found = _charge(day, invoice, invoice.due_on, rule, posting)
        if found is not None:
            yield found


def is_recently_closed(day: AccountDay, invoice: Invoice) -> bool:
    """Whether a paid invoice can still owe a fee: paid late, and not long ago."""
    if invoice.due_on is None or invoice.status != "paid":
        return False
    last = day.last_payment_on.get(invoice.id)
    return last is not None and owes_fees_after(invoice.due_on, last, day.today)


def charges_with_account(
    day: AccountDay, invoice: Invoice, due_stage: DueStage
) -> Iterator[Charge | Skip]:
    """The fees of one invoice that are posted with the stage that its account is served today."""
    assert invoice.due_on is not None
    for rule in day.frame.fees:
        posting = _with_stage(day, invoice.due_on, rule, due_stage)
        found = None if posting is None else _charge(day, invoice, invoice.due_on, rule, posting)
        if found is not None:
            yield found


def _with_stage(
    day: AccountDay, due_on: date, rule: FeeRule, due_stage: DueStage | None
) -> Posting | None:
    """The occasion of a fee that is posted with the stage served today."""
    if due_stage is None or rule.fee.post.stage not in due_stage.step.ids:
        return None
    slot = f"{due_stage.step.id}-{due_stage.slot}"
    found = latest_posting(rule.fee, due_on, day.today, day.frame.calendar, slot)
    if found is None or found.through <= due_on + timedelta(days=rule.fee.grace.count):
        return None
    if rule.from_day is not None and found.through < rule.from_day:
        return None
    return found


def returned_charges(day: AccountDay) -> Iterator[Charge | Skip]:
    """Fees for payments that came back, each once, in the order of the policy."""
    rules = [rule for rule in day.frame.fees if rule.fee.on == "returned_payment"]
    for invoice in day.account.invoices if rules and has_returned(day) else ():
        for rule in rules:
            charged, waiting = returned_to(day, rule, invoice)
            posted = posted_on(day, invoice, rule)
            for payment in waiting:
                back_on = payment.reversed_on
                assert back_on is not None and invoice.due_on is not None
                if not payment.is_return_known:
                    if back_on + CLOSED_FOR >= day.today:
                        yield _unconfirmed(day, rule, invoice, payment, back_on)
                    continue
                posting = Posting(returned_slot(payment), back_on)
                found = _charge(
                    day,
                    invoice,
                    invoice.due_on,
                    rule,
                    posting,
                    posted=posted,
                    payments=(*charged, payment),
                )
                if found is not None:
                    yield found
                if isinstance(found, Charge):
                    charged.append(payment)
                    posted = [*posted, _as_posted(day, found)]
            if not waiting and charged and is_open(invoice) and was_cut_off(day, rule, posted):
                assert invoice.due_on is not None
                rest = Posting(returned_slot(charged[-1]), day.today)
                found = _charge(
                    day, invoice, invoice.due_on, rule, rest, posted=posted, payments=charged
                )
                if found is not None:
                    yield found


def _unconfirmed(
    day: AccountDay, rule: FeeRule, invoice: Invoice, payment: Payment, gone_on: date
) -> Skip:
    """A person knows whether a deleted payment came back; nobody is charged on a guess."""
    told = (
        ("fee", rule.fee.name or rule.fee.id),
        ("invoice", invoice.number),
        ("payment", payment.id),
        ("gone_on", gone_on.isoformat()),
    )
    return Skip(
        customer=day.account.payer.id,
        invoice=invoice.id,
        fee=rule.id,
        key=fee_item(invoice.id, rule.id, returned_slot(payment)),
        code="return_not_confirmed",
        reasons=(Reason("return_not_confirmed", told),),
        review_on=gone_on + ASKED_WITHIN,
    )


def _as_posted(day: AccountDay, charge: Charge) -> FeePosted:
    """What is charged today, as it counts for what else is charged today."""
    return FeePosted(
        on=day.today,
        invoice=charge.invoice.id,
        customer=charge.invoice.customer,
        fee=charge.rule.id,
        amount=charge.assessment.to_post,
        currency=charge.invoice.currency,
        through=charge.through,
        key=charge.key,
        document="",
    )


def _charge(
    day: AccountDay,
    invoice: Invoice,
    due_on: date,
    rule: FeeRule,
    posting: Posting,
    *,
    posted: list[FeePosted] | None = None,
    payments: Sequence[Payment] = (),
) -> Charge | Skip | None:
    """`payments`: those that came back, for a fee that is charged for that."""
    fee, frame = rule.fee, day.frame
    if fee.applies_to.issued_from is not None and invoice.issued_on < fee.applies_to.issued_from:
        return None
    posted = posted_on(day, invoice, rule) if posted is None else posted
    slot = free_slot(posting.slot, posted)
    if slot is None and has_monthly_limit(day, rule):
        slot = slot_of_the_rest(posting.slot, posting.through, posted, day.today)
    if slot is None and fee.reversal == "void":
        back = [one.reversed_on for one in day.payments_of(invoice) if one.reversed_on is not None]
        slot = slot_after_return(posting.slot, posted, back)
    if slot is None:
        return None
    key = fee_item(invoice.id, rule.id, slot)
    if not day.applies(fee, invoice):
        return None

    def skip(
        code: str,
        *facts: tuple[str, str],
        next_on: date | None = None,
        review_on: date | None = None,
    ) -> Skip:
        told = (("fee", fee.name or fee.id), ("invoice", invoice.number), *facts)
        return Skip(
            customer=day.account.payer.id,
            invoice=invoice.id,
            fee=rule.id,
            key=key,
            code=code,
            reasons=(Reason(code, told),),
            next_on=next_on,
            review_on=review_on,
        )

    if not rule.has_basis:
        return skip("no_legal_basis", review_on=day.today)
    try:
        accrued = came_back(day, rule, invoice, payments) if payments else None
        debt, found = assessed(day, rule, invoice, posting.through, posted, accrued)
    except NoAmountError:
        return skip("no_amount_for_currency", ("currency", invoice.currency), review_on=day.today)
    except MissingRateError as missing:
        return skip("reference_rate_missing", *missing.facts, review_on=day.today)
    if found.to_post == 0:
        return None
    if found.to_post < 0:
        over = format_minor(-found.to_post, invoice.currency)
        return skip("fee_over_posted", ("amount", over), review_on=day.today)
    hold = hold_of_fee(day, invoice, fee)
    if hold is not None:
        return Skip(
            customer=day.account.payer.id,
            invoice=invoice.id,
            fee=rule.id,
            key=key,
            code=hold.code,
            reasons=hold.reasons,
            next_on=hold.next_on,
            review_on=hold.review_on,
        )
    later = rule.next_posting(due_on, day.today, frame.calendar)
    waits = not_yet(day, invoice, rule, debt, found, posted)
    if waits is not None:
        code, facts = waits
        if later is None and rule.ends_on is not None and code in _STAYS_SO:
            return skip(code, *facts)
        return skip(code, *facts, next_on=later or day.today + ONE_DAY)
    found = within_month(day, rule, found, invoice.currency)
    if found.to_post <= 0:
        following = (day.today.replace(day=28) + timedelta(days=4)).replace(day=1)
        return skip("fee_month_limit", next_on=following)
    note_charge(day, rule, invoice, found.to_post)
    text = in_words(fee, found, debt)
    return Charge(
        rule=rule,
        invoice=invoice,
        key=key,
        through=posting.through,
        assessment=found,
        text=text,
        reasons=(
            Reason(
                "fee_due",
                (
                    ("fee", fee.name or fee.id),
                    ("invoice", invoice.number),
                    ("amount", f"{format_minor(found.to_post, invoice.currency)} {debt.currency}"),
                    ("through", posting.through.isoformat()),
                ),
            ),
        ),
    )


def posted_on(day: AccountDay, invoice: Invoice, rule: FeeRule) -> list[FeePosted]:
    """What was posted of the fee for the invoice, under its present id or an earlier one."""
    return [
        charge
        for charge in day.fees.get(invoice.id, ())
        if charge.fee in rule.ids and not charge.is_minimum
    ]


def hold_of_fee(day: AccountDay, invoice: Invoice, fee: Fee) -> Hold | None:
    """What keeps a fee from being charged to the invoice today."""
    case = Case(day, invoice, "fee")
    return native_late_fees(case, fee) or unconfirmed_debtors(case, fee) or first_hold(case)


def not_yet(
    day: AccountDay,
    invoice: Invoice,
    rule: FeeRule,
    debt: Debt,
    found: Assessment,
    posted: list[FeePosted],
) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Why a fee that accrued is not posted on this occasion."""
    fee = rule.fee
    past = day.served_about(invoice) if fee.requires else ()
    for name in fee.requires:
        step = day.frame.step_of.get(name)
        ids = step.ids if step is not None else {name}
        if not any(item.stage in ids and item.state != "bounced" for item in past):
            return "requires", (("requires", name),)
    unmet = day.unmet(fee, invoice)
    if unmet:
        return "condition", (("why", "; ".join(unmet)),)
    currency = invoice.currency
    if fee.minimum_balance is not None:
        owed: Minor = debt.owed_on(debt.due_on + ONE_DAY)
        if is_open(invoice):
            owed = day.net_of(invoice)
        if owed < nominal(fee.minimum_balance, currency):
            return "fee_balance_too_small", (("balance", format_minor(owed, currency)),)
    if fee.minimum_to_post is not None and found.to_post < nominal(fee.minimum_to_post, currency):
        return "fee_too_small", (
            ("amount", format_minor(found.to_post, currency)),
            ("minimum", f"{fee.minimum_to_post}"),
        )
    if fee.cap is not None and fee.cap.posts is not None and len(posted) >= fee.cap.posts:
        return "fee_posts_reached", (("posts", str(fee.cap.posts)),)
    if posts_left(day, rule, invoice) == 0:
        group = group_of(day, rule)
        return "fee_group_reached", (("posts", str(group.posts if group is not None else "")),)
    return None


def within_month(day: AccountDay, rule: FeeRule, found: Assessment, currency: str) -> Assessment:
    """What the customer's monthly limit leaves; the rest is deferred, not lost."""
    room = room_this_month(day, rule, currency)
    if room is None:
        return found
    return less(found, "deferred", max(found.to_post - room, 0), currency)


def exact_total(found: Assessment) -> Fraction:
    """Rows plus steps of an assessment: what is posted, in major units."""
    rows = sum((Fraction(row.exact) for row in found.accrual.rows), Fraction(0))
    return rows + sum((Fraction(step.amount) for step in found.steps), Fraction(0))
