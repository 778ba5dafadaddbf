"""The stage of the demo: a sandbox, a mailbox, a clock and a home, wired as a real book is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx

from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import VirtualClock
from ar_bridge.connecting import Connected, connect
from ar_bridge.context import BookContext
from ar_bridge.errors import ArBridgeError
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings, MailSettings, Settings
from ar_bridge.store.engine import open_store
from ar_bridge.wiring import connection_of, database_url, desk
from connectors.sandbox.service import Running, Sandbox
from connectors.table import open_connector
from rules.policy.schema import Policy

ACTOR = "demo"
"""Who approves in the demo, as the audit says: it plays the approving person."""

MORNING = time(9, 5)

FEE_SETUP = {"quickbooks": ("Late fee", "No VAT"), "xero": ("200", "NONE")}
"""Account and tax of late fees as the sandbox has them."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that one ledger's demo runs on."""

    ledger: str
    desk: BookContext
    sandbox: Sandbox
    running: Running
    mailbox: LocalMailbox
    clock: VirtualClock
    home: Home
    connected: Connected


@contextmanager
def staged(
    ledger: Literal["quickbooks", "xero"],
    events: Sequence[Mapping[str, Any]],
    policy: Policy,
    start: date,
    home: Home,
) -> Iterator[Stage]:
    """Set the stage for the morning of `start`: connected through the real OAuth flow, mode
    approve, nothing read yet."""
    zone = ZoneInfo(_of_company(events, "timezone") or "UTC")
    clock = VirtualClock(datetime.combine(start, MORNING, tzinfo=zone).astimezone(UTC))
    with ExitStack() as stack:
        sandbox = Sandbox(events, ledger=ledger, clock=clock)
        running = sandbox.serve()
        stack.callback(running.close)
        mailbox = stack.enter_context(LocalMailbox(home.root / "mailbox"))
        book = _book(ledger, _of_company(events, "country"), sandbox, running, home)
        settings = _settings(book, mailbox)
        store = open_store(database_url(settings, home))
        stack.callback(store.close)
        connected = connect(store, book, home, clock, ask=_consent, actor=ACTOR)
        connector = open_connector(
            ledger,
            connection_of(book, store, home, clock, company_id=connected.row.company_id),
        )
        stack.callback(connector.close)
        # A person reads what `connect` said before the first sync.
        clock.advance(timedelta(minutes=1))
        yield Stage(
            ledger=ledger,
            desk=desk(
                settings, book, home, clock, store, connected.row, policy, connector, worker=ACTOR
            ),
            sandbox=sandbox,
            running=running,
            mailbox=mailbox,
            clock=clock,
            home=home,
            connected=connected,
        )


def _book(
    ledger: str, country: str, sandbox: Sandbox, running: Running, home: Home
) -> BookSettings:
    account, tax = FEE_SETUP[ledger]
    if ledger == "quickbooks" and country.upper() in ("", "US"):
        # Companies of the United States have two pseudo codes and no others.
        tax = "NON"
    return BookSettings.model_validate(
        {
            "name": f"demo-{ledger}",
            "ledger": ledger,
            "mode": "approve",
            "policy": "standard",
            "fee_account": account,
            "fee_tax": tax,
            "customers": home.customers,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "api_url": running.api_url,
            "authorize_url": running.authorize_url,
            "token_url": running.token_url,
            "connections_url": running.connections_url or None,
        }
    )


def _settings(book: BookSettings, mailbox: LocalMailbox) -> Settings:
    host, port = mailbox.address
    mail = MailSettings.model_validate(
        {
            "host": host,
            "port": port,
            "security": "none",
            "from": "Accounts <accounts@demo.example>",
            "reply_to": "accounts@demo.example",
        }
    )
    return Settings.model_construct(book={book.name: book}, mail=mail)


def _consent(address: str, redirect_uri: str) -> str:
    """Agree on the consent page, as a person would in the browser."""
    answer = httpx.get(address, follow_redirects=False, timeout=30)
    location = str(answer.headers.get("Location", ""))
    if not location.startswith(redirect_uri):
        raise ArBridgeError(
            f"the sandbox did not send us back after consent ({answer.status_code})",
            remedy="run the demo again",
        )
    return location


def _of_company(events: Sequence[Mapping[str, Any]], key: str) -> str:
    """What the book says of its company; empty where it says nothing."""
    for event in events:
        if event.get("t") == "company":
            return str(event.get(key) or "")
    return ""
