"""A small company for the stories: a sandbox ledger, a mail server, a clock and a home on disk.

`Office.desk` is what one process has open. `Office.reopen` throws all of that away and opens it
again from what is on disk, as a new process would; the ledger and the mail server live on.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast
from zoneinfo import ZoneInfo

import httpx
from pydantic import SecretStr

from ar_bridge import approvals, words
from ar_bridge.channels.local_mailbox import LocalMailbox, ReceivedMail
from ar_bridge.channels.port import Channel
from ar_bridge.clock import VirtualClock
from ar_bridge.connecting import connect
from ar_bridge.context import BookContext
from ar_bridge.demo.stage import FEE_SETUP
from ar_bridge.dispatcher import ApplyReport, apply
from ar_bridge.home import Home
from ar_bridge.planner import PlanResult, make_plan
from ar_bridge.run import RunReport, run_book
from ar_bridge.selection import selected
from ar_bridge.settings import BookSettings, MailSettings, Settings
from ar_bridge.settings.schema import StoreSettings
from ar_bridge.store import actions as action_store
from ar_bridge.store import mirror, tables
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.engine import Store, open_store
from ar_bridge.store.tables import ACTION_STATES
from ar_bridge.wiring import database_url, open_book
from connectors.port import Connector
from connectors.sandbox.records import Records
from connectors.sandbox.rows import Allocation, PaymentRow
from connectors.sandbox.service import Sandbox
from rules.model import Commitment, CustomerId, InvoiceId
from tests.store.opening import Databases
from tests.stories.books import ZONE
from tests.stories.crashes import Crash, OnRope, Rope, StoreOnRope, When, Where, WireOnRope

LedgerName: TypeAlias = Literal["quickbooks", "xero"]
LEDGERS: tuple[LedgerName, ...] = ("quickbooks", "xero")

MORNING = time(9, 5)
PERSON = "pat"


@cache
def empty_database() -> bytes:
    """A database with its tables, made once: each story begins with a copy."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite3"
        open_store(f"sqlite:///{file}").close()
        return file.read_bytes()


class Office:
    """One book of one company, from the ledger's records to the mail server's."""

    def __init__(
        self,
        root: Path,
        ledger: LedgerName,
        events: Sequence[Mapping[str, Any]],
        *,
        policy: str,
        today: str,
        mode: str = "auto",
        over_http: bool = False,
        fee_setup: bool = True,
        mail: bool = True,
        stack: ExitStack,
        customers: str = "",
        databases: Databases | None = None,
    ) -> None:
        zone = ZoneInfo(ZONE)
        morning = datetime.combine(date.fromisoformat(today), MORNING, tzinfo=zone)
        self.clock = VirtualClock(morning.astimezone(UTC))
        self.ledger = ledger
        self.home = Home(root / "home")
        self.home.create()
        self._stack = stack
        self._databases = databases
        self.database = self._empty_database()
        self.policy_file = self.home.root / "policy.toml"
        self.policy_file.write_text(policy, encoding="utf-8")
        if customers:
            self.home.customers.write_text(customers, encoding="utf-8")
        self.sandbox = Sandbox(events, ledger=ledger, clock=self.clock)
        assert not self.sandbox.problems, self.sandbox.problems
        self.mailbox = stack.enter_context(LocalMailbox())
        self._mail_address = self.mailbox.address
        self._inner: httpx.BaseTransport | None = None
        if over_http:
            running = self.sandbox.serve()
            stack.callback(running.close)
            addresses: Any = running
        else:
            self._inner = self.sandbox.transport()
            addresses = self.sandbox.addresses()
        account, tax = FEE_SETUP[ledger] if fee_setup else ("", "")
        self.book = BookSettings.model_validate(
            {
                "name": "story",
                "ledger": ledger,
                "mode": mode,
                "policy": str(self.policy_file),
                "fee_account": account,
                "fee_tax": tax,
                "customers": str(self.home.customers),
                "client_id": self.sandbox.client_id,
                "client_secret": self.sandbox.client_secret,
                "api_url": addresses.api_url,
                "authorize_url": addresses.authorize_url,
                "token_url": addresses.token_url,
                "connections_url": addresses.connections_url or None,
            }
        )
        host, port = self._mail_address
        self.mail = MailSettings.model_validate(
            {
                "host": host,
                "port": port,
                "security": "none",
                "from": "Accounts <accounts@story.example>",
            }
            if mail
            else {}
        )
        self._process = ExitStack()
        stack.callback(lambda: self._process.close())
        self._connect()
        self.clock.advance(timedelta(minutes=1))
        self.desk = self._open()

    @property
    def settings(self) -> Settings:
        return Settings.model_construct(
            book={self.book.name: self.book}, mail=self.mail, store=self.database
        )

    def _empty_database(self) -> StoreSettings:
        if self._databases is not None:
            url = self._stack.enter_context(self._databases())
            return StoreSettings(url=SecretStr(url))
        for file in self.home.root.glob(f"{self.home.database.name}*"):
            file.unlink()
        self.home.database.write_bytes(empty_database())
        return StoreSettings()

    # processes ----------------------------------------------------------------------------------

    def _connect(self) -> None:
        store = open_store(database_url(self.settings, self.home))
        try:
            connect(
                store,
                self.book,
                self.home,
                self.clock,
                ask=self._consent,
                actor=PERSON,
                inner=self._inner,
            )
        finally:
            store.close()

    def _consent(self, address: str, redirect_uri: str) -> str:
        with httpx.Client(transport=self._inner, timeout=30) as browser:
            return str(browser.get(address, follow_redirects=False).headers["Location"])

    def _open(self, rope: Rope | None = None) -> BookContext:
        inner = self._inner
        if rope is not None:
            assert inner is not None, "an office over HTTP has no such point"
            inner = WireOnRope(inner, rope)
        return self._process.enter_context(
            open_book(
                self.settings,
                self.book,
                self.home,
                self.clock,
                inner=inner,
                worker="story",
            )
        )

    def reopen(self, **changes: Any) -> BookContext:
        """End the process and start another one; `changes` are to the book's settings."""
        self._process.close()
        self._process = ExitStack()
        if changes:
            self.book = self.book.model_copy(update=changes)
        self.desk = self._open()
        return self.desk

    def lose_the_database(self) -> None:
        """Everything that we knew is gone; the book is connected anew."""
        self._process.close()
        self._process = ExitStack()
        self.database = self._empty_database()
        self._connect()
        self.clock.advance(timedelta(minutes=1))
        self.desk = self._open()

    def new_policy(self, text: str) -> None:
        self.policy_file.write_text(text, encoding="utf-8")
        self.reopen()

    # time ---------------------------------------------------------------------------------------

    def wake(self, day: str | date) -> None:
        """The morning of a day, in a process that has just started."""
        day = date.fromisoformat(day) if isinstance(day, str) else day
        self.clock.advance_to(datetime.combine(day, MORNING, tzinfo=ZoneInfo(ZONE)).astimezone(UTC))

    def days(self, first: str, last: str) -> Iterator[date]:
        """Each day's morning, one after the other."""
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            self.wake(day)
            yield day
            day += timedelta(days=1)

    # work ---------------------------------------------------------------------------------------

    def run(self, approve: Callable[[BookContext, PlanResult], None] | None = None) -> RunReport:
        return run_book(self.desk, approve=approve)

    def plan(self) -> PlanResult:
        return make_plan(self.desk)

    def apply(self) -> ApplyReport:
        return apply(self.desk)

    def approve(self, *targets: str) -> list[ActionRow]:
        """A person releases plans or actions, as `ar-bridge approve` does."""
        with self.desk.store.write() as conn:
            rows = selected(conn, self.desk, targets, ("planned",))
            return self._approve(conn, rows)

    def approve_all(self, desk: BookContext | None = None, plan: PlanResult | None = None) -> None:
        with self.desk.store.write() as conn:
            self._approve(conn, action_store.actions_in(conn, self.desk.book_id, ("planned",)))

    def _approve(self, conn: Any, rows: list[ActionRow]) -> list[ActionRow]:
        ids = {item.invoice for row in rows for item in row.action.items if item.invoice}
        found = mirror.invoices_by_id(conn, self.desk.book_id, ids)
        return approvals.approve(
            conn,
            self.desk,
            rows,
            actor=PERSON,
            reason="looked at it",
            numbers={one.id: one.number for one in found},
        )

    def reject(self, *targets: str) -> list[ActionRow]:
        with self.desk.store.write() as conn:
            rows = selected(conn, self.desk, targets, ("planned", "approved"))
            return approvals.reject(conn, self.desk, rows, actor=PERSON, reason="not this one")

    def hear(self, commitment: Commitment) -> None:
        with self.desk.store.write() as conn:
            words.record(conn, self.desk.book_id, commitment, at=self.clock.now(), actor=PERSON)

    def run_to_crash(self) -> None:
        """Run until the process ends by a Crash; the story fails where it does not."""
        try:
            self.run()
        except Crash:
            return
        raise AssertionError("the run came to its end")

    def apply_to_crash(self) -> None:
        """Apply until the process ends by a Crash."""
        try:
            self.apply()
        except Crash:
            return
        raise AssertionError("apply came to its end")

    def end_leases(self) -> None:
        """As if another process saw that the one that held the leases is gone."""
        with self.desk.store.write() as conn:
            conn.execute(
                tables.actions.update()
                .where(tables.actions.c.state == "leased")
                .values(lease_until=self.clock.now().isoformat())
            )

    def rows_of(self, name: str, *states: str) -> list[ActionRow]:
        """Actions of one customer."""
        return [row for row in self.rows(*states) if row.customer == self.customer_id(name)]

    def crash(self, where: Where, nth: int, *, when: When) -> Rope:
        """Let this process end before or after its nth write to the ledger (an effect, or `wire`
        for a request of it), mail or commit."""
        rope = Rope(where, nth, when)
        if where == "wire":
            self._process.close()
            self._process = ExitStack()
            self.desk = self._open(rope)
            return rope
        self.desk = replace(
            self.desk,
            connector=cast(
                "Connector",
                OnRope(self.desk.connector, ("write", "write_batch"), rope, "ledger"),
            ),
            channels={
                name: cast("Channel", OnRope(channel, ("send",), rope, "mail"))
                for name, channel in self.desk.channels.items()
            },
            store=cast("Store", StoreOnRope(self.desk.store, rope)),
        )
        return rope

    def mail_comes_back(self) -> None:
        """The mail server listens again where it did before."""
        self.mailbox.start(self._mail_address[1])

    # what a bookkeeper does in the ledger ---------------------------------------------------------

    def customer_id(self, name: str) -> CustomerId:
        return CustomerId(self.sandbox.vendor_id("customer", name))

    def invoice_id(self, number: str) -> InvoiceId:
        return InvoiceId(self.sandbox.vendor_id("invoice", number))

    def pay(self, of: str, amount: int, number: str | None = None, *, on: str = "") -> None:
        """Enter a payment of so many pence, applied to an invoice or to nothing."""
        books = self.sandbox.ledger
        applied = (Allocation(self.invoice_id(number), amount),) if number else ()
        books.add(
            "payment",
            PaymentRow(
                customer=self.customer_id(of),
                currency="GBP",
                on=date.fromisoformat(on) if on else books.today,
                amount=amount,
                allocations=applied,
                **books.new_row("payment", by="person"),
            ),
        )

    def void(self, number: str) -> None:
        self.sandbox.ledger.void_invoice(self.invoice_id(number))

    def change_customer(self, name: str, **fields: Any) -> None:
        self.sandbox.ledger.change("customer", self.customer_id(name), **fields)

    # what is really there -------------------------------------------------------------------------

    @property
    def records(self) -> Records:
        return self.sandbox.records()

    @property
    def mails(self) -> list[ReceivedMail]:
        return self.mailbox.messages

    def mails_to(self, name: str) -> list[ReceivedMail]:
        address = f"ap@{name.lower()}.example"
        return [mail for mail in self.mails if address in mail.recipients]

    def rows(self, *states: str, kind: str | None = None) -> list[ActionRow]:
        wanted = states or tuple(ACTION_STATES)
        with self.desk.store.read() as conn:
            found = action_store.actions_in(conn, self.desk.book_id, wanted)
        return [row for row in found if kind is None or row.kind == kind]

    def row(self, kind: str, *states: str) -> ActionRow:
        """The one action of a kind in those states."""
        (found,) = self.rows(*states, kind=kind)
        return found


def text_of(mail: ReceivedMail) -> str:
    """The plain text of a mail."""
    body = mail.parsed().get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def skips_of(plan: PlanResult, code: str | None = None) -> list[dict[str, Any]]:
    """The plan's non-actions, of one code or of all."""
    return [skip for skip in plan.view["skips"] if code is None or skip["code"] == code]


@contextmanager
def opened(root: Path, ledger: LedgerName, events: Any, **options: Any) -> Iterator[Office]:
    """An office with its doors closed again at the end."""
    with ExitStack() as stack:
        yield Office(root, ledger, events, stack=stack, **options)
