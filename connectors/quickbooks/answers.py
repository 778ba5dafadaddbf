"""Reading an answer of QuickBooks Online: pages of raw records, then each record for itself.

A page is decoded as a list of raw records and those one by one, so that a record that cannot
be read is quarantined under its id and the others go on.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from connectors.errors import TransientError
from connectors.port import Quarantined, Record, told_id
from connectors.quickbooks import wire
from connectors.quickbooks.parse import CurrencyUnknownError, Names
from connectors.transport import Answer

_T = TypeVar("_T")
_R = TypeVar("_R", bound=Record)


class Rows(msgspec.Struct, frozen=True):
    """One page as it came: raw records, still unread."""

    records: Sequence[msgspec.Raw]
    at: datetime | None = None
    """The vendor's time of the answer."""
    total: int | None = None


class _IdOnly(msgspec.Struct, rename="pascal", gc=False):
    id: str | None = None


class _Whole(msgspec.Struct):
    parts: list[dict[str, msgspec.Raw]] | None = msgspec.field(name="QueryResponse", default=None)
    fault: msgspec.Raw | None = msgspec.field(name="Fault", default=None)


class _Captured(msgspec.Struct):
    answers: list[_Whole] = msgspec.field(name="CDCResponse")
    time: str | None = None


_captured: Final = msgspec.json.Decoder(_Captured)
_id_only: Final = msgspec.json.Decoder(_IdOnly)
_anything: Final = msgspec.json.Decoder(Any)
_ENVELOPES: Final[dict[str, msgspec.json.Decoder[Any]]] = {}
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {}


def rows(answer: Answer | bytes, entity: str) -> Rows:
    """The records of one answer to a query.

    Raises TransientError for an answer that is no JSON: it must never pass for an empty list.
    """
    content, request_id = _content(answer)
    try:
        envelope = _envelope_of(entity).decode(content)
    except msgspec.DecodeError as error:
        raise _unreadable(error, request_id) from None
    if envelope.response is None:
        raise TransientError(
            "QuickBooks answered a query with something else", request_id=request_id
        )
    return Rows(envelope.response.records or (), instant(envelope.time))


class Parts(msgspec.Struct, frozen=True):
    """What changed, by entity. An entity with a fault is not among `records`."""

    records: dict[str, list[msgspec.Raw]]
    faults: Sequence[bytes] = ()
    at: datetime | None = None


def rows_changed(answer: Answer, entities: Sequence[str]) -> Parts:
    """The parts of an answer of change data capture, in the order in which they were asked for.

    A part without rows is an empty object and does not say what of: so with a fault among parts
    that cannot be told apart, only entities that have rows count as answered.
    Raises TransientError for an answer that is none.
    """
    try:
        body = _captured.decode(answer.content)
        found: dict[str, list[msgspec.Raw]] = {}
        faulty: list[bytes] = []
        silent: set[str] = set()
        for whole in body.answers:
            if whole.fault is not None:
                faulty.append(b'{"Fault":%s}' % bytes(whole.fault))
            parts = whole.parts or []
            for place, part in enumerate(parts):
                named = [entity for entity in entities if entity in part]
                fault = part.get("Fault") or part.get("fault")
                if fault is not None:
                    faulty.append(b'{"Fault":%s}' % bytes(fault))
                    if len(parts) == len(entities):
                        silent.add(entities[place])
                for entity in named:
                    rows = msgspec.json.decode(part[entity], type=list[msgspec.Raw] | None)
                    found.setdefault(entity, []).extend(rows or ())
    except msgspec.DecodeError as error:
        raise _unreadable(error, answer.request_id) from None
    if faulty and len(silent) < len(faulty):
        silent.update(entity for entity in entities if entity not in found)
    for entity in entities:
        if entity not in silent:
            found.setdefault(entity, [])
    return Parts({e: r for e, r in found.items() if e not in silent}, faulty, instant(body.time))


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


def one(answer: Answer | bytes, entity: str, shape: type[_T]) -> _T:
    """The single record of an answer to a read or a write. Raises TransientError."""
    content, request_id = _content(answer)
    try:
        body = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        return decoded(body[entity], shape)
    except (msgspec.DecodeError, KeyError) as error:
        raise _unreadable(error, request_id) from None


def uploaded(answer: Answer | bytes) -> wire.WireAttachable:
    """The file of an answer to an upload of one. Raises TransientError."""
    content, request_id = _content(answer)
    try:
        body = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        (each,) = msgspec.json.decode(body["AttachableResponse"], type=list[dict[str, msgspec.Raw]])
        return decoded(each["Attachable"], wire.WireAttachable)
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        raise _unreadable(error, request_id) from None


def _content(answer: Answer | bytes) -> tuple[bytes, str]:
    return (answer, "") if isinstance(answer, bytes) else (answer.content, answer.request_id)


def _unreadable(error: Exception, request_id: str) -> TransientError:
    words = f"an answer of QuickBooks cannot be read ({error})"
    return TransientError(words, request_id=request_id)


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
    """Read each record; those that cannot be read are named, with the reason.

    Raises CurrencyUnknownError for a record that needs to know the home currency.
    """
    good: list[_R] = []
    bad: list[Quarantined] = []
    for record in records:
        try:
            good.append(reader(decoded(record, shape), names))
        except CurrencyUnknownError:
            raise
        except (msgspec.DecodeError, ValueError) as error:
            bad.append(
                Quarantined(
                    entity=entity,
                    id=id_of(record),
                    reason=str(error),
                    customer=customer_of(entity, record),
                    invoices=invoices_of(record),
                )
            )
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


def id_of(record: msgspec.Raw) -> str:
    """The id of a record, be the rest of it readable or not; empty where it has none."""
    try:
        return _id_only.decode(record).id or ""
    except msgspec.DecodeError:
        pass
    found = _fields(record).get("Id")
    return str(found) if found is not None else ""


def customer_of(entity: str, record: msgspec.Raw) -> str:
    """Whose a record is, be the rest of it readable or not; empty where it does not tell."""
    fields = _fields(record)
    if entity == "customers":
        return told_id(fields.get("Id"))
    reference = fields.get("CustomerRef")
    return told_id(reference.get("value")) if isinstance(reference, dict) else ""


def invoices_of(record: msgspec.Raw) -> tuple[str, ...]:
    """The invoices that the lines of an unreadable payment are linked to."""
    found: dict[str, None] = {}
    for line in _dicts(_fields(record).get("Line")):
        for linked in _dicts(line.get("LinkedTxn")):
            if linked.get("TxnType") == "Invoice":
                found[told_id(linked.get("TxnId"))] = None
    return tuple(id for id in found if id)


def _fields(record: msgspec.Raw) -> dict[str, Any]:
    try:
        body = _anything.decode(record)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, dict)]
