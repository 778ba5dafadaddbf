"""Which stage of the procedure is due for an invoice.

A trigger is a threshold: a stage is due on and after its day until it was served, so a day of
downtime loses nothing. Of several stages that are due only the highest is served; a softer one
never follows a firmer one. What the customer sees (`remind`), invoices that the ledger mails,
credit holds and internal actions are four lanes: a reminder that has to wait does not keep a call
from being made.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.decision import Reason
from rules.frame import ONE_DAY, Dates, Frame
from rules.invoice_facts import InvoiceFacts
from rules.model.commitment import Promise
from rules.model.invoice import Invoice
from rules.selecting import is_selected, unmet
from rules.served_stages import LANE_KINDS, Past
from rules.steps import Lane, Step

MISSED_AFTER: Final = timedelta(days=7)
"""With `after_downtime = "none"`, a stage that is this late counts as missed and is dropped."""


class DueStage(msgspec.Struct, frozen=True):
    """A stage to be served now."""

    step: Step
    slot: int
    trigger: date
    reasons: tuple[Reason, ...]


class Waiting(msgspec.Struct, frozen=True):
    """A stage whose day has come but which something in the procedure itself keeps back."""

    step: Step
    slot: int
    code: str
    reasons: tuple[Reason, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an invoice stands in the procedure."""

    due: dict[Lane, DueStage]
    waiting: tuple[Waiting, ...] = ()
    next_on: date | None = None
    """The next day on which a further stage falls due."""
    coming: tuple[tuple[Step, date], ...] = ()
    """Stages still to come whose day is known, in order."""


class Gentle(msgspec.Struct, frozen=True):
    """First-sync rules for an invoice, or an account, that was overdue before we looked."""

    first: Step | None
    """The reminder with which the procedure begins; None where none does."""
    contact_on: date | None
    trigger: date | None


def standing(day: AccountDay, invoice: Invoice, dates: Dates, *, in_full: bool = False) -> Standing:
    """Where the invoice stands today. The invoice has a due date and is open.

    `in_full` also tells what is to come where something is due already.
    """
    frame = day.frame
    items = day.served.get(invoice.id, ())
    is_new = not items and not day.account.commitments
    if is_new and frame.has_returned_stages:
        is_new = invoice.id not in day.returned_on
    if not in_full and is_new and dates.fresh:
        fresh = _fresh(day, invoice, dates)
        if "reminder" in fresh:
            return Standing(due=fresh)
    past = Past(frame, items)
    gentle = _gentle(day, invoice, dates, past)
    due: dict[Lane, DueStage] = {}
    waiting: list[Waiting] = []
    coming: list[tuple[Step, date]] = []
    highest = {lane: past.highest(kinds) for lane, kinds in LANE_KINDS.items()}
    for step in reversed(frame.steps):
        if step.is_account:
            continue
        lanes = [
            (lane, kinds)
            for lane, kinds in step.lanes
            if lane not in due and (step.index >= highest[lane] or step.is_event)
        ]
        if not lanes:
            continue
        trigger = _trigger(day, invoice, step, dates, past)
        if trigger is None or (step.is_selective and not day.applies(step, invoice)):
            continue
        if step.is_event:
            slot, at, following = _of_event(day, invoice, trigger)
            held = "before_connection" if is_before_us(frame, trigger) else None
        else:
            trigger, held = paced(frame, step, trigger, gentle, dates.triggers[step.index])
            slot, at, following = reached(frame, step, trigger)
        for lane, kinds in lanes:
            if past.slot(step, kinds) >= max(slot, 1):
                if following is not None:
                    coming.append((step, following))
                continue
            if slot == 0:
                if held is None:
                    coming.append((step, at))
                continue
            reason = kept_back(frame, invoice, step, at, past, held, lane) or _condition(
                day, invoice, step
            )
            if reason is None:
                due[lane] = DueStage(step, slot, at, _why(frame, invoice, step, at, gentle))
            elif reason.code != "passed":
                waiting.append(Waiting(step, slot, reason.code, (reason,)))
    coming.sort(key=lambda found: (found[1], found[0].index))
    return Standing(
        due=due,
        waiting=tuple(_worth_telling(waiting, due)),
        next_on=coming[0][1] if coming else None,
        coming=tuple(coming),
    )


def _fresh(day: AccountDay, invoice: Invoice, dates: Dates) -> dict[Lane, DueStage]:
    """What is due an invoice that nothing was ever done about."""
    due: dict[Lane, DueStage] = {}
    frame, facts = day.frame, InvoiceFacts(day, invoice)
    for step, lane, trigger in dates.fresh:
        if lane in due or (step.is_selective and not is_selected(step, frame.segments, facts)):
            continue
        if step.has_conditions and unmet(step, facts):
            continue
        if lane != "send" or not _reaches_back(frame, step, trigger, lane):
            due[lane] = DueStage(step, 1, trigger, _why(frame, invoice, step, trigger, None))
    return due


def _worth_telling(waiting: Sequence[Waiting], due: dict[Lane, DueStage]) -> list[Waiting]:
    """The highest stage that waits, unless a reminder is served anyway."""
    if "reminder" in due or not waiting:
        return []
    return [waiting[0]]


def _gentle(day: AccountDay, invoice: Invoice, dates: Dates, past: Past) -> Gentle | None:
    return gentle_start(day, invoice, dates.starts, past) if dates.was_overdue else None


def gentle_start(
    day: AccountDay, invoice: Invoice, starts: Sequence[tuple[Step, date]], past: Past
) -> Gentle | None:
    """First-sync rules for an invoice; None where it was not yet past its earliest reminder when
    the book was connected.

    The procedure begins with the reminder that went out first; before that, with the earliest one
    that is for this invoice, and of those rather with one whose conditions hold today: a stage
    that leaves it out is waited for by nothing.
    """
    assert invoice.due_on is not None
    connected_on = day.frame.connected_on
    found = [(step, on) for step, on in starts if day.applies(step, invoice)]
    served = [
        (first, step.index, on)
        for step, on in found
        if (first := past.first(step, step.reminders)) is not None
    ]
    if served:
        _, index, on = min(served)
        step = day.frame.steps[index]
    elif found:
        open_to_it = (one for one in found if not day.unmet(one[0], invoice))
        step, on = next(open_to_it, found[0])
    else:
        is_late = invoice.due_on < connected_on
        return Gentle(None, past.first_reminder(0), None) if is_late else None
    if on >= connected_on:
        return None
    return Gentle(step, past.first_reminder(step.index), on)


def _of_event(day: AccountDay, invoice: Invoice, trigger: date) -> tuple[int, date, date | None]:
    """(slot, its day, nothing after it): the slot is the day on which the payment came back, so
    that the next one that comes back is another turn."""
    returned_on = day.returned_on.get(invoice.id)
    if returned_on is None or trigger > day.today:
        return 0, trigger, None
    return int(f"{returned_on:%Y%m%d}"), trigger, None


def paced(
    frame: Frame, step: Step, trigger: date, gentle: Gentle | None, fixed: date | None
) -> tuple[date, str | None]:
    """The trigger after first-sync rules, and the ground on which they keep the step back.

    `fixed` is the trigger where it follows from dates alone.
    """
    mode = frame.policy.catch_up.first_sync
    if gentle is None:
        return trigger, None
    if mode == "none":
        return trigger, "left_alone"
    if mode == "from_today":
        return trigger, "before_connection" if trigger < frame.connected_on else None
    if gentle.first is None or gentle.trigger is None:
        is_firm = step.stage.formal or bool(step.holds)
        return trigger, "first_contact" if is_firm and gentle.contact_on is None else None
    if step.index <= gentle.first.index:
        is_firm = step.stage.formal or bool(step.holds)
        return trigger, "first_contact" if is_firm and gentle.contact_on is None else None
    if gentle.contact_on is None:
        return trigger, "first_contact"
    if fixed is None:
        return trigger, None
    distance = max(trigger - gentle.trigger, ONE_DAY)
    return max(trigger, gentle.contact_on + distance), None


def _trigger(
    day: AccountDay, invoice: Invoice, step: Step, dates: Dates, past: Past
) -> date | None:
    """The day from which the step is due; None while nobody can tell."""
    fixed = dates.triggers[step.index]
    frame = day.frame
    if fixed is not None:
        return pulled(day, step, fixed, past, invoice)
    at = step.stage.at
    anchor: date | None = None
    if at.anchor == "previous":
        anchor = past.before(frame, step)
    elif at.anchor == "deadline":
        before = frame.step_of.get(at.arg)
        anchor = past.last(before) if before is not None else None
        if before is not None and anchor is not None:
            anchor = frame.calendar.shift(anchor, before.stage.deadline)
    elif at.anchor == "promise":
        promised = [told.due_on for told in day.told_ever(invoice) if isinstance(told, Promise)]
        anchor = max(promised, default=None)
    elif at.anchor == "returned":
        anchor = day.returned_on.get(invoice.id)
        return None if anchor is None else frame.calendar.shift(anchor, at.offset, at.sign)
    if anchor is None:
        return None
    shifted = frame.calendar.shift(anchor, at.offset, at.sign)
    if at.anchor == "previous":
        return pulled(day, step, max(shifted, anchor + ONE_DAY), past, invoice)
    return shifted if at.anchor == "promise" else max(shifted, anchor + ONE_DAY)


def pulled(
    day: AccountDay, step: Step, trigger: date, past: Past, invoice: Invoice | None = None
) -> date:
    """A broken promise brings the next stage forward, where the policy says so: one stage for each
    of them. Of an invoice only promises about it count."""
    if trigger <= day.today or not step.reminds or not day.account.commitments:
        return trigger
    breaches = day.breaches if invoice is None else day.breaches_of(invoice)
    rules = day.frame.policy.commitments
    nth = len(breaches)
    if not nth:
        return trigger
    rule = rules.broken_promise if nth == 1 else rules.second_broken_promise
    if rule != "next_stage" or (past.last_reminder or date.min) > breaches[-1].ends:
        return trigger
    served = past.highest(LANE_KINDS["reminder"])
    following = [
        other.index
        for other in day.frame.steps
        if other.reminds
        and other.index > served
        and other.is_account == step.is_account
        and not _is_before_due(other)
    ]
    return day.today if following and step.index == following[0] else trigger


def _is_before_due(step: Step) -> bool:
    at = step.stage.at
    return at.anchor == "due" and at.sign < 0


def reached(frame: Frame, step: Step, trigger: date) -> tuple[int, date, date | None]:
    """(slot reached today, its day, day of the following slot); slot 0: nothing reached yet."""
    if trigger > frame.today:
        return 0, trigger, None
    repeat = step.stage.repeat
    if repeat is None:
        return 1, trigger, None
    slot, at = 1, trigger
    while slot < repeat.times:
        length = msgspec.structs.replace(repeat.every, count=repeat.every.count * slot)
        following = frame.calendar.shift(trigger, length)
        if following > frame.today:
            return slot, at, following
        slot, at = slot + 1, following
    return slot, at, None


def kept_back(
    frame: Frame,
    invoice: Invoice,
    step: Step,
    trigger: date,
    past: Past,
    held: str | None,
    lane: Lane,
) -> Reason | None:
    """What in the procedure itself keeps a stage back whose day has come: first-sync rules,
    downtime, stages that have to come first."""
    stage = step.stage
    assert invoice.due_on is not None
    if trigger < invoice.due_on < frame.today and step.reminds and lane == "reminder":
        # A notice that was meant for before the due date says nothing true after it.
        return Reason("passed", (("stage", stage.id),))
    if step.is_event and lane == "reminder" and (past.reminded_above(step) or date.min) >= trigger:
        # A firmer word went out since it happened.
        return Reason("passed", (("stage", stage.id),))
    if held is not None:
        return Reason(held, (("stage", stage.id), ("connected_on", str(frame.connected_on))))
    if _reaches_back(frame, step, trigger, lane):
        return Reason(
            "before_connection", (("stage", stage.id), ("connected_on", str(frame.connected_on)))
        )
    if frame.policy.catch_up.after_downtime == "none" and trigger + MISSED_AFTER < frame.today:
        return Reason("missed", (("stage", stage.id), ("trigger", str(trigger))))
    for name in step.requires:
        required = frame.step_of.get(name)
        served_on = past.last(required) if required is not None else None
        # On an earlier day: an invoice climbs one stage a day, so a second run does nothing.
        if served_on is None or served_on >= frame.today:
            return Reason("requires", (("stage", stage.id), ("requires", name)))
    return None


def _condition(day: AccountDay, invoice: Invoice, step: Step) -> Reason | None:
    whys = day.unmet(step, invoice) if step.has_conditions else ()
    if not whys:
        return None
    return Reason("condition", (("stage", step.stage.id), ("why", "; ".join(whys))))


def is_before_us(frame: Frame, day: date) -> bool:
    """Whether something happened before the book was connected; never for a book file."""
    return frame.book.company.connected_on is not None and day < frame.connected_on


def _reaches_back(frame: Frame, step: Step, trigger: date, lane: Lane) -> bool:
    """Whether an invoice would be mailed for a day before we looked after it: nobody knows why
    it was not sent then. Together with a reminder it may go."""
    return lane == "send" and not step.reminds and is_before_us(frame, trigger)


def _why(
    frame: Frame, invoice: Invoice, step: Step, trigger: date, gentle: Gentle | None
) -> tuple[Reason, ...]:
    assert invoice.due_on is not None
    facts = (
        ("stage", step.name),
        ("invoice", invoice.number),
        ("trigger", trigger.isoformat()),
        ("days_past_due", str((frame.today - invoice.due_on).days)),
    )
    reason = Reason("stage_due", facts)
    if gentle is None:
        return (reason,)
    reasons = [reason]
    if gentle.contact_on is None and frame.policy.catch_up.first_sync == "gentle":
        reasons.append(Reason("gentle_start", (("invoice", invoice.number),)))
    return tuple(reasons)
