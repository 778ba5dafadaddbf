"""Letters that were written: a person prints and posts them, and a task asks for it.

What the rules know of a letter is that a message went by that channel. The task belongs to that
message and comes once.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.internal import OpenTask
from rules.contacting import ContactBudget
from rules.decision import Act, Decision, Reason
from rules.model.history import Served
from rules.model.ids import ItemKey
from rules.policy.schema import Policy

ASKED_WITHIN: Final = timedelta(days=14)
"""A letter that is older than this was posted, or it is too late to post it."""

_LETTER: Final = "letter"


def wants_letters(policy: Policy) -> bool:
    """Whether anything is written as a letter."""
    return _LETTER in policy.contact.fallback or any(
        _LETTER in stage.channels or _LETTER in stage.fallback for stage in policy.stage
    )


def letter_tasks(day: AccountDay, budget: ContactBudget) -> Iterator[Decision]:
    """A task for each letter of the last days that nobody was asked to post yet."""
    del budget  # the letter itself used it
    asked = {item.key for item in day.account.served if item.kind == "task"}
    since = day.today - ASKED_WITHIN
    payer = day.account.payer
    seen: set[ItemKey] = set()
    for item in sorted(day.account.served, key=lambda item: (item.on, item.message, item.key)):
        if item.state != "done" or not since <= item.on <= day.today or not _is_letter(day, item):
            continue
        key = ItemKey(f"task/{item.message or item.key}/{_LETTER}")
        if key in asked or key in seen:
            continue
        seen.add(key)
        yield Act(
            action=OpenTask(
                key=key,
                customer=payer.id,
                items=(Item(key=key, kind="task"),),
                text=f"Print and post the letter of {item.on} to {payer.name}: it lies in the "
                f"folder letters/{item.on}.",
                due_on=day.today,
            ),
            reasons=(Reason("letter_to_post", (("on", str(item.on)),)),),
            send_on=day.today,
            mode=day.frame.policy.mode,
        )


def _is_letter(day: AccountDay, item: Served) -> bool:
    """Whether the message went by letter, alone or beside another way."""
    if item.channel == _LETTER:
        return True
    step = day.frame.step_of.get(item.stage) if item.stage is not None else None
    return (
        item.is_contact
        and step is not None
        and _LETTER in step.stage.channels
        and bool(day.account.payer.address)
    )
