"""The message by the channels that reach the customer, or by the first fallback that does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeAlias

import msgspec

from ar_bridge.messages.recipients import Unreachable
from rules.actions.action import RenderedMessage
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.model import Book

Render: TypeAlias = Callable[
    [SendReminder, Book, Sequence[ChargeLateFee], date], RenderedMessage | Unreachable
]
"""Makes the message of an action as it reads on its day, by the channels that have addresses."""


def reaching(
    render: Render,
    action: SendReminder,
    book: Book,
    announced: Sequence[ChargeLateFee],
    on: date,
    refused: Mapping[str, str],
) -> RenderedMessage | Unreachable:
    """The message by all of its channels that reach the customer; where none does, by the first
    of its fallbacks that does. `refused` are addresses that were refused lately, with what was
    said: they reach nobody."""
    rendered = render(action, book, announced, on)
    if isinstance(rendered, RenderedMessage):
        ways = [
            each
            for each in (rendered, *rendered.also)
            if not all(address in refused for address in each.to)
        ]
        if ways:
            return msgspec.structs.replace(ways[0], also=tuple(ways[1:]))
        why = refused[rendered.to[0]]
        rendered = Unreachable(customer=action.customer, roles=action.roles, reason=why)
    if not action.fallback:
        return rendered
    following = msgspec.structs.replace(
        action, channel=action.fallback[0], also_by=(), fallback=action.fallback[1:]
    )
    found = reaching(render, following, book, announced, on, refused)
    if isinstance(found, RenderedMessage):
        return found
    return msgspec.structs.replace(found, reason=f"{rendered.reason}; {found.reason}")
