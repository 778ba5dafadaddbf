"""The arithmetic of the audit chain, wherever its entries lie: in the database or in a file.

An entry's hash is the SHA-256 over the JSON list of the previous hash, its own fields and the
hash of its payload. What an entry says can be erased later; the chain holds only its hash.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final

import msgspec

GENESIS: Final = "0" * 64
"""What the first entry follows."""

ERASED: Final = "PersonalDataErased"
"""Event of the entry that names the payloads which were erased; it is never erased itself."""

_encode = msgspec.json.Encoder().encode


class ChainEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as it is kept, with the payload's own bytes."""

    seq: int
    tenant_id: str = ""
    book_id: int | None = None
    at: str = ""
    actor: str = ""
    event: str = ""
    subject: str = ""
    payload_hash: str = ""
    previous: str
    hash: str
    body: str | None = None
    is_erased: bool = False
    is_bare: bool = False
    """Of another book than the file is about: only its place in the chain is shown."""


class AuditProblem(msgspec.Struct, frozen=True):
    """One place where the chain does not hold."""

    seq: int
    text: str

    def __str__(self) -> str:
        return f"audit entry {self.seq}: {self.text}"


def entry_hash(
    previous: str,
    seq: int,
    tenant_id: str,
    book_id: int | None,
    at: str,
    actor: str,
    event: str,
    subject: str,
    payload_hash: str,
) -> str:
    """What an entry's hash has to be."""
    # As JSON, so that no two entries can be told apart only by where one field ends.
    fields = [previous, seq, tenant_id, book_id, at, actor, event, subject, payload_hash]
    return hashlib.sha256(_encode(fields)).hexdigest()


def payload_hash(body: str) -> str:
    """Hash of a payload as it is stored."""
    return hashlib.sha256(body.encode()).hexdigest()


def spans(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as [first, last] pairs, in order: how an entry names many others."""
    ordered = sorted(set(numbers))
    if not ordered:
        return []
    breaks = [place for place, (a, b) in enumerate(pairwise(ordered), 1) if b != a + 1]
    return [
        [ordered[first], ordered[last - 1]]
        for first, last in zip([0, *breaks], [*breaks, len(ordered)], strict=True)
    ]


class Walk:
    """One pass over a chain, oldest entry first; `problems` are found as it goes.

    Memory grows with what was erased only.
    """

    def __init__(self) -> None:
        self.count = 0
        self.seq = 0
        self.hash = GENESIS
        self._erased: set[int] = set()
        self._named: list[list[int]] = []

    def step(self, entry: ChainEntry) -> Iterator[AuditProblem]:
        """Look at the next entry."""
        seq = entry.seq
        if seq > self.seq + 1:
            text = f"entries {self.seq + 1} to {seq - 1} are missing"
            yield AuditProblem(seq, text)
        elif seq <= self.seq:
            yield AuditProblem(seq, "stands in the wrong place")
        elif entry.previous != self.hash:
            yield AuditProblem(seq, "does not follow from the entry before it")
        if not entry.is_bare:
            yield from self._own(entry)
        self.seq, self.hash = seq, entry.hash
        self.count += 1

    def _own(self, entry: ChainEntry) -> Iterator[AuditProblem]:
        seq = entry.seq
        meant = entry_hash(
            entry.previous,
            seq,
            entry.tenant_id,
            entry.book_id,
            entry.at,
            entry.actor,
            entry.event,
            entry.subject,
            entry.payload_hash,
        )
        if meant != entry.hash:
            yield AuditProblem(seq, "was changed after it was written")
        if entry.body is not None:
            if payload_hash(entry.body) != entry.payload_hash:
                yield AuditProblem(seq, "its payload was changed")
            elif entry.is_erased:
                yield AuditProblem(seq, "its payload is there and marked as erased")
            elif entry.event == ERASED:
                self._named += _named(entry.body)
        elif entry.event == ERASED:
            yield AuditProblem(seq, "it tells what was erased, and its own payload is gone")
        elif entry.is_erased:
            self._erased.add(seq)
        else:
            yield AuditProblem(seq, "its payload is gone without having been erased")

    def end(self) -> Iterator[AuditProblem]:
        """What shows only when all entries were seen: erasures that no entry tells of."""
        named = {seq for first, last in self._named for seq in range(first, last + 1)}
        for seq in sorted(self._erased - named):
            yield AuditProblem(seq, "its payload was erased and no entry says by whom")


def _named(body: str) -> list[list[int]]:
    payload: dict[str, Any] = msgspec.json.decode(body)
    found: list[list[int]] = payload.get("entries") or []
    return found
