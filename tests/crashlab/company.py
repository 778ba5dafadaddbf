"""The company in which processes die: on its morning every kind of effect is due at once."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import httpx

from ar_bridge.connecting import connect
from ar_bridge.context import BookContext
from ar_bridge.demo.stage import FEE_SETUP
from ar_bridge.filing import attach, send_again
from ar_bridge.home import Home
from ar_bridge.orders import order
from ar_bridge.run import run_book
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.settings.gateway import GatewaySettings
from ar_bridge.settings.identity import MailSettings
from ar_bridge.settings.schema import StoreSettings
from ar_bridge.store.engine import open_store
from ar_bridge.telling import tell
from ar_bridge.waiving import to_waive, waive
from ar_bridge.wiring import database_url, open_book
from ar_bridge.words import the_invoice
from connectors.sandbox.service import Addresses, Sandbox
from rules.actions.action import Action, Item
from rules.actions.discount import CreditDiscount
from rules.actions.internal import PlaceCreditHold
from rules.model import CustomerId, InvoiceId, ItemKey, Promise
from tests.crashlab.clock import SharedClock
from tests.crashlab.verdict import untold
from tests.stories.books import ZONE, company, customer, flat_fee, invoice, policy
from tests.stories.stage import empty_database

LedgerName: TypeAlias = Literal["quickbooks", "xero"]
LEDGERS: tuple[LedgerName, ...] = ("quickbooks", "xero")

TODAY = date(2026, 6, 4)
"""A Thursday."""
WHO = "pat"
STREET = ["1 High Street", "Leeds LS1 1AA"]
ORDERED_FOR = ("Old", "Filed", "Mailed", "Said", "Held", "Early")

WAYS = 'channels = ["email"]\nfallback = ["letter", "sms"]'
"""How a reminder goes: whoever has no address for one is reached by the next."""


def book(today: date) -> list[dict[str, Any]]:
    """One who is reached by mail, one by letter, one by text message, one whose mail is only
    drafted, and six of whom a person orders something."""
    late = ("North", "East", "West", "Draft")
    yesterday = today - timedelta(days=1)
    ways: dict[str, dict[str, Any]] = {
        "Old": {"email": "", "address": STREET},
        "East": {"email": "", "address": STREET},
        "West": {"email": "", "phone": "+44 20 7946 0000"},
    }
    return [
        company(),
        *(customer(name, **ways.get(name, {})) for name in (*late, *ORDERED_FOR)),
        *(invoice(f"N-{name}", name, _due(today, -3)) for name in late),
        invoice("N-Old", "Old", _due(yesterday, -3)),
        *(invoice(f"N-{name}", name, _due(today, 16)) for name in ORDERED_FOR if name != "Old"),
    ]


class Company:
    """Our files, the ledger's sandbox and the time, from which every case begins."""

    def __init__(self, root: Path, ledger: LedgerName, today: date = TODAY) -> None:
        self.ledger = ledger
        self.today = today
        self.clock = SharedClock(_at(today - timedelta(days=1), time(9, 5)))
        self.home = Home(root / "home")
        self.home.create()
        self.home.database.write_bytes(empty_database())
        policy_file = self.home.root / "policy.toml"
        rules = policy(fee=flat_fee()).replace(
            'template = "overdue_1"', f'template = "overdue_1"\n{WAYS}'
        )
        policy_file.write_text(rules, encoding="utf-8")
        self.sandbox = Sandbox(book(today), ledger=ledger, clock=self.clock)
        assert not self.sandbox.problems, self.sandbox.problems
        drafted = self.sandbox.vendor_id("customer", "Draft")
        self.home.customers.write_text(
            f'schema = 1\n[customer."{drafted}"]\n'
            'override = { mode = "draft", reason = "new", until = 2027-12-31 }\n',
            encoding="utf-8",
        )
        account, tax = FEE_SETUP[ledger]
        addresses = self.sandbox.addresses()
        self.book = BookSettings.model_validate(
            {
                "name": "lab",
                "ledger": ledger,
                "mode": "auto",
                "policy": str(policy_file),
                "fee_account": account,
                "fee_tax": tax,
                "customers": str(self.home.customers),
                "client_id": self.sandbox.client_id,
                "client_secret": self.sandbox.client_secret,
                **_vendor(addresses),
            }
        )
        self.mail = MailSettings.model_validate({})
        self.gateway = GatewaySettings.model_validate({})
        self._inner: httpx.BaseTransport | None = self.sandbox.transport()

    # set-up ---------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Connect, charge the old fee, and order everything that a person orders. Nothing runs on
        in this process afterwards: it can be forked."""
        self.connect()
        self.clock.advance(timedelta(minutes=1))
        self.meet("127.0.0.1", 9, "http://127.0.0.1:9/messages", None)
        with self.opened() as desk:
            run_book(desk)
        self.clock.advance_to(_at(self.today, time(9, 5)))
        with self.opened() as desk:
            run_orders(desk, self.sandbox)
        # By the time that anybody runs, the access token has ended.
        self.clock.advance(timedelta(hours=2))
        self._inner = None

    def rehearse(self, drive: Callable[[BookContext], None]) -> None:
        """Its day, in this process."""
        inner = self._inner
        self.prepare()
        self._inner = inner
        with self.opened() as desk:
            drive(desk)
            untold(desk)

    def connect(self) -> None:
        """A person's consent, as `ar-bridge connect` asks for it."""
        store = open_store(database_url(self.settings, self.home))
        try:
            connect(
                store,
                self.book,
                self.home,
                self.clock,
                ask=self._consent,
                actor=WHO,
                inner=self._inner,
            )
        finally:
            store.close()

    def _consent(self, address: str, redirect_uri: str) -> str:
        with httpx.Client(transport=self._inner, timeout=30) as browser:
            return str(browser.get(address, follow_redirects=False).headers["Location"])

    def morning(self, days: int) -> datetime:
        """Five past nine, so many days after its day."""
        return _at(self.today + timedelta(days=days), time(9, 5))

    def meet(self, host: str, port: int, gateway: str, addresses: Addresses | None) -> None:
        """Where the mail server, the gateway and the ledger are."""
        self.mail = MailSettings.model_validate(
            {"host": host, "port": port, "security": "none", "from": "Lab <accounts@lab.example>"}
        )
        self.gateway = GatewaySettings.model_validate(
            {"url": gateway, "secret": "shared", "sms": True}
        )
        if addresses is not None:
            values = {**self.book.model_dump(exclude_unset=True), **_vendor(addresses)}
            self.book = BookSettings.model_validate(values)

    @contextmanager
    def copied(self, root: Path) -> Iterator[Path]:
        """Inside the block our files are a copy of what they are now, and time is one of its own:
        the file in which it lies is given. What everybody else had stays as it was."""
        here, skew = dict(vars(self)), self.clock.skew
        root.mkdir(parents=True)
        # A process that died leaves no index of the log that others could use: it is made anew.
        shutil.copytree(self.home.root, root / "home", ignore=shutil.ignore_patterns("*-shm"))
        memory = self.clock.renew(root / "clock")
        self.home = Home(root / "home")
        try:
            yield root / "clock"
        finally:
            vars(self).update(here)
            self.clock.skew = skew
            self.clock.go_back(memory)
            shutil.rmtree(root)

    @property
    def settings(self) -> Settings:
        return Settings.model_construct(
            book={self.book.name: self.book},
            mail=self.mail,
            gateway=self.gateway,
            store=StoreSettings(),
        )

    @contextmanager
    def opened(self, **changes: Any) -> Iterator[BookContext]:
        """What one process has open."""
        with open_book(
            self.settings, self.book, self.home, self.clock, inner=self._inner, worker="lab"
        ) as desk:
            yield desk


def run_orders(desk: BookContext, sandbox: Sandbox) -> None:
    """What a person orders on the morning: one order for each effect that no policy brings."""
    with desk.store.write() as conn:
        document = next(iter(sandbox.records().fees)).number
        chosen = to_waive(conn, desk, document)
        waive(conn, desk, chosen, actor=WHO, reason="a good customer")
    with desk.store.write() as conn:
        found = the_invoice(conn, desk.book_id, "N-Filed")
        attach(conn, desk, found, "delivered.pdf", b"%PDF-1.4 signed", actor=WHO, reason="signed")
        mailed = the_invoice(conn, desk.book_id, "N-Mailed")
        send_again(conn, desk, mailed, actor=WHO, reason="they asked")
        said = the_invoice(conn, desk.book_id, "N-Said")
        promise = Promise(
            id="promise-lab",
            customer=said.customer,
            on=desk.today(),
            reason="on the phone",
            invoices=(said.id,),
            due_on=desk.today() + timedelta(days=20),
        )
        tell(conn, desk, promise, actor=WHO, currency="GBP")
        named = {name: sandbox.vendor_id("customer", name) for name in ("Held", "Early")}
        about = {name: sandbox.vendor_id("invoice", f"N-{name}") for name in ("Held", "Early")}
        order(
            conn,
            desk,
            [
                held(named["Held"], about["Held"]),
                early(named["Early"], about["Early"], desk.today()),
            ],
            actor=WHO,
            reason="agreed",
        )


def held(customer_id: str, invoice_id: str) -> Action:
    """No more deliveries on credit."""
    key = ItemKey(f"credit_hold/{invoice_id}/ordered/1")
    return PlaceCreditHold(
        key=key,
        customer=CustomerId(customer_id),
        currency="GBP",
        items=(Item(key=key, kind="credit_hold", invoice=InvoiceId(invoice_id)),),
        is_ordered=True,
        text="over the limit",
    )


def early(customer_id: str, invoice_id: str, today: date) -> Action:
    """A discount that was earned."""
    key = ItemKey(f"discount/{invoice_id}/ordered/1")
    return CreditDiscount(
        key=key,
        customer=CustomerId(customer_id),
        currency="GBP",
        items=(Item(key=key, kind="discount", invoice=InvoiceId(invoice_id)),),
        is_ordered=True,
        invoice=InvoiceId(invoice_id),
        invoice_number="N-Early",
        name="Early payment discount",
        credited=2000,
        paid_on=today,
        until=today,
    )


def _due(day: date, days: int) -> str:
    return (day + timedelta(days=days)).isoformat()


def _vendor(addresses: Addresses) -> Mapping[str, Any]:
    return {
        "api_url": addresses.api_url,
        "authorize_url": addresses.authorize_url,
        "token_url": addresses.token_url,
        "connections_url": addresses.connections_url or None,
    }


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
