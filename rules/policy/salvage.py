"""What is left of a policy file without its mistakes, so that it can be looked over all the same.

A policy with mistakes cannot be used, but its author wants to hear everything at once: also of
the parts that can be read and will never do what they say.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from rules.policy.check import check
from rules.policy.finding import Finding
from rules.policy.reading import PathPart, nearest
from rules.policy.schema import Policy

Path = tuple[PathPart, ...]

_ROUNDS: Final = 4
"""Taking a key away may show another that is needed; what is left then goes altogether."""

_LEANED_ON: Final = frozenset({"stage", "segment", "fee", "legal_basis", "cap_group"})
"""Keys at the top of the file that errors elsewhere may come from, once they are left out."""


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """The policy without what cannot be read. `kept`: the numbers that rows had in the file."""

    policy: Policy
    kept: Mapping[str, tuple[int, ...]]
    mistakes: tuple[Path, ...]

    def placed(self, found: Iterable[Finding]) -> Iterator[tuple[Path, Finding]]:
        """The errors among findings about `policy`, each with its path in the file."""
        for finding in found:
            path = self._in_the_file(finding.path)
            if finding.severity == "error" and path is not None:
                yield path, finding

    def checked(self) -> Iterator[tuple[Path, Finding]]:
        """The errors that the lint finds in what is left, without those that a mistake made."""
        return self.sure(check(self.policy))

    def sure(self, found: Iterable[Finding]) -> Iterator[tuple[Path, Finding]]:
        """As `placed`, without those that may come from a mistake."""
        for path, finding in self.placed(found):
            if not self._is_doubtful(path):
                yield path, finding

    def _in_the_file(self, path: Path) -> Path | None:
        if len(path) < 2 or not isinstance(path[1], int):
            return path
        numbers = self.kept.get(str(path[0]), ())
        return (path[0], numbers[path[1]], *path[2:]) if path[1] < len(numbers) else None

    def _is_doubtful(self, path: Path) -> bool:
        own = path[:2] if len(path) > 1 and isinstance(path[1], int) else path[:1]
        lost = {mistake[:2] for mistake in self.mistakes if len(mistake) > 1}
        top = [str(mistake[0]) for mistake in self.mistakes if len(mistake) == 1]
        if any((nearest(name, Policy.model_fields) or name) in _LEANED_ON for name in top):
            return True
        if path[:1] == ("stage",) and path[2:] == ("at",) and path[1] != 0:
            return True  # the first stage that is left, not the first one
        return any(one[: len(own)] == own for one in lost)


def rest_of(data: Mapping[str, Any], mistakes: Iterable[Path]) -> Rest | None:
    """What can be read without the mistakes at these paths; None where too little is left."""
    left: dict[str, Any] = copy.deepcopy(dict(data))
    rows = {
        name: list(range(len(value))) for name, value in left.items() if isinstance(value, list)
    }
    gone = tuple(path for path in mistakes if path)
    unread: list[Path] = [path for path in gone if len(path) > 1]
    for name in {str(path[0]) for path in gone if len(path) == 1}:
        left.pop(name, None)
        rows.pop(name, None)
    for _ in range(_ROUNDS):
        _take_out(left, rows, unread)
        try:
            policy = Policy.model_validate(left)
        except ValidationError as trouble:
            unread = [
                tuple(one["loc"][:-1] if one["type"] == "missing" else one["loc"])
                for one in trouble.errors(include_url=False)
            ]
        else:
            kept = {name: tuple(numbers) for name, numbers in rows.items()}
            return Rest(policy=policy, kept=kept, mistakes=gone)
    return None


def _take_out(left: dict[str, Any], rows: dict[str, list[int]], paths: Iterable[Path]) -> None:
    """Remove what lies at the paths, later elements of lists first."""
    for path in sorted(set(paths), key=_latest_first, reverse=True):
        around: Any = left
        for part in path[:-1]:
            try:
                around = around[part]
            except (KeyError, IndexError, TypeError):
                around = None
                break
        last = path[-1]
        if isinstance(around, dict):
            around.pop(last, None)
        elif isinstance(around, list) and isinstance(last, int) and last < len(around):
            del around[last]
            if len(path) == 2:
                del rows[str(path[0])][last]


def _latest_first(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in path)
