"""What every table of the policy file shares: frozen, nothing unknown, each key described."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict


class Section(BaseModel):
    """One table of the policy file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_alias=True,
        validate_by_name=True,
        validate_default=True,
        strict=False,
    )


def key(
    default: Any, description: str, *, available: Iterable[str] | None = None, **more: Any
) -> Any:
    """A key of a section. `...` as the default makes it compulsory.

    `available` lists the values that this version acts on, where the language has more of them;
    an empty list marks a key that this version does not act on at all.
    """
    extra: JsonDict | None = None if available is None else {"available": [*available]}
    return Field(default=default, description=description, json_schema_extra=extra, **more)


def later(description: str) -> Any:
    """A key of the policy language that this version recognises but does not act on."""
    return key(None, description, available=())
