"""Formal stages: whom they may go to, and what waits while one is running."""

from rules.frame import ONE_DAY
from rules.guards.base import Case, Hold, hold
from rules.policy.fee import Fee


def unconfirmed_customers(case: Case) -> Hold | None:
    """A formal stage waits until a person confirmed what the customer is in law.

    A guess from the name never counts as confirmation.
    """
    if case.stage is None or not case.stage.formal:
        return None
    return _unconfirmed(case, "stage", case.stage.name or case.stage.id)


def unconfirmed_debtors(case: Case, fee: Fee) -> Hold | None:
    """What a law of late payment gives depends on what the customer is in law, too."""
    return _unconfirmed(case, "fee", fee.name or fee.id) if fee.type == "statutory" else None


def _unconfirmed(case: Case, what: str, name: str) -> Hold | None:
    customer = case.day.customer_of(case.invoice)
    if customer.entity_type != "unknown" and not customer.entity_type_is_guess:
        return None
    return hold(
        "entity_unconfirmed", ("customer", customer.name), (what, name), review_on=case.today
    )


def live_firm_stages(case: Case) -> Hold | None:
    """Never a softer stage while the time of a firmer one runs for the same account: a formal
    stage for one of its invoices, or a stage of the account's own ladder."""
    if case.stage is None or not case.day.account.served or not case.frame.has_firm:
        return None
    if not case.day.live:
        return None
    step = case.frame.step_of[case.stage.id]
    binding = [live for live in case.day.live if live.binds(step, case.invoice)]
    if not binding:
        return None
    last = max(binding, key=lambda live: (live.until, live.step.index))
    return hold(
        "formal_stage_live" if last.step.stage.formal else "firmer_stage_live",
        ("stage", last.step.stage.name or last.step.id),
        ("until", last.until),
        next_on=last.until + ONE_DAY,
    )
