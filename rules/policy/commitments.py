"""`[commitments]`: what follows from what customers told you, kept or not."""

from typing import Literal, TypeAlias

from rules.policy.section import Section, key
from rules.policy.stage import Days
from rules.policy.values import Duration

Breach: TypeAlias = Literal["remind", "next_stage", "task"]


class CommitmentRules(Section):
    """What follows when a customer does not keep a promise, and when a person looks at what
    holds the procedure."""

    broken_promise: Breach = key(
        "remind",
        "After the first promise that was not kept: `remind` says so in a polite message, "
        "`next_stage` makes the next stage due at once, `task` tells a person.",
    )
    second_broken_promise: Breach = key(
        "next_stage", "After the second one and every later one; its words are firmer."
    )
    max_promise: Days = key(
        Duration(30, "d"), "Longest promise that is taken without a person's consent."
    )
    instalment_reminder: Days | None = key(
        None, "How long before each part of an instalment plan the customer is reminded of it."
    )
    missed_instalment: Literal["remind", "task"] = key(
        "remind",
        "When a part did not come on its day: a message about that part, or a task. Once "
        "`promise_grace` has passed the plan is broken and the procedure goes on at its place.",
    )
    acknowledge: bool = key(
        False,
        "Confirm promises, disputes and payment plans to the customer in a message, on the day "
        "after they were taken down. It counts as no contact.",
        strict=True,
    )
    proof_of_debt_in: Days = key(
        Duration(14, "d"), "Time to send in your proof of debt once a customer is insolvent."
    )
    owner: str = key("", "Who looks after what holds the procedure, where nobody is named.")
    review_after: Days = key(
        Duration(30, "d"), "When a person looks at a dispute or a stop that nobody gave a day."
    )
