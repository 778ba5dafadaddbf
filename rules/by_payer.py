"""Very many decisions put in order: by payer, and of each payer as they came.

Names of customers lie all over the memory that a book takes, and comparing them while sorting
takes longer than deciding. So each payer has a number, and numbers are sorted.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, compress
from typing import TypeAlias

from rules.decision import Decision
from rules.model.ids import CustomerId

Said: TypeAlias = tuple[list[Decision], list[int]]
"""Decisions, and the number of the payer of each."""


class PayerNumbers(dict[CustomerId, int]):
    """Numbers of payers, in the order of their ids; those that are not known before they are asked
    for (the ledger did not return them) have further numbers."""

    def __init__(self, known: Iterable[CustomerId]) -> None:
        super().__init__((name, number) for number, name in enumerate(sorted(known)))
        self._known = len(self)

    def __missing__(self, name: CustomerId) -> int:
        self[name] = len(self)
        return self[name]

    def in_order(
        self, said: Sequence[Said], decided: Said, instead: Collection[CustomerId]
    ) -> tuple[Decision, ...]:
        """All that was said and then decided, by payer; of the payers in `instead` only what was
        decided."""
        decisions = list(chain.from_iterable(some for some, _ in said))
        numbers = list(chain.from_iterable(some for _, some in said))
        if instead:
            dropped = {self[name] for name in instead}
            kept = [number not in dropped for number in numbers]
            decisions, numbers = list(compress(decisions, kept)), list(compress(numbers, kept))
        decisions += decided[0]
        numbers += decided[1]
        if len(self) > self._known:
            places = {self[name]: place for place, name in enumerate(sorted(self))}
            numbers = [places[number] for number in numbers]
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        return tuple(map(decisions.__getitem__, order))
