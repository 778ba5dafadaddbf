"""A remark about a policy that is valid all the same."""

from typing import Literal, TypeAlias

import msgspec

from rules.policy.reading import PathPart

Severity: TypeAlias = Literal["error", "warning", "info"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One remark. `error`: this part of the policy will not do what it says."""

    severity: Severity
    code: str
    path: tuple[PathPart, ...] = ()
    message: str
    hint: str = ""

    def __str__(self) -> str:
        told = f"{self.severity}: {self.message}"
        return f"{told} ({self.hint})" if self.hint else told
