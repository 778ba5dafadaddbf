"""What is wrong with a policy file: one sentence per mistake, with its place and its remedy."""

from collections.abc import Iterable

import msgspec

from rules.policy.reading import PathPart


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
    """The policy cannot be used; `problems` has every mistake, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
