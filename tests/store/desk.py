"""A connected book with its ledger in memory."""

from datetime import timedelta
from typing import Any

from ar_bridge.book_loader import load_book
from ar_bridge.clock import VirtualClock
from ar_bridge.facts_file import CustomerFacts
from ar_bridge.store import books
from ar_bridge.store.engine import Store
from ar_bridge.sync import SyncReport, sync
from rules.model import Book
from tests.store.ledger import MemoryLedger
from tests.store.records import NOW, a_book, credit, customer, invoice, payment


class Desk:
    """A connected book with its ledger."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = VirtualClock(NOW)
        self.ledger = MemoryLedger(
            self.clock,
            [
                customer("C1"),
                customer("C2", parent="C1"),
                invoice("I1"),
                invoice("I2", customer="C2"),
                invoice("I3"),
                payment("P1", settles={"I1": 40_000}),
                credit("N1"),
            ],
        )
        with store.write() as conn:
            self.book_id = a_book(conn).id

    def sync(self, **options: Any) -> SyncReport:
        self.clock.advance(timedelta(hours=1))
        with self.store.read() as conn:
            row = books.get(conn, self.book_id)
        return sync(self.store, row, self.ledger, self.clock, **options)

    def book(self) -> Book:
        with self.store.read() as conn:
            return load_book(
                conn,
                books.get(conn, self.book_id),
                as_of=self.clock.now().date(),
                now=self.clock.now(),
                holidays={},
                facts=CustomerFacts(),
            )

    def statuses(self) -> dict[str, str]:
        return {invoice.id: invoice.status for invoice in self.book().invoices}
