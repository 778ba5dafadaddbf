"""A policy played over the history of a book, a day at a time, without looking ahead.

Every day is decided on what the books knew by then (`known` dates), and what is decided becomes
history for the days after it. What customers would have done differently nobody can know: they
pay when they paid.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import msgspec

from rules.actions.action import Action
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decide import decide
from rules.decision import Act, Skip
from rules.model.book import Book, HolidaySet
from rules.model.events import EventLog
from rules.model.history import COUNTED_KINDS, FeePosted, Served
from rules.policy.schema import Policy

_ONE_DAY: Final = timedelta(days=1)


class ReplayedDay(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on one day."""

    day: date
    acts: tuple[Act, ...]
    skips: tuple[Skip, ...]
    book: Book
    """As it was known on that day, with what the replay did before it."""


def replay(
    log: EventLog,
    policy: Policy,
    first: date,
    last: date,
    *,
    holidays: HolidaySet | None = None,
    connected_on: date | None = None,
) -> Iterator[ReplayedDay]:
    """Decide every day from `first` to `last`, both included.

    `connected_on` is the day from which first-sync rules count; without it a book file's rules
    (no limit) hold. Actions and fees that the file itself records stay what they are: history.
    """
    served: list[Served] = []
    fees: list[FeePosted] = []
    region = policy.calendar.region
    day = first
    while day <= last:
        known = log.as_of(day).book
        book = msgspec.structs.replace(
            known,
            company=msgspec.structs.replace(known.company, connected_on=connected_on),
            holidays={region: holidays} if holidays is not None else {},
            served=[*known.served, *served],
            fees=[*known.fees, *fees],
        )
        decided = decide(book, policy, day)
        acts = tuple(one for one in decided if isinstance(one, Act))
        for act in acts:
            served += served_by(act.action, max(act.send_on, day))
            if isinstance(act.action, ChargeLateFee):
                fees += fees_of(act.action, day, known.company.id)
        skips = tuple(one for one in decided if isinstance(one, Skip))
        yield ReplayedDay(day=day, acts=acts, skips=skips, book=book)
        day += _ONE_DAY


def served_by(action: Action, on: date) -> list[Served]:
    """The items of an action as history, once it was done."""
    channel = "email" if isinstance(action, SendReminder) else ""
    return [
        Served(
            on=on,
            kind=item.kind,
            customer=action.customer,
            invoice=item.invoice,
            stage=item.stage,
            channel=channel,
            key=item.key,
            message=action.key if item.kind in COUNTED_KINDS else "",
        )
        for item in action.items
    ]


def fees_of(charge: ChargeLateFee, on: date, company_id: str) -> list[FeePosted]:
    """A charge as history, once it was posted: of a whole account the part of each invoice."""
    whole = FeePosted(
        on=on,
        invoice=charge.invoice,
        customer=charge.customer,
        fee=charge.fee_id,
        amount=charge.charge,
        currency=charge.currency,
        through=charge.through,
        key=charge.key,
        document=charge.number(company_id),
    )
    return [
        msgspec.structs.replace(
            whole,
            invoice=part.invoice,
            amount=part.amount,
            key=part.key,
            account_key=charge.key,
            is_minimum=part.is_minimum,
        )
        for part in charge.parts
    ] or [whole]
