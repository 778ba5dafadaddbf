"""`[approval]`: what a person looks at before it goes, whatever the mode lets go by itself."""

from typing import Annotated, Final

from pydantic import BeforeValidator

from rules.policy.conditions import Conditions
from rules.policy.reading import Exact, Misread, did_you_mean, shown
from rules.policy.section import Section, key
from rules.policy.stage import Days
from rules.policy.values import Duration

KINDS: Final[tuple[str, ...]] = (
    "reminder",
    "statement",
    "note",
    "late_fee",
    "fee_notice",
    "fee_waiver",
    "task",
    "call",
    "notify",
    "send_invoice",
    "credit_hold",
    "credit_release",
    "plan_offer",
    "discount_offer",
    "discount",
    "deposit_request",
    "write_off_proposal",
    "hand_off",
    "thanks",
    "acknowledgement",
)
"""Kinds of action that the rules decide."""


def _kind(value: object) -> str:
    if isinstance(value, str) and value in KINDS:
        return value
    raise Misread(f"{shown(value)} is not a kind of action", did_you_mean(value, KINDS))


class Asking(Section):
    """One case in which a person is asked: everything that is named has to hold."""

    kinds: tuple[Annotated[str, BeforeValidator(_kind)], ...] = key(
        (), 'Kinds of action, such as `["late_fee", "hand_off"]`; without it all of them.'
    )
    only: tuple[str, ...] = key((), "Only customers of one of these segments.")
    skip: tuple[str, ...] = key((), "Not customers of these segments.")
    when: Conditions | None = key(
        None, "Only where this holds for one of the invoices that the action is about."
    )
    unless: Conditions | None = key(
        None, "Not where this holds for all the invoices that the action is about."
    )
    above: Exact | None = key(
        None,
        "Only amounts above this, in the action's own currency: of a fee what is charged, of a "
        "message what it asks for. What has no amount is not asked about.",
        ge=0,
    )
    why: str = key(
        "", 'Why, as people read it after "because"; without it the case is told.', max_length=200
    )


class ApprovalRules(Section):
    """What a person looks at before it goes, and how long that may take."""

    ask: tuple[Asking, ...] = key(
        (),
        "Cases in which a person is asked: `[[approval.ask]]`. One that applies is enough; in "
        "mode `draft` nothing is sent, and nobody is asked.",
    )
    expires: Days | None = key(
        Duration(5, "d"),
        "After this time what waits for a person expires, and is planned anew with the day since "
        "which it has waited.",
    )
