"""A person's word: promises, disputes, pauses, stops. Recorded with who and why, and audited."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.errors import UsageError
from ar_bridge.store import commitments, mirror
from rules.model import (
    Commitment,
    CreditExpected,
    Customer,
    Dispute,
    Instalments,
    Invoice,
    Pause,
    Placement,
    Promise,
    Stop,
    Withheld,
)
from rules.policy.reading import nearest

EVENTS: dict[type, str] = {
    Promise: "PromiseRecorded",
    Dispute: "DisputeRecorded",
    Instalments: "InstalmentsRecorded",
    Pause: "PauseRecorded",
    Withheld: "WithheldRecorded",
    CreditExpected: "CreditExpectedRecorded",
    Stop: "StopRecorded",
    Placement: "PlacementRecorded",
}


def record(
    conn: Connection, book_id: int, commitment: Commitment, *, at: datetime, actor: str
) -> bool:
    """Keep what somebody said; False where this very thing was recorded before."""
    is_new = commitments.add(conn, book_id, commitment)
    if is_new:
        audit.append(
            conn,
            book_id=book_id,
            at=at,
            actor=actor,
            event=EVENTS[type(commitment)],
            subject=commitment.id,
            payload=_evidence(commitment),
        )
    return is_new


def end(
    conn: Connection,
    book_id: int,
    commitment_id: str,
    *,
    on: date,
    at: datetime,
    actor: str,
    reason: str,
    won_by: str = "",
) -> Commitment:
    """A promise, dispute, pause or stop no longer stands."""
    ended = commitments.end(conn, book_id, commitment_id, on=on, won_by=won_by)
    audit.append(
        conn,
        book_id=book_id,
        at=at,
        actor=actor,
        event="CommitmentEnded",
        subject=commitment_id,
        payload={"on": on.isoformat(), "won_by": won_by, "reason": reason},
    )
    return ended


def the_invoice(conn: Connection, book_id: int, name: str) -> Invoice:
    """The invoice of that id or number. Raises UsageError, listing candidates."""
    found = mirror.invoices_named(conn, book_id, name)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"There is no invoice {name} in our records.",
            remedy="use its number or id; ar-bridge sync reads new ones",
        )
    raise UsageError(
        f"{name} is ambiguous.",
        problems=[f"{i.id}: {i.number}, {i.issued_on}, customer {i.customer}" for i in found],
        remedy="use the id",
    )


def _nearest(conn: Connection, book_id: int, name: str) -> str:
    """The customer that was probably meant: one whose name begins so, or is nearly the same."""
    names = mirror.customer_names(conn, book_id)
    begin = [one for one in names if one.casefold().startswith(name.casefold())]
    return begin[0] if len(begin) == 1 else nearest(name, names)


def the_customer(conn: Connection, book_id: int, name: str) -> Customer:
    """The customer of that id or name. Raises UsageError, listing candidates."""
    found = mirror.customers_named(conn, book_id, name)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"There is no customer {name} in our records"
            + (f"; did you mean {close}?" if (close := _nearest(conn, book_id, name)) else "."),
            remedy="use its id or its whole name; ar-bridge sync reads new ones",
        )
    raise UsageError(
        f"{name} is ambiguous.",
        problems=[f"{customer.id}: {customer.name}" for customer in found],
        remedy="use the id",
    )


def standing(
    conn: Connection, book_id: int, customer: str, kinds: Sequence[type], on: date
) -> list[Commitment]:
    """Commitments of these kinds that stand for a customer."""
    return [
        found
        for found in commitments.listed(conn, book_id, customers=[customer], standing_on=on)
        if isinstance(found, tuple(kinds))
    ]


def _evidence(commitment: Commitment) -> dict[str, object]:
    evidence: dict[str, object] = msgspec.to_builtins(commitment)
    return evidence
