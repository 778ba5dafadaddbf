"""What was done and the record does not tell: receipts, changes of state and plans without entry.

The chain proves that no entry was changed; this proves that none was left out. Every effect that
the outbox holds to be done needs an entry with its receipt, every action the entry of the state
that it stands in, every plan the entry of its digest. Each of these is written in the transaction
of what it tells of, so that no moment at which a process may end leaves a gap.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge.leased import EVENTS
from ar_bridge.store import told as stored

_DONE: Final = frozenset({*EVENTS.values(), "ActionDone"})

_STATES: Final = {
    "ActionApproved": "approved",
    "ActionRejected": "rejected",
    "ActionUnknown": "unknown",
    "ActionParked": "parked",
    "ActionRefused": "refused",
    "MessageReturned": "refused",
}

PLAN_EVENTS: Final = ("PlanMade", "OrderGiven")


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done, or became of an action, without an entry that tells of it."""

    kind: str
    """effect, state or plan."""
    subject: str
    """Action key or plan id."""
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    event: str
    payload: Mapping[str, Any] | None
    """None where it was erased: then it is taken to tell what it may tell."""


def gaps(conn: Connection, book_id: int) -> list[Gap]:
    """Every gap in the record of a book, in the order of its actions. Empty: nothing is missing.

    Reads in pieces: memory does not grow with the number of actions.
    """
    return [*_of_actions(conn, book_id), *_of_plans(conn, book_id)]


def _of_actions(conn: Connection, book_id: int) -> Iterator[Gap]:
    for rows in stored.action_states(conn, book_id):
        told = _entries(conn, book_id, sorted({row.key for row in rows}))
        done = _done_effects(conn, [row.id for row in rows])
        for row in rows:
            entries = [
                entry
                for entry in told.get(row.key, ())
                if entry.payload is None or entry.payload.get("revision", 1) == row.revision
            ]
            yield from _of_state(row.key, row.revision, row.state, entries)
            for effect in done.get(row.id, ()):
                yield from _of_effect(row.key, effect, entries)


def _of_state(key: str, revision: int, state: str, entries: Sequence[_Entry]) -> Iterator[Gap]:
    """The last word of the record on an action is the state in which it stands."""
    told = [known for entry in entries if (known := _state_told(entry)) is not None]
    stands = "approved" if state == "leased" else state
    if stands == "planned":
        if told and "" not in told:
            text = f"revision {revision} is planned, and the audit says that it was {told[-1]}"
            yield Gap(kind="state", subject=key, text=text)
        return
    if not told:
        text = f"revision {revision} is {state} and no entry says so"
        yield Gap(kind="state", subject=key, text=text)
    elif told[-1] not in (stands, ""):
        text = f"revision {revision} is {state}, and the audit last says {told[-1]}"
        yield Gap(kind="state", subject=key, text=text)


def _state_told(entry: _Entry) -> str | None:
    """The state that an entry tells of; None for none, empty where it was erased."""
    if entry.event in _DONE:
        return "done"
    if entry.event in _STATES:
        return _STATES[entry.event]
    if entry.payload is None:
        return "" if entry.event in ("ActionWithdrawn", "OutcomeSettled") else None
    state = entry.payload.get("state")
    return str(state) if state is not None else None


def _of_effect(key: str, effect: Any, entries: Sequence[_Entry]) -> Iterator[Gap]:
    """An effect that is done has its entry, with the receipt that the outbox holds."""
    receipt = msgspec.json.decode(effect.receipt) if effect.receipt else None
    for entry in entries:
        if entry.payload is None:
            return
        if receipt is None and entry.event == "OutcomeSettled":
            return  # a person's word that it happened
        for told in _receipts(entry.payload):
            if told.get("key") != effect.key:
                continue
            kept = told.get("receipt")
            if receipt is None or (kept is not None and kept.get("id") == receipt.get("id")):
                return
    what = f"its {effect.name} is done"
    if receipt is not None:
        what += f" ({receipt.get('number') or receipt.get('id')})"
    yield Gap(kind="effect", subject=key, text=f"{what} and no entry has its receipt")


def _receipts(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = payload.get("receipts") or ()
    return found


def _of_plans(conn: Connection, book_id: int) -> Iterator[Gap]:
    for rows in stored.plan_digests(conn, book_id):
        told = _entries(conn, book_id, [row.id for row in rows])
        for row in rows:
            digests = [
                entry.payload.get("digest") if entry.payload is not None else row.digest
                for entry in told.get(row.id, ())
                if entry.event in PLAN_EVENTS
            ]
            if row.digest not in digests:
                text = "the audit holds another digest of it" if digests else "no entry tells of it"
                yield Gap(kind="plan", subject=row.id, text=text)


def _entries(conn: Connection, book_id: int, subjects: Sequence[str]) -> dict[str, list[_Entry]]:
    """Entries about these subjects, each subject's in their order."""
    found: dict[str, list[_Entry]] = {}
    for row in stored.entries_about(conn, book_id, subjects):
        payload = msgspec.json.decode(row.body) if row.body is not None else None
        found.setdefault(row.subject, []).append(_Entry(event=row.event, payload=payload))
    return found


def _done_effects(conn: Connection, action_ids: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in stored.done_effects(conn, action_ids):
        found.setdefault(row.action_id, []).append(row)
    return found
