"""A sandbox and a connector, connected the way a company is."""

from typing import Any

import httpx

from ar_bridge.clock import VirtualClock
from connectors.oauth2 import consent, read_redirect
from connectors.port import Connector
from connectors.sandbox.service import Sandbox
from connectors.table import BookConnection, oauth_app, open_connector
from connectors.tokens import MemoryVault, TokenSource
from tests.sandbox.books import small_book


class Connected:
    """A sandbox and a connector that a person has let in."""

    def __init__(
        self, clock: VirtualClock, *faults: str, book: list[dict[str, Any]] | None = None
    ) -> None:
        self.clock = clock
        self.sandbox = Sandbox(
            small_book() if book is None else book,
            ledger="quickbooks",
            clock=clock,
            faults=faults,
        )
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
            redirect = read_redirect(page.headers["Location"], state="s1")
            assert redirect.realm_id == self.sandbox.company_id
            source = TokenSource(app, self.vault, http=http, clock=self.clock)
            source.connect(code=redirect.code, redirect_uri=back)


def ids(sandbox: Sandbox, kind: str, *book_ids: str) -> list[Any]:
    return [sandbox.vendor_id(kind, book_id) for book_id in book_ids]
