"""The company in which processes die: on its morning every kind of effect is due at once."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import httpx

from ar_bridge.connecting import connect
from ar_bridge.context import BookContext
from ar_bridge.daemon.lock import only_one
from ar_bridge.demo.stage import FEE_SETUP
from ar_bridge.filing import attach, send_again
from ar_bridge.home import Home
from ar_bridge.orders import order
from ar_bridge.reconciling import sync_book
from ar_bridge.run import run_book
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.settings.gateway import GatewaySettings
from ar_bridge.settings.identity import MailSettings
from ar_bridge.settings.schema import StoreSettings
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.engine import open_store
from ar_bridge.store.outbox import EffectRow
from ar_bridge.telling import tell
from ar_bridge.waiving import to_waive, waive
from ar_bridge.wiring import database_url, open_book
from ar_bridge.words import the_invoice
from connectors.sandbox.service import Addresses, Sandbox
from rules.actions.action import Action, Item
from rules.actions.discount import CreditDiscount
from rules.actions.internal import PlaceCreditHold, ReleaseCreditHold
from rules.model import CustomerId, InvoiceId, ItemKey, Promise
from tests.crashlab.clock import SharedClock
from tests.crashlab.databases import Databases
from tests.crashlab.verdict import untold
from tests.stories.books import ZONE, company, customer, flat_fee, invoice, policy
from tests.stories.stage import empty_database

LedgerName: TypeAlias = Literal["quickbooks", "xero"]
LEDGERS: tuple[LedgerName, ...] = ("quickbooks", "xero")

TODAY = date(2026, 6, 4)
"""A Thursday."""
WHO = "pat"
STREET = ["1 High Street", "Leeds LS1 1AA"]
ORDERED_FOR = ("Old", "Part", "Filed", "Mailed", "Said", "Held", "Freed", "Early")
LATE = ("North", "East", "West", "Hook", "Draft")
CHARGED = ("Old", "Part")
"""Who got a fee, and a letter about it, on the day before."""

WAYS = 'channels = ["email"]\nfallback = ["letter", "sms", "webhook"]'
"""How a reminder goes: whoever has no address for one is reached by the next."""


def book(today: date) -> list[dict[str, Any]]:
    """One who is reached by mail, one by letter, one by text message, one by the gateway alone,
    one whose mail is only drafted, and those of whom a person orders something."""
    yesterday = today - timedelta(days=1)
    ways: dict[str, dict[str, Any]] = {
        **{name: {"email": "", "address": STREET} for name in CHARGED},
        "Hook": {"email": ""},
        "East": {"email": "", "address": STREET},
        "West": {"email": "", "phone": "+44 20 7946 0000"},
    }
    return [
        company(),
        *(customer(name, **ways.get(name, {})) for name in (*LATE, *ORDERED_FOR)),
        *(invoice(f"N-{name}", name, _due(today, -3)) for name in LATE),
        *(invoice(f"N-{name}", name, _due(yesterday, -3)) for name in CHARGED),
        *(
            invoice(f"N-{name}", name, _due(today, 16))
            for name in ORDERED_FOR
            if name not in CHARGED
        ),
    ]


class Company:
    """Our files, the ledger's sandbox and the time, from which every case begins."""

    def __init__(
        self,
        root: Path,
        ledger: LedgerName,
        today: date = TODAY,
        databases: Databases | None = None,
    ) -> None:
        self.ledger = ledger
        self.today = today
        self.databases = databases
        self.url = databases.fresh() if databases else ""
        """Of our records, where they do not lie in our home."""
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
            sync_book(desk)
            with desk.store.write() as conn:
                hold = self._hold(PlaceCreditHold, "Freed")
                order(conn, desk, [hold], actor=WHO, reason="over the limit")
            run_book(desk)
        self.clock.advance_to(_at(self.today, time(9, 5)))
        with self.opened() as desk:
            self._order(desk)
        # By the time that anybody runs, the access token has ended.
        self.clock.advance(timedelta(hours=2))
        self._inner = None

    def _order(self, desk: BookContext) -> None:
        """What a person orders on the morning: one order for each effect that no policy brings."""
        with desk.store.write() as conn:
            for name, amount in (("Old", None), ("Part", 1000)):
                chosen = to_waive(conn, desk, f"N-{name}", amount=amount)
                waive(conn, desk, chosen, actor=WHO, reason="a good customer")
            found = the_invoice(conn, desk.book_id, "N-Filed")
            attach(
                conn, desk, found, "delivered.pdf", b"%PDF-1.4 signed", actor=WHO, reason="signed"
            )
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
            actions = [
                self._hold(PlaceCreditHold, "Held"),
                self._hold(ReleaseCreditHold, "Freed"),
                early(*self._named("Early"), desk.today()),
            ]
            order(conn, desk, actions, actor=WHO, reason="agreed")

    def _named(self, name: str) -> tuple[CustomerId, InvoiceId]:
        customer_id = self.sandbox.vendor_id("customer", name)
        return CustomerId(customer_id), InvoiceId(self.sandbox.vendor_id("invoice", f"N-{name}"))

    def _hold(self, kind: type[PlaceCreditHold], name: str) -> Action:
        """No more deliveries on credit, or as many as ever."""
        customer_id, invoice_id = self._named(name)
        key = ItemKey(f"{kind.kind}/{invoice_id}/ordered/1")
        return kind(
            key=key,
            customer=customer_id,
            currency="GBP",
            items=(Item(key=key, kind=kind.kind, invoice=invoice_id),),
            is_ordered=True,
            text="over the limit",
        )

    def rehearse(self, drive: Callable[[BookContext], None]) -> list[tuple[str, EffectRow]]:
        """Its day, in this process, without mail server and gateway: the effects that it brings,
        each with the name of its customer."""
        inner = self._inner
        self.prepare()
        self._inner = inner
        names = {self.sandbox.vendor_id("customer", name): name for name in (*LATE, *ORDERED_FOR)}
        with self.opened() as desk:
            before = {effect.key for effect in _effects(desk) if effect.state == "done"}
            drive(desk)
            untold(desk)
            found = [effect for effect in _effects(desk) if effect.key not in before]
        return [(names[effect.effect.customer], effect) for effect in found]

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
        try:
            self.home = Home(root / "home")
            with self.databases.copied(self.url) if self.databases else nullcontext("") as self.url:
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
            store=StoreSettings.model_validate({"url": self.url or None}),
        )

    def only_one(self) -> AbstractContextManager[object]:
        """The place of the only daemon."""
        return only_one(database_url(self.settings, self.home))

    @contextmanager
    def opened(self, **changes: Any) -> Iterator[BookContext]:
        """What one process has open."""
        with open_book(
            self.settings, self.book, self.home, self.clock, inner=self._inner, worker="lab"
        ) as desk:
            yield desk


def _effects(desk: BookContext) -> list[EffectRow]:
    with desk.store.read() as conn:
        rows = action_store.actions_in(conn, desk.book_id, ("approved", "unknown", "done"))
        effects = outbox.effects_by_action(conn, [row.id for row in rows])
    return [effect for some in effects.values() for effect in some]


def early(customer_id: CustomerId, invoice_id: InvoiceId, today: date) -> Action:
    """A discount that was earned."""
    key = ItemKey(f"discount/{invoice_id}/ordered/1")
    return CreditDiscount(
        key=key,
        customer=customer_id,
        currency="GBP",
        items=(Item(key=key, kind="discount", invoice=invoice_id),),
        is_ordered=True,
        invoice=invoice_id,
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
