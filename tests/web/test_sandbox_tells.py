"""The sandbox tells of changes over real HTTP, and the books that it names are read again."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.home import Home
from ar_bridge.settings import load_settings
from ar_bridge.store import nudges
from ar_bridge.store.engine import open_store
from ar_bridge.web.app import web_app
from ar_bridge.web.serving import listening, serving
from ar_bridge.wiring import database_url
from connectors.sandbox.service import Sandbox
from connectors.sandbox.webhooks import Hook
from tests.cli.newcomer import CLIENT_SECRET, LEDGERS, LedgerName, Newcomer, book_of

KEY = "canary-webhook-key-4713"


class Told:
    """Somebody whose ledger sends webhooks, and the web application that takes them in."""

    def __init__(
        self,
        stack: ExitStack,
        person: Newcomer,
        *,
        shape: str = "cloudevents",
        faults: tuple[str, ...] = (),
    ) -> None:
        self.person = person
        on = listening("127.0.0.1", 0)
        hook: Any = Hook(
            url=f"http://127.0.0.1:{on.getsockname()[1]}/webhooks/{person.ledger}",
            key=KEY,
            shape=shape,
        )
        person.running.close()
        person.sandbox = Sandbox(
            book_of(),
            ledger=person.ledger,
            clock=person.clock,
            client_secret=CLIENT_SECRET,
            webhook=hook,
            faults=faults,
        )
        person.running = person.sandbox.serve()
        person.done("init")
        person.configure()
        person.config.write_text(
            f'{person.config.read_text()}\n[webhooks]\n{person.ledger}_key = "{KEY}"\n'
        )
        person.connect()
        person.done("sync")
        settings = load_settings(person.config)
        self.store = open_store(database_url(settings, Home(person.home)))
        stack.callback(self.store.close)
        app = web_app(self.store, person.clock, webhook_keys=settings.webhooks.keys)
        self.address = stack.enter_context(serving(app, on))

    @property
    def waiting(self) -> list[tuple[str, str]]:
        sandbox = self.person.sandbox
        with self.store.read() as conn:
            found = nudges.waiting(conn, self.person.ledger, sandbox.company_id)
        return [(one.entity, one.record_id) for one in found]

    def deliver(self) -> None:
        """What the ledger has to tell goes out; a moment later it is there."""
        self.person.sandbox.deliver()
        self.person.clock.advance(timedelta(seconds=5))


@pytest.fixture(params=LEDGERS)
def person(
    request: pytest.FixtureRequest, program: Any, capsys: pytest.CaptureFixture[str]
) -> Iterator[Newcomer]:
    ledger: LedgerName = request.param
    with LocalMailbox() as mailbox:
        somebody = Newcomer(program.home, capsys, ledger, mailbox)
        yield somebody
        somebody.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_a_payment_is_seen_before_the_next_poll(person: Newcomer, stack: ExitStack) -> None:
    told = Told(stack, person)
    webhooks = person.sandbox.webhooks
    assert webhooks is not None and webhooks.shake_hands()
    assert "No webhook" in person.done("sync", "--nudged").out
    person.sandbox.people.pay("INV-1")
    told.deliver()
    assert [one.state for one in person.sandbox.deliveries()] == ["delivered"]
    assert ("invoices", person.sandbox.vendor_id("invoice", "INV-1")) in told.waiting
    read = person.done("sync", "--nudged", "--json").json
    assert [one["book"] for one in read["books"]] == ["elm"]
    assert read["books"][0]["closed"] == 1
    assert person.done("sync", "--nudged", "--json").json["books"] == []
    assert told.waiting == []


def test_the_shape_of_former_years_is_understood(person: Newcomer, stack: ExitStack) -> None:
    told = Told(stack, person, shape="legacy")
    person.sandbox.people.pay("INV-1")
    told.deliver()
    assert [one.state for one in person.sandbox.deliveries()] == ["delivered"]
    assert told.waiting


@pytest.mark.parametrize("fault", ["webhook-lost=1", "webhook-forged=1", "webhook-twice=1"])
def test_whatever_becomes_of_a_webhook_polling_is_the_truth(
    person: Newcomer, stack: ExitStack, fault: str
) -> None:
    told = Told(stack, person, faults=(fault,))
    person.sandbox.people.pay("INV-1")
    told.deliver()
    if fault == "webhook-twice=1":
        assert len(told.waiting) == len(set(told.waiting)) > 0
    else:
        assert told.waiting == []
    assert person.done("sync", "--json").json["closed"] == 1
    assert told.waiting == []


def test_no_key_stands_in_what_we_write(person: Newcomer, stack: ExitStack) -> None:
    told = Told(stack, person, faults=("webhook-forged=1",))
    person.sandbox.people.pay("INV-1")
    person.sandbox.people.pay("INV-3")
    told.deliver()
    assert told.waiting
    for file in person.home.rglob("*"):
        if file.is_file() and file != person.config:
            assert KEY.encode() not in file.read_bytes(), file
