"""What customers told us, from the events of a book file: the part that no ledger knows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeAlias

import msgspec

from rules.model import Commitment, CustomerId, Dispute, InvoiceId
from rules.model.events import EventLog

VendorId: TypeAlias = Callable[[str, str], str]
"""(kind, id in the book file) -> the vendor's id."""

_TOLD = ("company", "customer", "invoice", "credit_note")
_WORDS = ("dispute", "dispute_end", "promise", "instalments", "pause", "withheld", "stop", "resume")


class Hearsay:
    """Hands out each commitment once, when it is made, and once more when it ends."""

    def __init__(self, events: Iterable[Mapping[str, Any]], vendor_id: VendorId) -> None:
        chosen = [event for event in events if event.get("t") in (*_TOLD, *_WORDS)]
        self._days = {str(e.get("known") or e.get("date")) for e in chosen if e["t"] in _WORDS}
        self._log = EventLog(chosen, source="book")
        self._vendor_id = vendor_id
        self._standing: set[str] = set()
        self._ended: set[str] = set()
        self._is_first = True

    def told_on(self, day: date) -> tuple[list[Commitment], list[Commitment]]:
        """What was new by that day, and what ended by that day (with `ended_on` set), in the
        vendor's ids. Days are asked for in order."""
        if not self._is_first and day.isoformat() not in self._days:
            return [], []
        self._is_first = False
        made: list[Commitment] = []
        ended: list[Commitment] = []
        for commitment in self._log.as_of(day).book.commitments:
            is_over = commitment.ended_on is not None and commitment.ended_on <= day
            if is_over and commitment.id in self._standing - self._ended:
                self._ended.add(commitment.id)
                ended.append(self._translated(commitment))
            elif not is_over and commitment.id not in self._standing:
                self._standing.add(commitment.id)
                made.append(self._translated(commitment))
        return made, ended

    def _translated(self, commitment: Commitment) -> Commitment:
        return msgspec.structs.replace(
            commitment,
            customer=CustomerId(self._vendor_id("customer", commitment.customer)),
            invoices=tuple(
                InvoiceId(self._vendor_id("invoice", invoice)) for invoice in commitment.invoices
            ),
        )


def won_by(commitment: Commitment) -> str:
    """Who won, for a dispute that ended."""
    return commitment.won_by if isinstance(commitment, Dispute) else ""
