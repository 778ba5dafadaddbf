"""What came back: a reply that nobody dealt with yet, a message that did not arrive.

Each holds for the time that the policy gives it, then it is a task (`rules.answer_tasks`).
A reply holds on while that task is open, for as long again: on the morning of the task nobody
can have read it. It is dealt with once a person recorded a word of the customer, on its day or
later, finished the task or said so of the mail.
"""

from datetime import date

from rules.account_day import AccountDay
from rules.guards.base import Case, Hold, hold
from rules.model.history import COUNTED_KINDS, REPLIED, Served


def replies(case: Case) -> Hold | None:
    """A reply is read by a person before anything else goes out."""
    day = case.day
    if not day.frame.answered or not day.account.served:
        return None
    found = [
        item
        for item in (*day.served.get(None, ()), *day.served.get(case.invoice.id, ()))
        if item.kind == REPLIED
        and item.customer in (day.account.payer.id, case.invoice.customer)
        and reply_holds_until(day, item) > day.today
        and not is_dealt_with(day, item)
    ]
    if not found:
        return None
    last = max(found, key=lambda item: (item.on, item.key))
    asked_on, ends = reply_ends(day, last), reply_holds_until(day, last)
    next_on = asked_on if asked_on > day.today else ends
    return hold("replied", ("on", last.on), ("until", ends), next_on=next_on)


def bounces(case: Case) -> Hold | None:
    """A message that did not arrive: somebody corrects the address first."""
    day = case.day
    if not day.frame.answered:
        return None
    found = [
        item
        for item in day.served.get(case.invoice.id, ())
        if is_bounce(item) and bounce_ends(day, item) > day.today
    ]
    if not found:
        return None
    last = max(found, key=lambda item: (item.on, item.key))
    ends = bounce_ends(day, last)
    return hold("bounced", ("on", last.on), ("until", ends), next_on=ends)


def is_bounce(item: Served) -> bool:
    """Whether it is a message that did not reach the customer."""
    return item.state == "bounced" and item.kind in COUNTED_KINDS


def is_dealt_with(day: AccountDay, reply: Served) -> bool:
    """Whether a person recorded since then what the customer said."""
    return any(
        told.customer == reply.customer and told.on >= reply.on
        for told in day.account.commitments
        if told.on <= day.today
    )


def reply_ends(day: AccountDay, item: Served) -> date:
    """The day on which a reply becomes a task."""
    return day.frame.calendar.shift(item.on, day.frame.policy.do_not_chase.reply.for_)


def reply_holds_until(day: AccountDay, item: Served) -> date:
    """The day on which a reply holds no more, though nobody dealt with it."""
    time_to_read = day.frame.policy.do_not_chase.reply.for_
    return day.frame.calendar.shift(reply_ends(day, item), time_to_read)


def bounce_ends(day: AccountDay, item: Served) -> date:
    """The day on which a message that did not arrive holds no more."""
    return day.frame.calendar.shift(item.on, day.frame.policy.do_not_chase.bounce.for_)
