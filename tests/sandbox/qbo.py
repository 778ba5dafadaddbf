"""A bare QuickBooks client for the tests: requests and answers, no opinions."""

from typing import Any

import httpx

from ar_bridge.clock import VirtualClock
from connectors.sandbox.service import Sandbox
from tests.sandbox.books import noon, small_book


class Caller:
    """Speaks to one sandbox as its connected client."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox = sandbox
        self.client = client
        self.renew()

    def renew(self) -> None:
        token = self.sandbox.oauth.grant()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    def path(self, rest: str) -> str:
        return f"/v3/company/{self.sandbox.company_id}/{rest}"

    def get(self, rest: str, **params: str) -> httpx.Response:
        return self.client.get(self.path(rest), params=params)

    def post(self, rest: str, body: Any, **params: str) -> httpx.Response:
        return self.client.post(self.path(rest), json=body, params=params)

    def query(self, text: str) -> httpx.Response:
        return self.client.post(
            self.path("query"),
            content=text.encode(),
            headers={"Content-Type": "application/text"},
            params={"minorversion": "75"},
        )

    def rows(self, text: str) -> list[dict[str, Any]]:
        answer = self.query(text)
        assert answer.status_code == 200, answer.text
        found = answer.json()["QueryResponse"]
        entity = text.split(" from ")[1].split()[0]
        return list(found.get(entity, []))


def code(answer: httpx.Response) -> str:
    """The vendor's code in a fault, whatever its spelling."""
    body = answer.json()
    fault = body.get("Fault") or body["fault"]
    return str((fault.get("Error") or fault["error"])[0]["code"])


def caller(
    day: str = "2026-02-05",
    events: list[dict[str, Any]] | None = None,
    clock: VirtualClock | None = None,
    **options: Any,
) -> Caller:
    """A connected client of a sandbox in-process."""
    clock = clock or VirtualClock(noon(day))
    book = small_book() if events is None else events
    sandbox = Sandbox(book, ledger="quickbooks", clock=clock, **options)
    client = httpx.Client(transport=sandbox.transport(), base_url="https://sandbox.example")
    return Caller(sandbox, client)


def fee(customer: str, number: str = "LF-ABCDEFGHIJKLMNOP", **more: Any) -> dict[str, Any]:
    """A late fee of 15.00 as an invoice of its own."""
    return {
        "DocNumber": number,
        "CustomerRef": {"value": customer},
        "TxnDate": "2026-02-05",
        "DueDate": "2026-02-19",
        "PrivateNote": "arb1 inv=1 fee=late through=2026-02-05 key=k",
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": 15.00,
                "Description": "Late fee, invoice INV-1",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "2"},
                    "Qty": 1,
                    "UnitPrice": 15.00,
                    "TaxCodeRef": {"value": "NON"},
                },
            }
        ],
        **more,
    }
