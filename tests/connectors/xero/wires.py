"""A wire that remembers every request and answers from a script."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from ar_bridge.clock import VirtualClock
from connectors.budget import RateBudget
from connectors.transport import Transport
from connectors.xero.client import XeroConnector
from connectors.xero.faults import CONCURRENT, DIALECT, windows

TENANT = "11111111-2222-3333-4444-555555555555"
START = datetime(2026, 7, 1, 9, tzinfo=UTC)
ORGANISATION = {"OrganisationID": TENANT, "Name": "Acme", "BaseCurrency": "NZD"}

Reply = httpx.Response | Exception


class Wire(httpx.BaseTransport):
    """Answers each request with `script(request)`, or with the organisation where it is asked."""

    def __init__(self, script: Callable[[httpx.Request], Reply], **organisation: Any) -> None:
        self._script = script
        self._organisation = ORGANISATION | organisation
        self.requests: list[httpx.Request] = []
        self.clock = VirtualClock(START)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path.endswith("/Organisation"):
            return httpx.Response(200, json={"Organisations": [self._organisation]})
        self.requests.append(request)
        reply = self._script(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def connector(self, tenant_id: str = TENANT, **settings: Any) -> XeroConnector:
        transport = Transport(
            "https://xero.example/api.xro/2.0",
            clock=self.clock,
            budget=RateBudget(self.clock, windows(), concurrent=CONCURRENT),
            dialect=DIALECT,
            inner=self,
        )
        return XeroConnector(transport, clock=self.clock, tenant_id=tenant_id, **settings)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests if request.content]

    @property
    def seconds_waited(self) -> float:
        return self.clock.monotonic()


def answering(*replies: Reply) -> Wire:
    """One reply after the other; the last one again and again."""
    left = list(replies)
    return Wire(lambda request: left.pop(0) if len(left) > 1 else left[0])


def ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)
