"""When a person looks at what holds the procedure: every wait has an owner and ends."""

from datetime import date
from typing import Final

from rules.frame import Frame
from rules.model.commitment import Commitment, Placement, last_day
from rules.policy.values import Duration

PLACED_FOR: Final = Duration(90, "d")
"""A person asks what became of a placement after this time."""

THE_OWNER: Final = "the owner of the books"
"""Who looks after what nobody was named for, and of which we do not know who said it."""

_NEVER_BEGUN: Final = date(2000, 1, 1)


def review_day(frame: Frame, told: Commitment) -> date | None:
    """The day on which a person looks at it: the one that was said; else, where it does not end
    by itself, `review_after` the day on which it began. None: it ends by itself.

    An exemption that names no first day is looked at when the year ends.
    """
    if told.review_on is not None:
        return told.review_on
    if last_day(told) is not None:
        return None
    if told.on <= _NEVER_BEGUN:
        return date(frame.today.year, 12, 31)
    after = frame.policy.commitments.review_after
    return frame.calendar.shift(told.on, PLACED_FOR if isinstance(told, Placement) else after)


def owner_of(frame: Frame, told: Commitment) -> str:
    """Who looks after it: whoever was named, else whoever recorded it; never nobody."""
    return told.owner or frame.policy.commitments.owner or name_of_actor(told) or THE_OWNER


def name_of_actor(told: Commitment) -> str:
    """Who recorded it, without the way: `ann` of `ann (command line)`."""
    return told.actor.partition(" (")[0]
