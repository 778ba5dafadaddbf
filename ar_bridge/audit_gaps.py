"""What our tables hold and the record does not tell, or tells otherwise, row by row.

The chain proves that no entry was changed; this proves that none was left out, and that nothing
beside the chain was changed since. Every plan is what its digest says, every action what its plan
shows, who approved it and in which state it stands are those of its entries; what the outbox holds
of it is what was approved; every effect that is done has its receipt in the record, and every
receipt its effect. Each of these is written in the transaction of what it tells of, so that no
moment at which a process may end leaves a gap.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge.audit_shown import Erasures, Gap, erasures_of, of_plans
from ar_bridge.business_facts import digest_of
from ar_bridge.leased import EFFECT_WRITTEN, EVENTS
from ar_bridge.store import told as stored
from ar_bridge.store.actions import seal_of

__all__ = ["PLAN_EVENTS", "Gap", "gaps"]

APPROVED: Final = "ActionApproved"
SETTLED: Final = "OutcomeSettled"

_DONE: Final = frozenset({*EVENTS.values(), "ActionDone"})

_STATES: Final = {
    APPROVED: "approved",
    "ActionRejected": "rejected",
    "ActionUnknown": "unknown",
    "ActionParked": "parked",
    "ActionRefused": "refused",
    "MessageReturned": "refused",
}

_KEEP_THEIR_OUTBOX: Final = ("approved", "leased", "unknown", "parked", "done")
"""States in which an action has every effect that it was approved with."""

PLAN_EVENTS: Final = ("PlanMade", "OrderGiven")


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    event: str
    actor: str
    payload: Mapping[str, Any] | None
    """None where it was erased: then it is taken to tell what it may tell."""


class _Revision(msgspec.Struct, frozen=True):
    revision: int = 1


_revision = msgspec.json.Decoder(_Revision)


def gaps(
    conn: Connection, book_id: int, *, progress: Callable[[int, int], None] | None = None
) -> list[Gap]:
    """Every gap in the record of a book: of its actions in their order, of its plans, and of what
    is no longer there. Empty: nothing is missing and nothing was changed.

    Reads in pieces: memory grows with the gaps and with the largest plan, not with their number.
    """
    held, kept, newest = stored.sizes(conn, book_id)
    total, done = held + kept + newest, 0

    def step(to: int) -> None:
        if progress is not None:
            progress(min(to, total), total)

    erasures = erasures_of(conn, book_id)
    found: list[Gap] = []
    for rows in stored.action_states(conn, book_id):
        found += _of_actions(conn, book_id, rows, erasures)
        done += len(rows)
        step(done)
    for of_one in of_plans(conn, book_id, erasures):
        found += of_one
        done += 1
        step(done)
    found += _of_digests(conn, book_id)
    for read, entries in stored.entries_of(conn, book_id, (APPROVED, *PLAN_EVENTS)):
        found += _of_missing(conn, book_id, entries)
        step(held + kept + read)
    return found


def _of_actions(
    conn: Connection, book_id: int, rows: Sequence[Any], erasures: Erasures
) -> Iterator[Gap]:
    told = _entries(conn, book_id, sorted({row.key for row in rows}))
    outbox: dict[int, list[Any]] = {}
    for effect in stored.outbox_of(conn, [row.id for row in rows]):
        outbox.setdefault(effect.action_id, []).append(effect)
    for row in rows:
        entries = [
            entry
            for entry in told.get(row.key, ())
            if entry.payload is None or entry.payload.get("revision", 1) == row.revision
        ]
        effects = outbox.get(row.id, [])
        has_words = not erasures.covers(row.id, row.customer)
        yield from _of_state(row.key, row.revision, row.state, entries)
        yield from _of_approval(row, entries, effects, has_words)
        for effect in effects:
            if effect.state == "done":
                yield from _of_effect(row.key, effect, entries)
        yield from _of_receipts(row, entries, effects)


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
        return "" if entry.event in ("ActionWithdrawn", SETTLED) else None
    state = entry.payload.get("state")
    return str(state) if state is not None else None


def _of_approval(
    row: Any, entries: Sequence[_Entry], effects: Sequence[Any], has_words: bool
) -> Iterator[Gap]:
    """Who approved it, on what facts, under which policy, and what was put into the outbox."""

    def gap(text: str) -> Gap:
        return Gap(kind="approval", subject=row.key, text=f"revision {row.revision}: {text}")

    if has_words and digest_of(msgspec.json.decode(row.facts)) != row.facts_digest:
        yield gap("the facts that it stands on were altered")
    approvals = [entry for entry in entries if entry.event == APPROVED]
    if row.approved_by is None or not approvals:
        if row.approved_by is not None:
            yield gap(f"{row.approved_by} approved it, and no entry says so")
        elif approvals and all(one.payload is not None for one in approvals):
            yield gap(f"the audit says that {approvals[-1].actor} approved it, and it does not")
        return
    whole = [one for one in approvals if one.payload is not None]
    last = whole[-1] if len(whole) == len(approvals) else None
    if row.approved_by not in {one.actor for one in (approvals if last is None else [last])}:
        yield gap(f"it names {row.approved_by} for its approval, the audit {approvals[-1].actor}")
    if last is None or last.payload is None:
        return
    for name, value in (
        ("digest", row.facts_digest),
        ("policy", row.policy_hash),
        ("plan", row.plan_id),
    ):
        if last.payload.get(name, value) != value:
            yield gap(f"its {name} is not the one that was approved")
    seal = last.payload.get("outbox")
    if seal is None or row.state not in _KEEP_THEIR_OUTBOX:
        return
    if not effects and seal:
        yield gap("what was approved is no longer in the outbox")
    elif has_words and seal != seal_of((one.key, one.name, one.body) for one in effects):
        yield gap("the outbox holds something else than what was approved")


def _of_effect(key: str, effect: Any, entries: Sequence[_Entry]) -> Iterator[Gap]:
    """An effect that is done has its entry, with the receipt that the outbox holds."""
    receipt = msgspec.json.decode(effect.receipt) if effect.receipt else None
    for entry in entries:
        if entry.payload is None:
            return
        if receipt is None and entry.event == SETTLED:
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


def _of_receipts(row: Any, entries: Sequence[_Entry], effects: Sequence[Any]) -> Iterator[Gap]:
    """What the record says to be done is done in the outbox: else it would be done again."""
    states = {effect.key: effect.state for effect in effects}
    done: dict[str, None] = {}
    for entry in entries:
        if entry.payload is None:
            continue
        if entry.event == SETTLED and entry.payload.get("happened"):
            done.update(dict.fromkeys(entry.payload.get("effects", ())))
        elif entry.event == EFFECT_WRITTEN or entry.event in _DONE:
            receipts = _receipts(entry.payload)
            done.update({one["key"]: None for one in receipts if one.get("receipt")})
    for key in done:
        state = states.get(key)
        if state != "done":
            what = "is gone from the outbox" if state is None else f"is {state} there"
            text = f"{key} was done, says the audit, and {what}"
            yield Gap(kind="effect", subject=row.key, text=text)


def _receipts(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = payload.get("receipts") or ()
    return found


def _of_digests(conn: Connection, book_id: int) -> Iterator[Gap]:
    """Every plan has the digest that the record holds of it."""
    for rows in stored.plans_kept(conn, book_id):
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


def _of_missing(conn: Connection, book_id: int, entries: Sequence[Any]) -> Iterator[Gap]:
    """What the record tells of and is no longer there: its key would be free again."""
    approved = [one for one in entries if one.event == APPROVED]
    known = stored.revisions_known(conn, book_id, {one.subject for one in approved})
    keys = {key for key, _ in known}
    for one in approved:
        if one.body is None:
            if one.subject not in keys:
                yield Gap(kind="action", subject=one.subject, text="it was approved, and is gone")
            continue
        revision = _revision.decode(one.body).revision
        if (one.subject, revision) not in known:
            text = f"revision {revision} was approved, and is gone"
            yield Gap(kind="action", subject=one.subject, text=text)
    made = {one.subject for one in entries if one.event in PLAN_EVENTS}
    if made:
        for plan_id in sorted(made - stored.plans_known(conn, book_id, sorted(made))):
            yield Gap(kind="plan", subject=plan_id, text="it was made, and is gone")


def _entries(conn: Connection, book_id: int, subjects: Sequence[str]) -> dict[str, list[_Entry]]:
    """Entries about these subjects, each subject's in their order."""
    found: dict[str, list[_Entry]] = {}
    for row in stored.entries_about(conn, book_id, subjects):
        payload = msgspec.json.decode(row.body) if row.body is not None else None
        entry = _Entry(event=row.event, actor=row.actor, payload=payload)
        found.setdefault(row.subject, []).append(entry)
    return found
