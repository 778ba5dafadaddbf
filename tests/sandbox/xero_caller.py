"""A bare Xero client for the tests: requests, answers, and a look at the contract."""

from datetime import datetime
from typing import Any

import httpx

from ar_bridge.clock import VirtualClock
from connectors.sandbox.service import Sandbox
from tests.sandbox.xero_contract import complaints


class XeroCaller:
    """Speaks to one sandbox as its connected client. `complaints` gathers what the contract
    does not have."""

    def __init__(self, sandbox: Sandbox, clock: VirtualClock) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.complaints: list[str] = []
        self.http = httpx.Client(
            transport=sandbox.transport(), base_url=sandbox.addresses().api_url
        )
        self.renew()
        self.http.headers["xero-tenant-id"] = sandbox.company_id

    def renew(self) -> None:
        token = self.sandbox.oauth.grant()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def rows(self, collection: str, since: datetime | None = None, **params: str) -> list[Any]:
        headers = {"If-Modified-Since": since.strftime("%Y-%m-%dT%H:%M:%SZ")} if since else {}
        answer = self.http.get(f"/{collection}", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        self.complaints += complaints(collection, answer.content)
        rows: list[Any] = answer.json()[collection]
        return rows


def xero_caller(events: list[dict[str, Any]], clock: VirtualClock, **options: Any) -> XeroCaller:
    """A connected client of a sandbox in-process."""
    return XeroCaller(Sandbox(events, ledger="xero", clock=clock, **options), clock)
