"""Parts of a payment plan in few characters: equal parts at equal distances are written once.

2026-11-30:25000            one part, in minor units
2026-11-30:25000*6/1m       six of them, a month apart; `14d` for fourteen days apart
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

import msgspec

from rules.calendar import add_months
from rules.model.money import Minor


class PartSaid(msgspec.Struct, frozen=True):
    """One instalment."""

    due_on: date
    amount: Minor


def spelt_parts(parts: Sequence[PartSaid]) -> list[str]:
    """The parts in order, runs of them together."""
    spelt: list[str] = []
    position = 0
    while position < len(parts):
        first = parts[position]
        told = f"{first.due_on.isoformat()}:{first.amount}"
        length, step = max(_runs(parts[position:]), key=lambda run: run[0], default=(1, ""))
        if length > 2:
            spelt.append(f"{told}*{length}/{step}")
            position += length
        else:
            spelt.append(told)
            position += 1
    return spelt


def read_parts(spelt: Iterable[str]) -> tuple[PartSaid, ...]:
    """What `spelt_parts` wrote. Raises ValueError."""
    return tuple(part for text in spelt for part in _read(text))


def _runs(parts: Sequence[PartSaid]) -> Iterator[tuple[int, str]]:
    if len(parts) < 3:
        return
    first = parts[0]
    apart = (parts[1].due_on - first.due_on).days
    for step in ("1m", "3m", f"{apart}d"):
        length = 1
        while (
            length < len(parts)
            and parts[length].amount == first.amount
            and parts[length].due_on == _after(first.due_on, step, length)
        ):
            length += 1
        yield length, step


def _after(day: date, step: str, turns: int) -> date:
    count = int(step[:-1]) * turns
    if step.endswith("m"):
        return add_months(day, count)
    if step.endswith("d"):
        return day + timedelta(days=count)
    raise ValueError(step)


def _read(text: str) -> Iterator[PartSaid]:
    day, _, rest = text.partition(":")
    amount, _, run = rest.partition("*")
    first, minor = date.fromisoformat(day), int(amount)
    if not run:
        yield PartSaid(first, minor)
        return
    count, _, step = run.partition("/")
    if not 0 < int(count) <= 1000:
        raise ValueError(text)
    for turn in range(int(count)):
        yield PartSaid(_after(first, step, turn), minor)
