"""What is wrong with a policy file: one sentence per mistake, with its place and its remedy."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from rules.policy.reading import PathPart

if TYPE_CHECKING:
    from rules.policy.salvage import Rest


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in a policy file."""

    file: str
    line: int
    path: tuple[PathPart, ...] = ()
    message: str
    hint: str = ""
    """What was probably meant, or how to write it."""

    def __str__(self) -> str:
        told = f"{self.file}:{self.line}: {self.message}"
        return f"{told} ({self.hint})" if self.hint else told


class PolicyError(ValueError):
    """The policy cannot be used; `problems` has every mistake, in the order of the file, and
    `rest` what can be read without them, where that is enough to be looked over."""

    def __init__(self, problems: Iterable[Problem], *, rest: "Rest | None" = None) -> None:
        self.problems = tuple(problems)
        self.rest = rest
        super().__init__("\n".join(str(problem) for problem in self.problems))
