"""Stages that count from the day on which an invoice was fully paid: thanks, a task, a note."""

from datetime import date, timedelta
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.decision import Reason
from rules.dunning import DueStage, is_before_us
from rules.frame import ONE_DAY
from rules.model.invoice import Invoice
from rules.served_stages import Past
from rules.steps import Lane

PAID_FOR: Final = timedelta(days=14)
"""Such a stage is served within this time of its day, or let go: later thanks sound odd."""


class AfterPayment(msgspec.Struct, frozen=True):
    """What is due after a payment, and the day on which more may be."""

    due: dict[Lane, DueStage]
    next_on: date | None = None


def after_payment(day: AccountDay, invoice: Invoice) -> AfterPayment:
    """The stages of today for a paid invoice. Nothing for one that no money settled, or that was
    paid before the book was connected."""
    frame = day.frame
    is_paid = invoice.status == "paid" and any(
        payment.reversed_on is None for payment in day.payments_of(invoice)
    )
    paid_on = day.settled_on.get(invoice.id) if is_paid else None
    if paid_on is None or is_before_us(frame, paid_on):
        return AfterPayment({})
    # The day of payment is the turn: an invoice that is opened and paid again has two.
    slot = int(f"{paid_on:%Y%m%d}")
    due: dict[Lane, DueStage] = {}
    ahead: list[date] = []
    past = Past(frame, day.served.get(invoice.id, ()))
    for step in reversed(frame.paid_steps):
        at = frame.calendar.shift(paid_on, step.stage.at.offset, step.stage.at.sign)
        if day.today > at + PAID_FOR or not day.applies(step.stage, invoice):
            continue
        for lane, kinds in step.lanes:
            if past.slot(step, kinds) >= slot:
                continue
            if any(past.last(frame.step_of[name]) is None for name in step.stage.requires):
                continue
            if at > day.today:
                ahead.append(at)
            elif day.unmet(step.stage, invoice):
                ahead.append(day.today + ONE_DAY)
            elif lane not in due:
                facts = (
                    ("stage", step.stage.name or step.id),
                    ("invoice", invoice.number),
                    ("paid_on", paid_on.isoformat()),
                )
                due[lane] = DueStage(step, slot, at, (Reason("paid_stage_due", facts),))
    return AfterPayment(due, min(ahead, default=None))
