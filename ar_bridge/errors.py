"""What can go wrong for a person at the command line, by what the shell is told.

    ArBridgeError                 1  it failed
    |-- UsageError                2  the command was not understood, or `plan --check` found work
    |-- SetupError                3  the set-up is wrong: settings, policy, keys, installation
    |   `-- DatabaseError         3  the database, its disk or whoever holds it
    |       `-- DatabaseAwayError 3  it cannot be used at present: it may come back by itself
    `-- LedgerError               4  the accounting system refused

Every error carries a remedy: the one thing to do next. Several problems of one kind come in
one error, all at once.
"""

from collections.abc import Sequence
from typing import ClassVar


class ArBridgeError(Exception):
    """It could not be done."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self, message: str = "", *, remedy: str = "", problems: Sequence[str] = ()
    ) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.remedy = remedy
        """What to do next, as a sentence or a command."""
        self.problems = tuple(problems)
        """One line each, with its place, where several things are wrong at once."""
        super().__init__(self.message)

    def __str__(self) -> str:
        lines = [self.message, *(f"  - {problem}" for problem in self.problems)]
        if self.remedy:
            lines.append(f"  -> {self.remedy}")
        return "\n".join(lines)


class UsageError(ArBridgeError):
    """The command was not understood."""

    exit_code: ClassVar[int] = 2


class SetupError(ArBridgeError):
    """The set-up is wrong."""

    exit_code: ClassVar[int] = 3


class DatabaseError(SetupError):
    """The database cannot be used."""


class DatabaseAwayError(DatabaseError):
    """The database cannot be used at present."""


class LedgerError(ArBridgeError):
    """The accounting system refused."""

    exit_code: ClassVar[int] = 4
