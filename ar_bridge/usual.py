"""What a busy day of a book is like, by a measure that one freak day does not move."""

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil
from typing import Final

DAYS: Final = timedelta(days=100)
"""How far back the usual is looked for."""

FEWEST: Final = 5
"""With fewer days nobody knows what is usual."""

A_MONTH_AGO: Final = (timedelta(days=25), timedelta(days=35))
"""Much is done once a month: fees are posted, statements sent."""


def usual(of_day: Mapping[date, int], today: date) -> int | None:
    """How much a busy day has: the 95th percentile (nearest rank) of the days on which there was
    anything at all, or the largest of a month ago where that is more. None with too few days."""
    counts = sorted(count for count in of_day.values() if count)
    if len(counts) < FEWEST:
        return None
    percentile = counts[ceil(0.95 * len(counts)) - 1]
    nearest, farthest = A_MONTH_AGO
    month = [of_day[day] for day in of_day if nearest <= today - day <= farthest]
    return max(percentile, *month) if month else percentile
