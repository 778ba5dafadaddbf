"""A plan that goes on from the one before: what was not looked at again stands as it stood.

An account that nothing happened to, and whose day has not come, has the same actions and the same
grounds to wait as in the plan before.
"""

from collections.abc import Collection, Iterable
from typing import Any


def continued(
    entries: Iterable[dict[str, Any]],
    before: Iterable[dict[str, Any]] | None,
    looked_at: Collection[str] | None,
) -> Iterable[dict[str, Any]]:
    """Entries of a plan with those that the one before has for accounts that were not looked at,
    in the order of the accounts. `looked_at` None: all were."""
    if before is None or looked_at is None:
        return entries
    left = [entry for entry in before if entry["customer"] not in looked_at]
    return sorted([*left, *entries], key=lambda entry: str(entry["customer"]))
