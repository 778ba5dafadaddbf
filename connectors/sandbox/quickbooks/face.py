"""The QuickBooks Online face of the sandbox: addresses, answers and replay of `requestid`."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.sandbox.face import Desk
from connectors.sandbox.http import Request, Response, encoded, json_response, text_response
from connectors.sandbox.limits import QuickBooksLimits, Throttled
from connectors.sandbox.quickbooks.bodies import KIND_OF
from connectors.sandbox.quickbooks.faults import (
    QuickBooksFault,
    fault_body,
    fault_response,
    gateway_response,
)
from connectors.sandbox.quickbooks.fields import QUERYABLE
from connectors.sandbox.quickbooks.query import Query, parse_query, select_rows
from connectors.sandbox.quickbooks.render import Renderer
from connectors.sandbox.quickbooks.setup import CompanyLists
from connectors.sandbox.quickbooks.uploads import uploads
from connectors.sandbox.quickbooks.write import Writer
from connectors.sandbox.rows import InvoiceRow, Row

REPLAY_WINDOW = timedelta(hours=1)
"""How long a `requestid` is remembered. Intuit documents no figure: do not lean on this one."""

LOOK_BACK = timedelta(days=30)
CDC_LIMIT = 1000
BATCH_LIMIT = 30

# One page, nothing on it: enough for a client that attaches or stores the file.
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)

_ENTITY_OF = {name.lower(): name for name in QUERYABLE}
_ACTIVE_ONLY = frozenset({"Customer", "Item", "Account", "Term", "TaxCode", "CustomerType"})


class QuickBooksFace:
    """Answers `/v3/company/<realm>/...` over the ledger of a desk."""

    api_prefix = "/v3/company/"

    def __init__(self, desk: Desk) -> None:
        self.limits = QuickBooksLimits(desk.clock)
        self._desk = desk
        self._ledger = desk.ledger
        self._lists = CompanyLists(desk.ledger, desk.setup)
        self._renderer = Renderer(desk.ledger, self._lists, desk.faults)
        self._writer = Writer(desk, self._lists)
        self._replays: dict[str, tuple[datetime, Response]] = {}
        self._found: dict[Query, tuple[int, list[Any]]] = {}
        self._answers = 0

    # --- what every face has --------------------------------------------------------------------

    def is_write(self, request: Request) -> bool:
        return request.method != "GET" and not request.path.rstrip("/").endswith("/query")

    def unauthorized(self, request: Request) -> Response:
        return gateway_response("3200", "Token expired", "AUTHENTICATION", 401)

    def throttled(self, request: Request, why: Throttled, *, lower_case: bool) -> Response:
        detail = "The request limit was reached. Please retry after some time."
        if lower_case:
            return gateway_response("3001", detail, "SERVICE", 429)
        body = fault_body("3001", detail, kind="SERVICE")
        return json_response({**body, "time": self._time()}, 429)

    def broken(self, request: Request) -> Response:
        fault = QuickBooksFault("10000", "An unexpected error occurred", status=500)
        return fault_response(fault, self._time())

    def dressed(self, request: Request, answer: Response) -> Response:
        self._answers += 1
        seed = f"{self._desk.company_id}|{self._answers}"
        digest = hashlib.sha256(seed.encode()).hexdigest()
        return answer.with_headers({"intuit_tid": f"1-{digest[:8]}-{digest[8:32]}"})

    def answer(self, request: Request) -> Response:
        realm, _, rest = request.path.removeprefix(self.api_prefix).partition("/")
        if realm != self._desk.company_id:
            return gateway_response("3100", "Wrong company", "AUTHORIZATION", 403)
        replayed = self._replay(request)
        if replayed is not None:
            return replayed
        try:
            answer = self._routed(request, [part for part in rest.split("/") if part])
        except QuickBooksFault as fault:
            return fault_response(fault, self._time())
        key = request.param("requestid")
        if key and self.is_write(request):
            self._replays[key] = (self._desk.clock.now(), answer)
        return answer

    def _replay(self, request: Request) -> Response | None:
        key = request.param("requestid")
        if not key or not self.is_write(request):
            return None
        if len(key) > 50:
            fault = QuickBooksFault("2050", "requestid: Max length is 50", "requestid")
            return fault_response(fault, self._time())
        at, answer = self._replays.get(key, (None, None))
        if at is None or self._desk.clock.now() - at > REPLAY_WINDOW:
            return None
        return answer

    def _routed(self, request: Request, parts: list[str]) -> Response:
        match (request.method, *parts):
            case ("GET" | "POST", "query"):
                return self._query(request)
            case ("GET", "cdc"):
                return self._changes(request)
            case ("POST", "batch"):
                return self._batch(request)
            case ("POST", "upload"):
                return self._upload(request)
            case ("POST", "invoice", key, "send"):
                kind = request.header("content-type").lower()
                if kind and "octet-stream" not in kind:
                    return text_response("Unsupported Media Type", 415)
                return self._send(request, key)
            case ("GET", "invoice", key, "pdf"):
                self._one("Invoice", key)
                return Response(headers={"Content-Type": "application/pdf"}, body=_PDF)
            case ("GET", name, key) if name in _ENTITY_OF:
                return self._read(request, _ENTITY_OF[name], key)
            case ("GET", "preferences"):
                return self._read(request, "Preferences", "")
            case ("POST", name) if _ENTITY_OF.get(name) in KIND_OF:
                return self._write(request, _ENTITY_OF[name])
        raise QuickBooksFault("500", f"Operation {request.method} {'/'.join(parts)} not supported")

    # --- reads ----------------------------------------------------------------------------------

    def _query(self, request: Request) -> Response:
        if request.method == "POST":
            if not request.header("content-type").lower().startswith("application/text"):
                return text_response("Unsupported Media Type", 415)
            text = request.body.decode("utf-8", "replace")
        else:
            text = request.param("query")
        if not text.strip():
            raise QuickBooksFault("2020", "Required parameter query is missing", "query")
        return self._envelope("QueryResponse", self._query_result(text))

    def _query_result(self, text: str) -> bytes:
        query = parse_query(text)
        if query.entity not in QUERYABLE:
            raise QuickBooksFault(
                "4001", f"QueryValidationError: Metadata not found for Entity {query.entity}"
            )
        if query.entity in ("CompanyInfo", "Preferences"):
            content = encoded(self._singleton(query.entity))
            count = 1
            return self._rows(query.entity, content, 1, count)
        rows = self._matching(query)
        if query.is_count:
            return encoded({"totalCount": len(rows)})
        first = query.start - 1
        page = rows[first : first + query.size]
        more = len(rows) > first + query.size
        if more and len(page) == query.size and self._desk.faults.strikes("page-101"):
            page = rows[first : first + query.size + 1]
        return self._rows(
            query.entity, self._renderer.page(query.entity, page), query.start, len(page)
        )

    def _rows(self, entity: str, content: bytes, start: int, count: int) -> bytes:
        if not count:
            return b"{}"
        return b'{"%s":[%s],"startPosition":%d,"maxResults":%d}' % (
            entity.encode(),
            content,
            start,
            count,
        )

    def _matching(self, query: Query) -> list[Any]:
        """All matching rows; the pages of one walk share the work while nothing changes."""
        whole = msgspec.structs.replace(query, start=1, size=1, is_count=False)
        kept = self._found.get(whole)
        if kept is not None and kept[0] == self._ledger.changes:
            return kept[1]
        rows = self._all(query.entity)
        asked = {condition.field.lower() for condition in query.conditions}
        if query.entity in _ACTIVE_ONLY and "active" not in asked:
            rows = [row for row in rows if row.is_active]
        found = select_rows(query, rows, QUERYABLE[query.entity])
        if len(self._found) > 16:
            self._found.clear()
        self._found[whole] = (self._ledger.changes, found)
        return found

    def _all(self, entity: str) -> list[Any]:
        tables: dict[str, Callable[[], list[Any]]] = {
            "Invoice": lambda: list(self._ledger.invoices.values()),
            "Payment": lambda: list(self._renderer.payments()),
            "CreditMemo": lambda: list(self._ledger.credits.values()),
            "Customer": lambda: list(self._ledger.customers.values()),
            "Attachable": lambda: list(self._ledger.notes.values()),
        }
        if entity in tables:
            return tables[entity]()
        return list(self._lists.rows(entity))

    def _one(self, entity: str, key: str) -> Row:
        found: Row | None = None
        if entity == "Payment":
            found = self._renderer.payment(key)
        elif entity in KIND_OF:
            found = self._ledger.row(KIND_OF[entity], key)
        else:
            found = next((row for row in self._lists.rows(entity) if row.id == key), None)
        if found is None:
            raise QuickBooksFault("610", f"Object Not Found : {entity} {key}")
        return found

    def _singleton(self, entity: str) -> dict[str, Any]:
        if entity == "CompanyInfo":
            return self._lists.company_info(self._ledger, self._desk.company_id)
        return self._lists.preferences(self._ledger, self._ledger.locked_through)

    def _read(self, request: Request, entity: str, key: str) -> Response:
        if entity in ("CompanyInfo", "Preferences"):
            if entity == "CompanyInfo" and key != self._desk.company_id:
                raise QuickBooksFault("610", f"Object Not Found : {entity} {key}")
            return self._envelope(entity, encoded(self._singleton(entity)))
        row = self._one(entity, key)
        if isinstance(row, InvoiceRow) and row.email and request.param("include") == "invoiceLink":
            shown = self._renderer.shown(entity, row)
            shown["InvoiceLink"] = f"https://pay.example/invoice/{row.id}"
            return self._envelope(entity, encoded(shown))
        return self._envelope(entity, self._renderer.row(entity, row))

    def _changes(self, request: Request) -> Response:
        try:
            since = datetime.fromisoformat(request.param("changedSince"))
        except ValueError:
            raise QuickBooksFault("2010", "changedSince is not a time", "changedSince") from None
        if since.tzinfo is None:
            since = since.replace(tzinfo=self._ledger.zone)
        if self._desk.clock.now() - since > LOOK_BACK:
            raise QuickBooksFault("2010", "changedSince is more than 30 days ago", "changedSince")
        parts: list[bytes] = []
        left = CDC_LIMIT
        for entity in request.param("entities").split(","):
            if entity.strip() not in KIND_OF:
                raise QuickBooksFault("2010", f"entities: {entity} is not known", "entities")
            shown = self._changed(entity.strip(), since)[:left]
            left -= len(shown)
            parts.append(self._rows(entity.strip(), b",".join(shown), 1, len(shown)))
        body = b'[{"QueryResponse":[%s]}]' % b",".join(parts)
        return self._envelope("CDCResponse", body)

    def _changed(self, entity: str, since: datetime) -> list[bytes]:
        rows = [row for row in self._all(entity) if row.updated_at >= since]
        rows.sort(key=lambda row: (row.updated_at, int(row.id)))
        shown = [self._renderer.row(entity, row) for row in rows]
        kind = KIND_OF[entity]
        for gone in self._ledger.deletions:
            if gone.kind == kind and gone.at >= since:
                shown.append(encoded({"domain": "QBO", "status": "Deleted", "Id": gone.id}))
        return shown

    # --- writes ---------------------------------------------------------------------------------

    def _write(self, request: Request, entity: str) -> Response:
        if "json" not in request.header("content-type").lower():
            return text_response("Unsupported Media Type", 415)
        try:
            body = request.json()
        except ValueError as trouble:
            raise QuickBooksFault("2010", f"The body is not JSON: {trouble}") from None
        operation = request.param("operation")
        if request.param("include") == "void":
            operation = "void"
        allow = "allowduplicatedocnum" in request.param("include").split(",")
        return self._envelope(entity, self._done(entity, operation, body, allow))

    def _done(self, entity: str, operation: str, body: Any, allow_duplicate: bool) -> bytes:
        if not isinstance(body, dict):
            raise QuickBooksFault("2010", f"The body is no {entity}")
        if operation == "delete":
            key = self._writer.delete(entity, body)
            return encoded({"domain": "QBO", "status": "Deleted", "Id": key})
        if operation == "void":
            row = self._writer.void(entity, body)
        elif operation in ("", "create", "update"):
            row = self._writer.save(entity, body, allow_duplicate=allow_duplicate)
        else:
            raise QuickBooksFault("500", f"Operation {operation} is not supported")
        return self._renderer.row(entity, row)

    def _upload(self, request: Request) -> Response:
        """Files, each with its record; a refused one is told of under the status 200."""
        shown: list[bytes] = []
        for record, content in uploads(request):
            try:
                row = self._writer.attach(record, content)
                shown.append(b'{"Attachable":%s}' % self._renderer.row("Attachable", row))
            except QuickBooksFault as fault:
                shown.append(encoded(fault.body()))
        return self._envelope("AttachableResponse", b"[%s]" % b",".join(shown))

    def _batch(self, request: Request) -> Response:
        try:
            items = request.json()["BatchItemRequest"]
        except (ValueError, KeyError, TypeError):
            raise QuickBooksFault("2010", "BatchItemRequest is missing") from None
        if len(items) > BATCH_LIMIT:
            raise QuickBooksFault("6000", f"A batch holds at most {BATCH_LIMIT} items")
        answers = [self._batch_item(item) for item in items]
        return self._envelope("BatchItemResponse", b"[" + b",".join(answers) + b"]")

    def _batch_item(self, item: dict[str, Any]) -> bytes:
        name = encoded(str(item.get("bId", "")))
        try:
            if "Query" in item:
                result = self._query_result(str(item["Query"]))
                return b'{"QueryResponse":%s,"bId":%s}' % (result, name)
            entity = next((key for key in item if key in KIND_OF), "")
            if not entity:
                raise QuickBooksFault("500", "The batch item names no entity")
            done = self._done(entity, str(item.get("operation", "")), item[entity], False)
            return b'{"%s":%s,"bId":%s}' % (entity.encode(), done, name)
        except QuickBooksFault as fault:
            return encoded({**fault.body(), "bId": item.get("bId", "")})

    def _send(self, request: Request, key: str) -> Response:
        row = self._one("Invoice", key)
        assert isinstance(row, InvoiceRow)
        to = request.param("sendTo") or row.email
        if not to:
            raise QuickBooksFault("2020", "Required parameter BillEmail is missing", "BillEmail")
        if "@" not in to:
            raise QuickBooksFault("2210", f"Email Address does not conform: {to}", "sendTo")
        self._ledger.add_mail(key, to)
        delivered = {"DeliveryType": "Email", "DeliveryTime": self._time()}
        sent = self._ledger.change(
            "invoice", key, sent=True, email=to, extra={**row.extra, "DeliveryInfo": delivered}
        )
        return self._envelope("Invoice", self._renderer.row("Invoice", sent))

    # --- envelope -------------------------------------------------------------------------------

    def _time(self) -> str:
        return self._renderer.time(self._desk.clock.now())

    def _envelope(self, name: str, content: bytes) -> Response:
        body = b'{"%s":%s,"time":"%s"}' % (name.encode(), content, self._time().encode())
        return Response(headers={"Content-Type": "application/json;charset=UTF-8"}, body=body)
