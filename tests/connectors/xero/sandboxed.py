"""A Xero connector over the sandbox, in-process and on a virtual clock."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ar_bridge.clock import VirtualClock
from connectors.oauth2 import Tokens
from connectors.port import Page
from connectors.sandbox.face import Setup
from connectors.sandbox.service import Sandbox
from connectors.table import BookConnection, open_connector
from connectors.tokens import MemoryVault
from connectors.xero.client import XeroConnector


class Bench:
    """A sandbox with a connector to it."""

    def __init__(
        self,
        events: Iterable[Mapping[str, Any]],
        day: str,
        *,
        setup: Setup | None = None,
        faults: tuple[str, ...] = (),
        fee_account: str = "270",
        fee_tax: str = "NONE",
    ) -> None:
        self.clock = VirtualClock(datetime.fromisoformat(f"{day}T17:00:00").replace(tzinfo=UTC))
        self.sandbox = Sandbox(events, ledger="xero", clock=self.clock, setup=setup, faults=faults)
        grant = self.sandbox.oauth.grant()
        addresses = self.sandbox.addresses()
        tokens = Tokens(
            access_token=grant["access_token"],
            refresh_token=grant["refresh_token"],
            expires_at=self.clock.now() + timedelta(minutes=30),
            obtained_at=self.clock.now(),
        )
        self.connection = BookConnection(
            company_id=self.sandbox.company_id,
            clock=self.clock,
            vault=MemoryVault(tokens),
            client_id=self.sandbox.client_id,
            client_secret=self.sandbox.client_secret,
            api_url=addresses.api_url,
            token_url=addresses.token_url,
            connections_url=addresses.connections_url,
            fee_account=fee_account,
            fee_tax=fee_tax,
            inner=self.sandbox.transport(),
        )
        connector = open_connector("xero", self.connection)
        assert isinstance(connector, XeroConnector)
        self.connector = connector

    def id(self, kind: str, book_id: str) -> str:
        return self.sandbox.vendor_id(kind, book_id)

    def pull(self, cursor: Any = None) -> list[Page]:
        return list(self.connector.pull(cursor))


def of(pages: list[Page], entity: str) -> dict[str, Any]:
    """Records of one entity by id."""
    return {row.id: row for page in pages if page.entity == entity for row in page.records}
