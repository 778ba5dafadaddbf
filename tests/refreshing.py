"""A token address that counts, and a process that renews one connection and may be killed.

    python -m tests.refreshing URL DATABASE HOME TERMS many THREADS
    python -m tests.refreshing URL DATABASE HOME TERMS killed INSTANT

The address is the sandbox's own, behind a real socket.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import msgspec

from ar_bridge.clock import VirtualClock
from ar_bridge.store.engine import Store, open_store
from ar_bridge.vault import StoreVault
from ar_bridge.vault_keys import VaultKeys
from connectors.oauth2 import OAuthApp, Tokens, read_tokens
from connectors.port import Clock
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import Request, Response
from connectors.sandbox.oauth import QUICKBOOKS_TERMS, XERO_TERMS, OAuth
from connectors.sandbox.server import SandboxServer
from connectors.tokens import TokenSource
from connectors.transport import open_client

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
TERMS: Final = {"quickbooks": QUICKBOOKS_TERMS, "xero": XERO_TERMS}

INSTANTS: Final = ("before the intent", "before send", "before answer", "before store", "after")
"""Where a process that renews a token may end: before and after each of its steps."""


class TokenAddress:
    """The vendor's side of one connection."""

    def __init__(self, terms: str) -> None:
        self.clock = VirtualClock(NOW)
        self.oauth = OAuth(
            TERMS[terms],
            clock=self.clock,
            faults=FaultPlan([]),
            client_id="client",
            client_secret="client-secret",
            company_id="acme",
            company_name="Acme",
        )
        self.refreshes = 0
        self._given: list[str] = []
        self._one_at_a_time = threading.Lock()
        self._server = SandboxServer(self._answer)
        self.url = self._server.base_url + TERMS[terms].token_path

    def _answer(self, request: Request) -> Response:
        with self._one_at_a_time:
            self.refreshes += request.form().get("grant_type") == "refresh_token"
            answer = self.oauth.answer(request)
        assert answer is not None
        self._given.append(msgspec.json.decode(answer.body).get("refresh_token", ""))
        return answer

    @property
    def is_rotated(self) -> bool:
        """The refresh token of the consent has a successor."""
        return len(set(self._given)) > 1

    def expired(self) -> Tokens:
        """A consent of the past, whose access token has ended."""
        given = read_tokens(msgspec.json.encode(self.oauth.grant()), now=NOW)
        self._given.append(given.refresh_token)
        return msgspec.structs.replace(given, expires_at=NOW - timedelta(hours=1))

    def close(self) -> None:
        self._server.close()


def an_app(url: str, terms: str) -> OAuthApp:
    return OAuthApp(
        client_id="client",
        client_secret="client-secret",
        authorize_url="https://id.example/authorize",
        token_url=url,
        refresh_grace=TERMS[terms].grace,
    )


def a_vault(store: Store, home: Path, clock: Clock) -> StoreVault:
    return StoreVault(
        store, VaultKeys(home / "key", {}), clock, home=home, ledger="xero", company_id="acme"
    )


@contextmanager
def a_source(url: str, terms: str, vault: StoreVault, clock: Clock) -> Iterator[TokenSource]:
    with open_client(url) as http:
        yield TokenSource(an_app(url, terms), vault, http=http, clock=clock)


def die() -> None:
    """As the machine would have it: no clean-up, no answer."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingWire(httpx.HTTPTransport):
    def __init__(self, instant: str) -> None:
        super().__init__()
        self._instant = instant

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._instant == "before send":
            die()
        answer = super().handle_request(request)
        answer.read()
        if self._instant == "before answer":
            die()
        return answer


class DyingVault(StoreVault):
    instant = ""

    def store(self, tokens_: Tokens) -> None:
        is_intent = tokens_.refreshing_since is not None
        if self.instant == "before the intent" and is_intent:
            die()
        if self.instant == "before store" and not is_intent:
            die()
        super().store(tokens_)
        if self.instant == "after" and not is_intent:
            die()


def many(url: str, store: Store, home: Path, terms: str, threads: int) -> None:
    """Half of the threads with a source of their own, half sharing one; prints what they got."""
    clock = VirtualClock(NOW)
    got: list[str] = []
    begin = threading.Barrier(threads)

    def use(source: TokenSource) -> None:
        begin.wait(timeout=60)
        got.append(source.header())

    with ExitStack() as stack:
        own = [
            stack.enter_context(a_source(url, terms, a_vault(store, home, clock), clock))
            for _ in range(threads // 2)
        ]
        sources = [*own, *own[:1] * (threads - len(own))]
        running = [threading.Thread(target=use, args=(source,)) for source in sources]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    print(len(got), *sorted(set(got)))


def killed(url: str, store: Store, home: Path, terms: str, instant: str) -> None:
    clock = VirtualClock(NOW)
    vault = DyingVault(
        store, VaultKeys(home / "key", {}), clock, home=home, ledger="xero", company_id="acme"
    )
    vault.instant = instant
    http = httpx.Client(transport=DyingWire(instant), timeout=30)
    TokenSource(an_app(url, terms), vault, http=http, clock=clock).header()


def main(url: str, database: str, home: str, terms: str, what: str, detail: str) -> None:
    store = open_store(database)
    if what == "many":
        many(url, store, Path(home), terms, int(detail))
    else:
        killed(url, store, Path(home), terms, detail)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
