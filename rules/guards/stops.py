"""Customers with whom everything stopped until a person resumes."""

from datetime import timedelta

from rules.guards.base import Case, Hold, hold
from rules.model.commitment import Stop


def stops(case: Case) -> Hold | None:
    """Insolvency, death, a lawyer, a vulnerable customer: a person decides what follows."""
    for told in case.told:
        if isinstance(told, Stop):
            return hold(
                "stopped",
                ("because", told.because),
                ("reason", told.reason),
                ("since", told.on),
                ("owner", told.owner),
                review_on=told.review_on or told.on + timedelta(days=90),
            )
    return None
