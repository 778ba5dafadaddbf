"""A plan as it is stored, written a few entries at a time.

A large plan shows tens of thousands of grounds to wait: as Python values they would take several
times the room of their JSON. Text and digest are, byte for byte, those of the plan as a whole.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
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
    body: bytes
    skips: int
    """How many grounds to wait it shows."""

    def read(self) -> dict[str, Any]:
        """The plan as a value."""
        view: dict[str, Any] = msgspec.json.decode(self.body)
        return view


def written(view: Mapping[str, Any], skips: Iterable[Mapping[str, Any]], *, on: str) -> WrittenPlan:
    """The plan of a day, with these for its `skips`. Its id is made of its digest."""
    digest = hashlib.sha256()
    plain: list[bytes] = []
    count = 0
    begun = b"{"
    for name in sorted({**view, "plan": "", "skips": ()}):
        digest.update(begun + _encode(name) + b":")
        begun = b","
        if name != "skips":
            digest.update(_encode_sorted("" if name == "plan" else view[name]))
            continue
        digest.update(b"[")
        for some in _chunks(skips):
            digest.update((b"," if count else b"") + _encode_sorted(some)[1:-1])
            plain.append((b"," if count else b"") + _encode(some)[1:-1])
            count += len(some)
        digest.update(b"]")
    digest.update(b"}")
    made = digest.hexdigest()
    plan_id = plan_id_of(on, made)
    parts: list[bytes] = []
    for name in view:
        parts += (b"," if parts else b"{", _encode(name), b":")
        if name == "skips":
            parts += (b"[", *plain, b"]")
        else:
            parts.append(_encode(plan_id if name == "plan" else view[name]))
    plain.clear()
    parts.append(b"}")
    body = b"".join(parts)
    parts.clear()
    return WrittenPlan(id=plan_id, digest=made, body=body, skips=count)


def _chunks(skips: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    entries = iter(skips)
    while some := list(islice(entries, _AT_ONCE)):
        yield some
