"""A plan that goes on from the one before: what was not looked at again stands as it stood.

An account that nothing happened to, and whose day has not come, has the same actions and the same
grounds to wait as in the plan before.
"""

from collections.abc import Collection, Mapping
from typing import Any


def continued(
    view: Mapping[str, Any], before: Mapping[str, Any] | None, looked_at: Collection[str] | None
) -> dict[str, Any]:
    """The plan with what the one before says of the accounts that were not looked at, in the
    order of the accounts. `looked_at` None: all were."""
    if before is None or looked_at is None:
        return dict(view)

    def together(name: str) -> list[dict[str, Any]]:
        left = [entry for entry in before[name] if entry["customer"] not in looked_at]
        return sorted([*left, *view[name]], key=lambda entry: str(entry["customer"]))

    return {**view, "actions": together("actions"), "skips": together("skips")}
