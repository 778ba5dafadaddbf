"""`minimum_charge`: once for the invoice, or for each charge (`minimum_per`).

Per invoice the cumulative amount is raised once. Per charge each document is raised: 1.5 % a
month, or 10 where that is less. What earlier documents were raised by is found in them again: a
document of no more than the minimum that covers less than it says was raised by the difference.
It goes on counting as owed, so it is never charged again and never eaten by what accrues later.
"""

from collections.abc import Callable, Sequence
from datetime import date

from rules.model.history import FeePosted
from rules.model.money import Minor


def raised_by_invoice(came_to: Minor, minimum: Minor) -> Minor:
    """What the cumulative amount is raised by; nothing where nothing came up."""
    return max(minimum - came_to, 0) if came_to > 0 else 0


def raised_by_charge(
    came_to: Minor,
    minimum: Minor,
    posted: Sequence[FeePosted],
    came_to_by: Callable[[date], Minor],
) -> Minor:
    """What all documents are raised by, that of today included.

    `came_to`: what accrued, rounded once; `came_to_by`: the same by an earlier day.
    """
    covered = raised = 0
    for charge in sorted(posted, key=lambda one: (one.through, one.on, one.key)):
        amount = charge.amount - charge.corrected
        if amount <= 0:
            continue
        accrued = came_to_by(charge.through) - covered if amount <= minimum else amount
        extra = amount - accrued if 0 < accrued < amount else 0
        raised += extra
        covered += amount - extra
    left = came_to - covered
    return raised + (minimum - left if 0 < left < minimum else 0)
