"""A QuickBooks company that answers from lists, for tests in which the wire is the subject."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from ar_bridge.clock import VirtualClock
from connectors.quickbooks.client import QuickBooksConnector
from connectors.quickbooks.opening import open_connector
from connectors.table import BookConnection

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REALM = "9130"

_SELECT = re.compile(
    r"select \* from (?P<entity>\w+)(?: where (?P<where>.*?))? "
    r"ORDERBY Id STARTPOSITION (?P<start>\d+) MAXRESULTS (?P<rows>\d+)$"
)


class CannedCompany:
    """`lists` by entity; `keep` decides which rows a condition keeps (all, unless told)."""

    def __init__(self, **lists: list[Any]) -> None:
        self.lists = lists
        self.info: dict[str, Any] = {
            "CompanyName": "Acme",
            "Country": "US",
            "DefaultTimeZone": "America/Los_Angeles",
        }
        self.preferences: dict[str, Any] = {
            "CurrencyPrefs": {"HomeCurrency": {"value": "USD"}, "MultiCurrencyEnabled": True},
            "AccountingInfoPrefs": {},
        }
        self.keep: Callable[[str, str, Any], bool] = lambda entity, where, row: True
        self.refuse: Callable[[str, str], bool] = lambda entity, where: False
        self.page_surplus = 0
        self.next: list[httpx.Response | Exception] = []
        """Answers that come before the usual ones."""
        self.requests: list[httpx.Request] = []
        self.queries: list[str] = []
        self.posted: list[tuple[str, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert request.url.params["minorversion"] == "75"
        if self.next:
            turn = self.next.pop(0)
            if isinstance(turn, Exception):
                raise turn
            return turn
        path = request.url.path.removeprefix(f"/v3/company/{REALM}/")
        if path == "query":
            return self._query(request.content.decode())
        if path == f"companyinfo/{REALM}":
            return answer({"CompanyInfo": self.info})
        if path == "preferences":
            return answer({"Preferences": self.preferences})
        entity = {"invoice": "Invoice", "attachable": "Attachable"}[path]
        self.posted.append((entity, request.content))
        return answer({entity: {**json.loads(request.content), "Id": "501"}})

    def _query(self, text: str) -> httpx.Response:
        self.queries.append(text)
        found = _SELECT.match(text)
        assert found is not None, text
        entity, where = found["entity"], found["where"] or ""
        if self.refuse(entity, where):
            return fault("4001", "Query validation error")
        rows = [row for row in self.lists.get(entity, []) if self.keep(entity, where, row)]
        start = int(found["start"]) - 1
        page = rows[start : start + int(found["rows"]) + self.page_surplus]
        return answer({"QueryResponse": {entity: page} if page else {}})


def answer(body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(
        200,
        json={**body, "time": "2026-03-02T01:00:00.000-08:00"},
        headers={"intuit_tid": "tid-1"},
    )


def fault(code: str, message: str, *, status: int = 400, lower: bool = False) -> httpx.Response:
    error = {"Message": message, "Detail": f"{message}, in detail", "code": code}
    body: dict[str, Any] = {"Fault": {"Error": [error], "type": "ValidationFault"}}
    if lower:
        error = {"message": message, "detail": f"{message}, in detail", "code": code}
        body = {"fault": {"error": [error], "type": "SERVICE"}}
    return httpx.Response(status, json=body, headers={"intuit_tid": "tid-9"})


def connected(
    company: CannedCompany, clock: VirtualClock | None = None, **options: Any
) -> QuickBooksConnector:
    return open_connector(
        BookConnection(
            company_id=REALM,
            clock=clock or VirtualClock(START),
            inner=httpx.MockTransport(company),
            **options,
        )
    )


def an_invoice(id: int | str, **fields: Any) -> dict[str, Any]:
    return {
        "Id": str(id),
        "DocNumber": f"10{id}",
        "TxnDate": "2026-01-05",
        "DueDate": "2026-02-04",
        "Balance": 120.5,
        "TotalAmt": 120.5,
        "CustomerRef": {"value": "1", "name": "North"},
        "CurrencyRef": {"value": "USD"},
        "EmailStatus": "EmailSent",
        **fields,
    }
