"""Notes of ours that the ledger kept, turned back into what we knew: who was served what, what
people told us, and which fees were waived."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal, TypeAlias, cast, get_args

import msgspec
from sqlalchemy import Connection

from ar_bridge.store import commitments, marks, mirror, waivers
from ar_bridge.store.history import fees_taken_back
from connectors.port import Mark
from rules.actions.fee_waiver import OURS, REINSTATED
from rules.actions.notes import Ended, NoteFacts, read_note
from rules.found_again import FoundNote, history_of, said_about
from rules.model import (
    Book,
    Commitment,
    CreditExpected,
    CustomerId,
    Dispute,
    FeePosted,
    Instalments,
    InvoiceId,
    Part,
    Pause,
    Placement,
    Promise,
    Stop,
    Waiver,
    Withheld,
)
from rules.model.history import TakenBack
from rules.policy.schema import Policy

MARK_LENGTH: Final = len("[arb:ABCDEFGHIJKL]")

FOUND: Final = "found again in the ledger"
"""The actor of what was restored."""

Ground: TypeAlias = Literal["insolvency", "deceased", "lawyer", "vulnerable", "other"]


def mark_of(note: Mark) -> str:
    """The mark that a note begins with."""
    return note.text.strip()[:MARK_LENGTH]


def day_of(note: Mark) -> date:
    """The day on which what it tells happened: its own word goes before the ledger's."""
    facts = _facts(note)
    return facts.on if facts is not None else note.on


def with_found(conn: Connection, book_id: int, book: Book, policy: Policy, today: date) -> Book:
    """The book with the history that was found again in the ledger; our own records come first."""
    stored = marks.listed(conn, book_id, customers=set(book.customers))
    if not stored:
        return book
    ours = {item.key for item in book.served}
    notes = [
        FoundNote(
            mark=mark,
            text=note.text,
            on=note.on,
            invoices=tuple(note.invoices),
            customer=note.customer,
        )
        for mark, note in stored
    ]
    found = history_of(notes, book, policy, today)
    return msgspec.structs.replace(
        book,
        served=[*book.served, *(item for item in found if item.key not in ours)],
        fees=[_in_full(fee, book.waivers) for fee in book.fees],
    )


def _in_full(fee: FeePosted, given: Sequence[Waiver]) -> FeePosted:
    """A void document says nothing of what was charged; what was let off does."""
    waived = sum(waiver.amount for waiver in given if waiver.document == fee.document)
    if not fee.is_found_again or waived <= fee.amount:
        return fee
    return msgspec.structs.replace(fee, amount=waived)


def restore_words(conn: Connection, book_id: int, found: Sequence[Mark]) -> list[str]:
    """Put what people told us, and what they let customers off, back into our records, in the
    order in which it was said. Returns the names of what was restored.

    What is recorded already is left as it is: a person may have said it anew.
    """
    read = [(note, facts) for note in found if (facts := _facts(note)) is not None]
    # What ends something comes after what began it on the same day.
    read.sort(key=lambda pair: (pair[1].on, bool(pair[1].ends), pair[1].ordinal))
    restored: list[str] = []
    for note, facts in read:
        if facts.kind in ("fee_waiver", REINSTATED):
            restored += _take_back(conn, book_id, note, facts)
            continue
        customer, named = _whose(conn, book_id, note, facts)
        if customer is None:
            continue
        said = _commitment(note, facts, customer, named)
        if said is not None and _is_new(conn, book_id, said.id):
            commitments.add(conn, book_id, said)
            restored.append(said.id)
        restored += [
            ended
            for end in facts.ends
            if (ended := _end(conn, book_id, end, facts, customer)) is not None
        ]
    return restored


def _facts(note: Mark) -> NoteFacts | None:
    said = read_note(note.text)
    return said.facts if said is not None else None


def _whose(
    conn: Connection, book_id: int, note: Mark, facts: NoteFacts
) -> tuple[CustomerId | None, tuple[InvoiceId, ...]]:
    """The customer who told us, and the invoices that it is about (none: the account)."""
    numbers: dict[str, list[InvoiceId]] = {}
    for number in facts.invoices:
        numbers[number] = [
            one.id for one in mirror.invoices_named(conn, book_id, number) if not one.is_fee
        ]
    seen = FoundNote(
        mark="", text=note.text, on=note.on, invoices=tuple(note.invoices), customer=note.customer
    )
    named = said_about(seen, facts, numbers)
    if note.customer is not None and not note.invoices:
        return note.customer, named
    owners = mirror.owners(conn, book_id, "invoices", named or note.invoices)
    customer = min(owners.values(), default=note.customer)
    return (CustomerId(customer) if customer is not None else None), named


def _commitment(
    note: Mark, facts: NoteFacts, customer: CustomerId, invoices: tuple[InvoiceId, ...]
) -> Commitment | None:
    said = read_note(note.text)
    assert said is not None
    common: dict[str, Any] = {
        "id": _id(facts.kind, customer, facts.on, facts.ordinal),
        "customer": customer,
        "invoices": invoices,
        "on": facts.on,
        "reason": said.text,
        "actor": FOUND,
        "owner": facts.owner,
        "review_on": facts.review_on,
    }
    match facts.kind:
        case "promise" if facts.due_on is not None:
            return Promise(
                **common,
                due_on=facts.due_on,
                amount=facts.amount,
                currency=facts.currency,
                consented=facts.consented,
            )
        case "dispute":
            return Dispute(**common, amount=facts.amount)
        case "pause" if facts.until is not None:
            return Pause(**common, until=facts.until)
        case "stop":
            because = facts.because if facts.because in get_args(Ground) else "other"
            return Stop(**common, because=cast(Ground, because))
        case "placement":
            return Placement(**common, to="legal" if facts.because == "legal" else "agency")
        case "withheld" if facts.until is not None and facts.amount is not None:
            return Withheld(**common, until=facts.until, amount=facts.amount)
        case "credit_expected" if facts.until is not None and facts.amount is not None:
            return CreditExpected(**common, until=facts.until, amount=facts.amount)
        case "instalments":
            return Instalments(**common, parts=_parts(facts), currency=facts.currency)
    return None


def _parts(facts: NoteFacts) -> tuple[Part, ...]:
    """The parts that the note names; what it had no room for as one part on the last day."""
    parts = [Part(due_on=part.due_on, amount=part.amount) for part in facts.parts]
    left = (facts.amount or 0) - sum(part.amount for part in parts)
    if left > 0 and facts.until is not None:
        parts.append(Part(due_on=facts.until, amount=left))
    return tuple(parts)


def _id(kind: str, customer: str, on: date, ordinal: int) -> str:
    first = f"{kind}/{customer}/{on.isoformat()}"
    return first if ordinal == 1 else f"{first}/{ordinal}"


def _is_new(conn: Connection, book_id: int, name: str) -> bool:
    return all(one.id != name for one in commitments.listed(conn, book_id))


def _end(
    conn: Connection, book_id: int, end: Ended, facts: NoteFacts, customer: CustomerId
) -> str | None:
    name = _id(end.kind, customer, end.on, end.ordinal)
    for known in commitments.listed(conn, book_id):
        if known.id == name and known.ended_on is None:
            commitments.end(conn, book_id, name, on=facts.on, won_by=facts.won_by)
            return f"{name} (ended)"
    return None


def _take_back(conn: Connection, book_id: int, note: Mark, facts: NoteFacts) -> list[str]:
    said = read_note(note.text)
    given = Waiver(
        on=facts.on,
        document=facts.document,
        amount=facts.amount or 0,
        reason=said.text if said is not None else "",
        kind=_taken_back(facts),
        invoice=note.invoices[0] if facts.because == OURS and note.invoices else None,
    )
    if not facts.document or given in _known(conn, book_id, given):
        return []
    waivers.add(conn, book_id, given)
    return [f"{given.kind} of {given.document}"]


def _taken_back(facts: NoteFacts) -> TakenBack:
    if facts.kind == REINSTATED:
        return "reinstatement"
    return "correction" if facts.because == OURS else "waiver"


def _known(conn: Connection, book_id: int, given: Waiver) -> list[Waiver]:
    """The same, where our records have it: given by a person, or proposed and approved."""
    return [
        given
        for one in (*waivers.listed(conn, book_id), *fees_taken_back(conn, book_id))
        if (one.on, one.document, one.amount, one.kind)
        == (given.on, given.document, given.amount, given.kind)
    ]
