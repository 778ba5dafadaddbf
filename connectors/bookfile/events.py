"""What a book file gives: its events, and what could not be read of it."""

from typing import Any, TypeAlias

import msgspec

from rules.model.events import EventProblem

Event: TypeAlias = dict[str, Any]


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """Events in the order of the file, each with its line as `_line`, and one problem for every
    row that could not be read."""

    events: list[Event]
    problems: tuple[EventProblem, ...] = ()
