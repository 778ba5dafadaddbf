"""A plan as it is stored, written a few entries at a time.

A large plan shows tens of thousands of grounds to wait: as Python values they would take several
times the room of their JSON. Text and digest are, byte for byte, those of the plan as a whole.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from ar_bridge.plan_seal import plan_id_of

_AT_ONCE: Final = 500

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class WrittenPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as JSON."""

    id: str
    digest: str
    body: bytes | bytearray
    skips: int
    """How many grounds to wait it shows."""


def written(view: Mapping[str, Any], skips: Iterable[Mapping[str, Any]], *, on: str) -> WrittenPlan:
    """The plan of a day, with these for its `skips`. Its id is made of its digest."""
    digest, body, count = hashlib.sha256(), bytearray(), 0
    sealed = {**view, "plan": ""}
    # An id is as long as any other: the text is written once, and the id put into its place.
    shown = {**view, "plan": plan_id_of(on, "0" * digest.digest_size * 2)}
    in_order, as_shown = sorted(sealed), list(shown)
    later, after = in_order.index("skips"), as_shown.index("skips")
    for part in _texts(sealed, in_order[:later], _encode_sorted):
        digest.update(part)
    for part in _texts(shown, as_shown[:after], _encode):
        body += part
    digest.update(b',"skips":[')
    body += b',"skips":['
    for some in _chunks(skips):
        between = b"," if count else b""
        digest.update(between + _encode_sorted(some)[1:-1])
        body += between + _encode(some)[1:-1]
        count += len(some)
    digest.update(b"]")
    body += b"]"
    for part in _texts(sealed, in_order[later + 1 :], _encode_sorted, begun=b","):
        digest.update(part)
    for part in _texts(shown, as_shown[after + 1 :], _encode, begun=b","):
        body += part
    digest.update(b"}")
    body += b"}"
    made = digest.hexdigest()
    plan_id = plan_id_of(on, made)
    written_for = body.index(_encode(shown["plan"]))
    body[written_for : written_for + len(plan_id) + 2] = _encode(plan_id)
    return WrittenPlan(id=plan_id, digest=made, body=body, skips=count)


def _texts(
    view: Mapping[str, Any],
    names: Iterable[str],
    encode: Callable[[Any], bytes],
    begun: bytes = b"{",
) -> Iterator[bytes]:
    """These members of a plan as text, lists a few entries at a time."""
    for name in names:
        yield begun + _encode(name) + b":"
        begun = b","
        value = view[name]
        if not isinstance(value, list):
            yield encode(value)
            continue
        between = b"["
        for some in _chunks(value):
            yield between + encode(some)[1:-1]
            between = b","
        yield b"]" if value else b"[]"


def _chunks(entries: Iterable[Any]) -> Iterator[list[Any]]:
    waiting = iter(entries)
    while some := list(islice(waiting, _AT_ONCE)):
        yield some
