"""Reading the bodies of answers, with trouble named by what the caller must do."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from connectors.errors import OutcomeUnknownError, TransientError
from connectors.transport import Answer
from connectors.xero import rows, wire

_T = TypeVar("_T")


def readable(read: Callable[[], _T]) -> _T:
    """What was read; an answer that is no JSON of Xero's is trouble on the way, not a fact."""
    try:
        return read()
    except (msgspec.MsgspecError, rows.RowError) as error:
        raise TransientError(f"Xero's answer could not be read ({error})") from error


def listed(answer: Answer, collection: str, shape: type[_T]) -> list[_T]:
    """The rows of a small list. Raises TransientError."""
    return readable(lambda: rows.listed(answer.content, collection, shape))


def written(answer: Answer, collection: str) -> list[wire.Written]:
    """The elements of the answer to a write that Xero says it has done."""
    try:
        return rows.listed(answer.content, collection, wire.Written)
    except msgspec.MsgspecError as error:
        raise OutcomeUnknownError(
            f"Xero's answer to a write could not be read ({error})", request_id=answer.request_id
        ) from error
