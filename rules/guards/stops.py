"""Customers with whom everything stopped until a person resumes."""

from datetime import date

from rules.account_day import AccountDay
from rules.frame import ONE_DAY, Frame
from rules.guards.base import Case, Hold, hold
from rules.guards.reviews import owner_of, review_day
from rules.model.commitment import Pause, Stop
from rules.model.ids import CustomerId


def stops(case: Case) -> Hold | None:
    """Insolvency, death, a lawyer, a vulnerable customer: a person decides what follows."""
    for told in case.told:
        if isinstance(told, Stop):
            return _stopped(told, case.day)
    return None


def is_stopped(day: AccountDay, customer: CustomerId | None = None) -> bool:
    """Whether everything that this customer could see stopped: statements, offers, fees, demands
    and hand-off alike. None: the payer. What is said of a payer holds for its children too."""
    return _stop(day, customer) is not None


def account_hold(day: AccountDay, customer: CustomerId | None = None) -> Hold | None:
    """Why nothing at all goes to the customer today, whatever it is about: a stop, or a pause of
    the whole account (an exemption is one of both). For rules about whole accounts."""
    stop = _stop(day, customer)
    if stop is not None:
        return _stopped(stop, day)
    whose = {day.account.payer.id, customer}
    pauses = [
        told
        for told in day.account.commitments
        if isinstance(told, Pause)
        and not told.invoices
        and told.customer in whose
        and told.stands_on(day.today)
        and told.until >= day.today
    ]
    if not pauses:
        return None
    last = max(pauses, key=lambda told: (told.until, told.id))
    return paused(last, day.frame)


def paused(told: Pause, frame: Frame) -> Hold:
    """A pause as a ground to wait; of one without an end, the day on which a person looks."""
    return hold(
        "paused",
        ("until", told.until),
        ("reason", told.reason),
        ("owner", told.owner),
        next_on=None if told.until == date.max else told.until + ONE_DAY,
        review_on=review_day(frame, told),
    )


def _stop(day: AccountDay, customer: CustomerId | None) -> Stop | None:
    whose = {day.account.payer.id, customer}
    for told in day.account.commitments:
        if isinstance(told, Stop) and told.customer in whose and told.stands_on(day.today):
            return told
    return None


def _stopped(told: Stop, day: AccountDay) -> Hold:
    return hold(
        "stopped",
        ("because", told.because),
        ("reason", told.reason),
        ("since", told.on),
        ("owner", owner_of(day.frame, told)),
        review_on=review_day(day.frame, told),
    )
