"""Reading an answer of QuickBooks Online: pages of raw records, then each record for itself.

A page is decoded as a list of raw records and those one by one, so that a record that cannot
be read is quarantined under its id and the others go on.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from connectors.errors import TransientError
from connectors.port import Quarantined, Record
from connectors.quickbooks import wire
from connectors.quickbooks.parse import Names

_T = TypeVar("_T")
_R = TypeVar("_R", bound=Record)


class Rows(msgspec.Struct, frozen=True):
    """One page as it came: raw records, still unread."""

    records: Sequence[msgspec.Raw]
    at: datetime | None = None
    """The vendor's time of the answer."""
    total: int | None = None


_anything: Final = msgspec.json.Decoder(Any)
_ENVELOPES: Final[dict[str, msgspec.json.Decoder[Any]]] = {}
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {}


def rows(content: bytes, entity: str) -> Rows:
    """The records of one answer to a query.

    Raises TransientError for an answer that is no JSON: it must never pass for an empty list.
    """
    try:
        envelope = _envelope_of(entity).decode(content)
    except msgspec.DecodeError as error:
        raise TransientError(f"an answer of QuickBooks cannot be read ({error})") from None
    if envelope.response is None:
        raise TransientError("QuickBooks answered a query with something else")
    return Rows(envelope.response.records or (), instant(envelope.time))


def _envelope_of(entity: str) -> msgspec.json.Decoder[Any]:
    """Reads the whole answer in one go, the records still raw."""
    if entity not in _ENVELOPES:
        response = msgspec.defstruct(
            "Response",
            [("records", list[msgspec.Raw] | None, None)],
            rename={"records": entity},
        )
        envelope = msgspec.defstruct(
            "Envelope",
            [("response", response | None, None), ("time", str | None, None)],
            rename={"response": "QueryResponse"},
        )
        _ENVELOPES[entity] = msgspec.json.Decoder(envelope)
    return _ENVELOPES[entity]


def one(content: bytes, entity: str, shape: type[_T]) -> _T:
    """The single record of an answer to a read or a write. Raises TransientError."""
    try:
        body = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        return decoded(body[entity], shape)
    except (msgspec.DecodeError, KeyError) as error:
        raise TransientError(f"an answer of QuickBooks cannot be read ({error})") from None


def uploaded(content: bytes) -> wire.WireAttachable:
    """The file of an answer to an upload of one. Raises TransientError."""
    try:
        body = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        (each,) = msgspec.json.decode(body["AttachableResponse"], type=list[dict[str, msgspec.Raw]])
        return decoded(each["Attachable"], wire.WireAttachable)
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        raise TransientError(f"an answer of QuickBooks cannot be read ({error})") from None


def decoded(record: msgspec.Raw, shape: type[_T]) -> _T:
    """One raw record in its shape. Raises msgspec.ValidationError."""
    decoder = _DECODERS.get(shape)
    if decoder is None:
        # Not strict: numbers as text and text as numbers mean what they say.
        decoder = _DECODERS[shape] = msgspec.json.Decoder(shape, strict=False)
    read: _T = decoder.decode(record)
    return read


def read_records(
    entity: str,
    records: Sequence[msgspec.Raw],
    shape: type[_T],
    reader: Callable[[_T, Names], _R],
    names: Names,
) -> tuple[list[_R], list[Quarantined]]:
    """Read each record; those that cannot be read are named, with the reason."""
    good: list[_R] = []
    bad: list[Quarantined] = []
    for record in records:
        try:
            good.append(reader(decoded(record, shape), names))
        except (msgspec.DecodeError, ValueError) as error:
            bad.append(Quarantined(entity=entity, id=_id_of(record), reason=str(error)))
    return good, bad


def instant(text: str | None) -> datetime | None:
    """A vendor's timestamp as aware UTC; None where there is none or it cannot be read."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _id_of(record: msgspec.Raw) -> str:
    """The id of a record that could not be read, where it has one."""
    try:
        body = _anything.decode(record)
    except msgspec.DecodeError:
        return ""
    found = body.get("Id") if isinstance(body, dict) else None
    return str(found) if found is not None else ""
