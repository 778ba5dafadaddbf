"""Erasing what our records say of a customer in words, where the law asks for it.

The chain of the audit goes on to hold: it has hashes of payloads, not the payloads. The erasure
is an entry itself, which names what was erased, by whom and why, and is never erased.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.audit_chain import ERASED, spans
from ar_bridge.context import BookContext
from ar_bridge.plan_seal import digest_of_body
from ar_bridge.store import personal, plans
from ar_bridge.words import the_customer

KEPT: Final = (
    "amounts, days, document numbers, states and keys of what was done: the law on accounts asks "
    "for them, and they keep anything from being done twice",
    "what was read from the ledger: change or delete it there, and the next sync follows",
    "notes in the ledger itself: they are the ledger's records",
    "addresses from which mail came back: nothing is sent there any more",
    "customers.toml, drafts/, letters/ and logs/ in the home directory, and backups: delete there "
    "what is about the customer",
)


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What erasing came to."""

    customer: str
    name: str
    entries: int
    """Audit entries of which the payload was erased."""
    rows: dict[str, int]
    """Table to number of rows of which words were taken out."""
    open: tuple[str, ...]
    """Actions that are still under way: their words are needed until they are done."""

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {**msgspec.to_builtins(self), "kept": list(KEPT)}

    def told(self, is_trial: bool) -> list[str]:
        """In sentences."""
        rows = ", ".join(f"{count} {name}" for name, count in self.rows.items() if count)
        would = "would be erased" if is_trial else "were erased"
        lines = [
            f"{self.name} ({self.customer}): the words of {self.entries} audit entries {would}"
            + (f", and those in {rows}." if rows else ".")
        ]
        lines += [f"not erased, because it is under way: {key}" for key in self.open]
        lines += [f"kept: {what}" for what in KEPT]
        return lines


def erase_customer(
    conn: Connection, desk: BookContext, name: str, *, actor: str, reason: str, is_trial: bool
) -> Erased:
    """Erase a customer's words in the caller's transaction; with `is_trial` it is rolled back to
    where it was. Raises UsageError for a customer who is unknown or may be several."""
    customer = the_customer(conn, desk.book_id, name)
    trial = conn.begin_nested() if is_trial else None
    named = personal.subjects(conn, desk.book_id, {customer.id})
    words = {customer.name, customer.email, *_addresses(customer)}
    seqs = _entries(conn, desk.book_id, customer.id, named, words)
    busy = personal.open_actions(conn, desk.book_id, {customer.id})
    wiped = personal.erase(conn, desk.book_id, {customer.id}, words)
    count = audit.erase(
        conn,
        seqs,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=actor,
        reason=reason,
        subject=f"customer/{customer.id}",
        told={
            "rows": wiped.rows,
            "kept": list(KEPT),
            # What these say now is no longer what was sealed.
            "actions": spans(wiped.actions),
            "plans": [[one, digest_of_body(plans.body_of(conn, one))] for one in wiped.plans],
        },
    )
    if trial is not None:
        trial.rollback()
    return Erased(
        customer=customer.id, name=customer.name, entries=count, rows=wiped.rows, open=tuple(busy)
    )


def _addresses(customer: Any) -> set[str]:
    return {one.email for one in getattr(customer, "contacts", ()) if getattr(one, "email", "")}


def _entries(
    conn: Connection,
    book_id: int,
    customer: str,
    named: Collection[str],
    words: Collection[str],
) -> list[int]:
    """Numbers of entries that are about the customer, or say who they are."""
    telling = [word for word in words if len(word) >= 4]
    quoted = f'"{customer}"'
    found: list[int] = []
    for entry in audit.entries(conn):
        if entry.book_id != book_id or entry.body is None or entry.event == ERASED:
            continue
        is_theirs = entry.subject in named or customer in entry.subject.split("/")
        if is_theirs or quoted in entry.body or any(word in entry.body for word in telling):
            found.append(entry.seq)
    return found
