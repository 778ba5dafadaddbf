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
    r"select \* from (?P<entity>\w+)(?: where (?P<where>.*?))?"
    r"(?: ORDERBY Id STARTPOSITION (?P<start>\d+) MAXRESULTS (?P<rows>\d+))?$"
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
        self.changed: dict[str, list[Any]] = {}
        """Rows of change data capture by entity; a value in place of a list is the part itself."""
        self.refuse_changes: Callable[[list[str]], bool] = lambda entities: False
        self.judge: Callable[[int, str, dict[str, Any]], Any] = lambda place, entity, body: {
            entity: {**body, "Id": str(500 + place)}
        }
        """What a batch answers to an item that writes; None leaves it out."""
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
            shown = self._query(request.content.decode())
            return shown if isinstance(shown, httpx.Response) else answer({"QueryResponse": shown})
        if path == "batch":
            return self._batch(request)
        if path == "cdc":
            return self._changes(request)
        if path == f"companyinfo/{REALM}":
            return answer({"CompanyInfo": self.info})
        if path == "preferences":
            return answer({"Preferences": self.preferences})
        entity = {"invoice": "Invoice", "attachable": "Attachable"}[path]
        self.posted.append((entity, request.content))
        return answer({entity: {**json.loads(request.content), "Id": "501"}})

    def paths(self) -> list[str]:
        """What was asked for, in order, without the company."""
        return [r.url.path.removeprefix(f"/v3/company/{REALM}/") for r in self.requests]

    def _query(self, text: str) -> Any:
        self.queries.append(text)
        found = _SELECT.match(text)
        assert found is not None, text
        entity, where = found["entity"], found["where"] or ""
        if self.refuse(entity, where):
            return fault("4001", "Query validation error")
        if entity == "Preferences" and entity not in self.lists:
            return {entity: [self.preferences]}
        rows = [row for row in self.lists.get(entity, []) if self.keep(entity, where, row)]
        start = int(found["start"] or 1) - 1
        page = rows[start : start + int(found["rows"] or 100) + self.page_surplus]
        return {entity: page} if page else {}

    def _batch(self, request: httpx.Request) -> httpx.Response:
        items = json.loads(request.content)["BatchItemRequest"]
        assert 0 < len(items) <= 30
        shown = []
        for place, item in enumerate(items, 1):
            name = {"bId": item["bId"]}
            (entity,) = item.keys() - {"bId", "operation"}
            self.posted.append((entity, json.dumps(item[entity]).encode()))
            part = self.judge(place, entity, item[entity])
            if part is not None:
                shown.append({**part, **name})
        return answer({"BatchItemResponse": shown})

    def _changes(self, request: httpx.Request) -> httpx.Response:
        entities = request.url.params["entities"].split(",")
        if self.refuse_changes(entities):
            return fault("2010", "entities: not known")
        parts: list[Any] = []
        left = 1000
        for entity in entities:
            rows = self.changed.get(entity, [])
            if isinstance(rows, list):
                rows = rows[:left]
                left -= len(rows)
            parts.append(({entity: rows} if rows else {}) if isinstance(rows, list) else rows)
        return answer({"CDCResponse": [{"QueryResponse": parts}]})


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
