"""Invoices that are with a collector or a lawyer."""

from datetime import timedelta

from rules.guards.base import Case, Hold, hold

LOOKED_AT_AFTER = timedelta(days=90)
"""A person asks what became of a placement after this time."""


def placements(case: Case) -> Hold | None:
    """Whom a claim was handed to speaks for it alone: no message, fee or second hand-off."""
    placed = case.day.placed
    if not placed:
        return None
    told = placed.get(case.invoice.id)
    if told is None:
        return None
    return hold(
        "handed_off",
        ("invoice", case.invoice.number),
        ("since", told.on),
        ("to", told.name or told.to),
        ("who", told.actor),
        ("reason", told.reason),
        review_on=told.review_on or told.on + LOOKED_AT_AFTER,
    )
