"""The QuickBooks connector against the sandbox, connected the way a company is."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.conformance import ConformanceSuite, Subject
from connectors.oauth2 import consent, read_redirect
from connectors.port import Connector
from connectors.sandbox.service import Sandbox
from connectors.table import BookConnection, oauth_app, open_connector
from connectors.tokens import MemoryVault, TokenSource
from rules.model.ids import CustomerId, InvoiceId
from tests.sandbox.books import noon, small_book


class Connected:
    """A sandbox and a connector that a person has let in."""

    def __init__(self, clock: VirtualClock, *faults: str) -> None:
        self.clock = clock
        self.sandbox = Sandbox(small_book(), ledger="quickbooks", clock=clock, faults=faults)
        addresses = self.sandbox.addresses()
        self.vault = MemoryVault()
        self.connection = BookConnection(
            company_id=self.sandbox.company_id,
            clock=clock,
            vault=self.vault,
            client_id=self.sandbox.client_id,
            client_secret=self.sandbox.client_secret,
            api_url=addresses.api_url,
            authorize_url=addresses.authorize_url,
            token_url=addresses.token_url,
            fee_account="Late fee",
            inner=self.sandbox.transport(),
        )
        self._let_in()
        self.connector: Connector = open_connector("quickbooks", self.connection)

    def _let_in(self) -> None:
        app = oauth_app("quickbooks", self.connection)
        assert app is not None
        back = "http://127.0.0.1:8765/callback"
        with httpx.Client(transport=self.sandbox.transport()) as http:
            page = http.get(consent(app, redirect_uri=back, state="s1"))
            if page.status_code != 302:
                fields = parse_qs(urlsplit(str(page.url)).query)
                page = http.post(app.authorize_url, params={k: v[0] for k, v in fields.items()})
            redirect = read_redirect(page.headers["Location"], state="s1")
            assert redirect.realm_id == self.sandbox.company_id
            source = TokenSource(app, self.vault, http=http, clock=self.clock)
            source.connect(code=redirect.code, redirect_uri=back)


def ids(sandbox: Sandbox, kind: str, *book_ids: str) -> list[Any]:
    return [sandbox.vendor_id(kind, book_id) for book_id in book_ids]


class TestQuickBooks(ConformanceSuite):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        clock = VirtualClock(noon("2026-03-10"))
        connected = Connected(clock)
        invoice, paid, voided = ids(connected.sandbox, "invoice", "INV-1", "INV-2", "INV-3")
        (customer,) = ids(connected.sandbox, "customer", "C1")
        yield Subject(
            connector=connected.connector,
            today=clock.now().date(),
            customer=CustomerId(customer),
            invoice=InvoiceId(invoice),
            others=(InvoiceId(paid), InvoiceId(voided)),
            currency="USD",
            missing=InvoiceId("987654"),
            fee_account="Late fee",
        )
        connected.connector.close()
        assert connected.sandbox.stats().throttled == 0
