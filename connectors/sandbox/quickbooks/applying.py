"""Payments of zero that apply a credit.

A credit memo does not name the invoices that it settles: QuickBooks keeps that in a payment of
zero whose lines link both sides, so each applied credit of the book is served with one.
"""

from collections.abc import Iterator
from datetime import datetime

from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import CreditRow, PaymentRow


class Applications:
    """The payments of a company, those of zero included."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._made: dict[str, tuple[int, PaymentRow]] = {}
        for fact in ledger.facts.facts:
            if fact.kind == "credit_note":
                ledger.ids.of_book("payment", f"apply:{fact.fields['id']}")

    def payments(self) -> list[PaymentRow]:
        """All payments, those that apply a credit of the book included."""
        found = list(self._ledger.payments.values())
        for credit in self._ledger.credits.values():
            if credit.allocations:
                found.append(self._application(credit))
        return found

    def payment(self, key: str) -> PaymentRow | None:
        """A payment by id."""
        known = self._ledger.payments.get(key)
        if known is not None:
            return known
        return next((row for row in self.payments() if row.id == key), None)

    def gone(self) -> Iterator[tuple[str, datetime]]:
        """(id, instant) of payments of zero that were there once: their credit was taken back."""
        deleted = {row.id: row.at for row in self._ledger.deletions if row.kind == "credit_note"}
        for key, (_, row) in self._made.items():
            credit = self._ledger.credits.get(key)
            if credit is None:
                yield row.id, deleted.get(key, row.updated_at)
            elif not credit.allocations:
                yield row.id, credit.updated_at

    def id_of(self, credit: CreditRow) -> str:
        """Id of the payment that applies this credit."""
        book_id = self._ledger.ids.book_id("credit_note", credit.id)
        return self._ledger.ids.of_book("payment", f"apply:{book_id or '#' + credit.id}")

    def _application(self, credit: CreditRow) -> PaymentRow:
        kept = self._made.get(credit.id)
        if kept is not None and kept[0] == credit.version:
            return kept[1]
        row = PaymentRow(
            id=self.id_of(credit),
            version=credit.version,
            created_at=credit.created_at,
            updated_at=credit.updated_at,
            by=credit.by,
            customer=credit.customer,
            currency=credit.currency,
            on=credit.on,
            amount=0,
            allocations=credit.allocations,
            credits_used=((credit.id, sum(part.amount for part in credit.allocations)),),
        )
        self._made[credit.id] = (credit.version, row)
        return row
