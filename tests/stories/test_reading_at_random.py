"""Whatever people do between and during readings, the book comes out as a fresh one would."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ar_bridge.clock import VirtualClock
from ar_bridge.store import books, mirror
from ar_bridge.store.bodies import Bodies
from ar_bridge.store.engine import Store, open_store
from ar_bridge.sync import SyncReport, sync
from connectors.oauth2 import Tokens
from connectors.sandbox.people import People
from connectors.sandbox.service import CLIENT_ID, CLIENT_SECRET, Sandbox
from connectors.table import BookConnection, open_connector
from connectors.tokens import MemoryVault
from rules.model import CreditNote, Customer, Invoice, Payment
from tests.stories.books import company, customer, invoice, payment
from tests.stories.crashes import Crash, Rope, StoreOnRope
from tests.stories.stage import LEDGERS, LedgerName, empty_database

START = datetime(2026, 6, 4, 9, tzinfo=UTC)
NAMES = ("North", "South", "East", "West")
EXAMPLES = 4 if settings().max_examples < 1_000 else 400

BOOK = [
    company(),
    *(customer(name) for name in NAMES),
    *(invoice(f"I-{n}", NAMES[n % 4], "2026-06-01") for n in range(8)),
    payment("P-1", "North", "2026-05-20", "100.00", **{"I-0": "100.00"}),
]


class Company:
    """A ledger that people work in, and our reading of it."""

    def __init__(self, ledger: LedgerName, folder: Path, stack: ExitStack) -> None:
        self.ledger = ledger
        self.clock = VirtualClock(START)
        self.sandbox = Sandbox(BOOK, ledger=ledger, clock=self.clock)
        self._folder = folder
        self._stack = stack
        self._stores = 0
        self.store, self.book = self.new_book()
        self.payments: list[str] = []

    @property
    def people(self) -> People:
        return self.sandbox.people

    def new_book(self) -> tuple[Store, int]:
        """A database in which nothing has been read yet."""
        self._stores += 1
        file = self._folder / f"{self._stores}.sqlite3"
        file.write_bytes(empty_database())
        store = self._stack.enter_context(closing(open_store(f"sqlite:///{file}")))
        with self._connected() as connector:
            found = connector.check().company
        with store.write() as conn:
            row = books.register(conn, found, name="random", connected_on=START.date())
        return store, row.id

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        where = self.sandbox.addresses()
        granted = self.sandbox.oauth.grant()
        tokens = Tokens(
            access_token=granted["access_token"],
            refresh_token=granted["refresh_token"],
            expires_at=self.clock.now() + timedelta(seconds=granted["expires_in"]),
            obtained_at=self.clock.now(),
        )
        connection = BookConnection(
            company_id=self.sandbox.company_id,
            clock=self.clock,
            vault=MemoryVault(tokens),
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            api_url=where.api_url,
            token_url=where.token_url,
            connections_url=where.connections_url,
            base_currency="GBP",
            inner=self.sandbox.transport(),
        )
        with closing(open_connector(self.ledger, connection)) as connector:
            yield connector

    def read(self, store: Store, book: int, *, full: bool = False) -> SyncReport:
        """One process that reads and ends."""
        self.clock.advance(60)
        with store.read() as conn:
            row = books.get(conn, book)
        with self._connected() as connector:
            return sync(store, row, connector, self.clock, full=full)

    def read_to_crash(self, nth: int, *, full: bool) -> None:
        """A process that reads and dies at its nth commit, if it has as many."""
        rope = Rope("commit", nth, "after")
        try:
            self.read(cast("Store", StoreOnRope(self.store, rope)), self.book, full=full)
        except Crash:
            return


def seen(store: Store, book: int) -> dict[str, dict[str, Any]]:
    """What of the book is open or can be used, and everybody who can be written to."""
    kinds: dict[str, type[Any]] = {
        "customers": Customer,
        "invoices": Invoice,
        "payments": Payment,
        "credits": CreditNote,
    }
    with store.read() as conn:
        found = {
            entity: {key: Bodies[Any](kind).read(body) for key, body in _bodies(conn, book, entity)}
            for entity, kind in kinds.items()
        }
    is_open = {key for key, one in found["invoices"].items() if one.status == "open"}

    def matters(one: Any) -> bool:
        if isinstance(one, Payment) and one.reversed_on is not None:
            return False
        left = one.unapplied if isinstance(one, Payment) else one.remaining
        return bool(left) or any(part.invoice in is_open for part in one.allocations)

    return {
        "customers": {key: one for key, one in found["customers"].items() if one.is_active},
        "invoices": {key: found["invoices"][key] for key in is_open},
        "payments": {key: one for key, one in found["payments"].items() if matters(one)},
        "credits": {key: one for key, one in found["credits"].items() if matters(one)},
    }


def _bodies(conn: Any, book: int, entity: str) -> list[tuple[str, str]]:
    return list(mirror.bodies(conn, book, entity))


def pays(at: Company, a: int, b: int) -> None:
    at.payments.append(at.people.pay(f"I-{a % 8}", None if b % 2 else 10_000))


def returns(at: Company, a: int, b: int) -> None:
    if at.payments:
        at.people.delete_payment(at.payments.pop(a % len(at.payments)))


def receives(at: Company, a: int, b: int) -> None:
    at.payments.append(at.people.receive(NAMES[a % 4], 1_000 + b))


ACTS: Mapping[str, Callable[[Company, int, int], object]] = {
    "pay": pays,
    "return": returns,
    "receive": receives,
    "credit": lambda at, a, b: at.people.credit(NAMES[a % 4], 500 + b),
    "invoice": lambda at, a, b: at.people.add_invoice(NAMES[a % 4], 50_000 + b),
    "void": lambda at, a, b: at.people.void(f"I-{a % 8}"),
    "restore": lambda at, a, b: at.people.restore(f"I-{a % 8}"),
    "delete": lambda at, a, b: at.people.delete(f"I-{a % 8}"),
    "rename": lambda at, a, b: at.people.rename(NAMES[a % 4], f"{NAMES[a % 4]} {b}"),
    "archive": lambda at, a, b: at.people.archive(NAMES[a % 4]),
    "merge": lambda at, a, b: at.people.merge(NAMES[a % 4], into=NAMES[b % 4]),
}
READINGS: Mapping[str, Callable[[Company, int, int], object]] = {
    "sync": lambda at, a, b: at.read(at.store, at.book, full=a == 0),
    "crash": lambda at, a, b: at.read_to_crash(a + 1, full=b % 2 == 0),
}

Day = st.lists(
    st.tuples(st.sampled_from([*ACTS, *READINGS]), st.integers(0, 9), st.integers(0, 9)),
    min_size=8,
    max_size=20,
)


@pytest.mark.parametrize("ledger", LEDGERS)
@settings(max_examples=EXAMPLES)
@given(day=Day)
def test_the_book_is_what_a_fresh_reading_gives(
    ledger: LedgerName, day: list[tuple[str, int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        at = Company(ledger, Path(folder), stack)
        for what, a, b in day:
            at.clock.advance(30)
            if what in READINGS:
                READINGS[what](at, a, b)
                continue
            # Some things nobody can do now: it is paid, void or merged already.
            with suppress(LookupError, ValueError):
                ACTS[what](at, a, b)
        at.clock.advance(1_200)
        at.read(at.store, at.book)
        changes = seen(at.store, at.book)
        at.read(at.store, at.book, full=True)
        whole = seen(at.store, at.book)
        fresh = at.new_book()
        at.read(*fresh)
        expected = seen(*fresh)
        assert whole == expected
        assert changes["invoices"] == expected["invoices"]
        assert changes["customers"] == expected["customers"]
