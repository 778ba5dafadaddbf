"""Where to die: the boundaries of a process by what a death there leaves behind."""

from collections.abc import Sequence

import msgspec

from tests.crashlab.cases import LATE, SOON, Death

DURABLE = ("commit", "write", "refresh", "mail: content", "message", "file")
"""Steps that leave something behind, in our files or in the world."""


def is_durable(label: str) -> bool:
    """Whether a step leaves something behind."""
    return label.removeprefix("before ").removeprefix("after ").startswith(DURABLE)


def is_send(label: str) -> bool:
    """Whether a step leaves something behind outside of our own records."""
    return is_durable(label) and not label.endswith(" commit")


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Boundaries between which nothing durable happens: whoever dies there leaves the same."""

    first: int
    last: int
    is_at_send: bool
    """Something leaves this machine at its beginning or at its end."""

    def at(self, number: int) -> int:
        """One of its ends, the other one for the next spot."""
        return self.first if number % 2 else self.last


def spots(labels: Sequence[str]) -> list[Spot]:
    """The boundaries of a process by what a death there leaves behind, numbered from 1."""
    found: list[Spot] = []
    first = 1
    for nth, label in enumerate(labels, start=1):
        ends = label.startswith("before ") and is_durable(label)
        if ends or nth == len(labels):
            at_send = is_send(labels[first - 1]) or is_send(label)
            found.append(Spot(first=first, last=nth, is_at_send=at_send))
            first = nth + 1
    return found


class First(msgspec.Struct, frozen=True, kw_only=True):
    """A first death, by its place among all of them."""

    number: int
    death: Death


def firsts(
    labels: Sequence[str], *, every: bool = False, kinds: bool = False, thin: int = 1
) -> list[First]:
    """One death at each spot, now at its beginning and now at its end, and the restart now soon
    and now late. `thin`: of the spots between two commits, at which nothing is sent, only every
    so manieth. `kinds`: before and after the first send of each kind only, beside those.
    `every`: at every boundary, and both ways."""
    if every:
        found = [(nth, gap) for nth in range(1, len(labels) + 1) for gap in (SOON, LATE)]
    else:
        places = [
            spot.at(number)
            for number, spot in enumerate(spots(labels))
            if (not kinds if spot.is_at_send else number % thin == 0)
        ]
        if kinds:
            places += [labels.index(label) + 1 for label in set(labels) if is_send(label)]
        found = [(nth, (SOON, LATE)[n // 2 % 2]) for n, nth in enumerate(sorted(places))]
    return [
        First(number=number, death=Death(nth=nth, gap=gap))
        for number, (nth, gap) in enumerate(found)
    ]


class Seconds:
    """At which boundaries of a recovery to die: of the spots of all recoveries, taken one after
    the other, at every so manieth. Called at each boundary in turn."""

    def __init__(self, first: First, stride: int) -> None:
        self._number = first.number * _APART
        self._stride = stride
        self._begins = True

    def __call__(self, nth: int, label: str) -> bool:
        ends = label.startswith("before ") and is_durable(label)
        is_here = self._begins if self._number // self._stride % 2 else ends
        is_chosen = self._number % self._stride == 0 and is_here
        self._begins = ends
        self._number += ends
        return is_chosen


_APART = 61
"""So many spots further the recovery after the next death begins: about as many as one has, and
with no divisor in common with a stride that is no multiple of it, so that a sample is spread over
all recoveries and over all spots of a recovery."""


def second(first: First, nth: int, *, is_copied: bool = False) -> Death:
    """A second death; the restart after it is now soon and now late."""
    return Death(nth=nth, gap=(SOON, LATE)[(nth // 2 + first.number) % 2], is_copied=is_copied)


def can_be_copied(label: str) -> bool:
    """Whether nobody waits for anything there, so that what a death would leave lies still: in
    the middle of a mail it does not, and processes have to die."""
    return "mail: " not in label
