"""Formal stages: whom they may go to, and what waits while one is running."""

from rules.frame import ONE_DAY
from rules.guards.base import Case, Hold, hold


def unconfirmed_customers(case: Case) -> Hold | None:
    """A formal stage waits until a person confirmed what the customer is in law.

    A guess from the name never counts as confirmation.
    """
    if case.stage is None or not case.stage.formal:
        return None
    customer = case.day.customer_of(case.invoice)
    if customer.entity_type != "unknown" and not customer.entity_type_is_guess:
        return None
    return hold(
        "entity_unconfirmed",
        ("customer", customer.name),
        ("stage", case.stage.name or case.stage.id),
        review_on=case.today,
    )


def live_formal_stages(case: Case) -> Hold | None:
    """Never a softer stage while the time that a formal one gave the account is still running."""
    if case.stage is None or case.stage.formal or not case.frame.has_formal:
        return None
    if not case.day.account.served:
        return None
    until = case.day.formal_until
    if until is None or until < case.today:
        return None
    return hold("formal_stage_live", ("until", until), next_on=until + ONE_DAY)
