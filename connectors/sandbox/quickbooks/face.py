"""The QuickBooks Online face of the sandbox: addresses, answers and replay of `requestid`."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.face import Desk
from connectors.sandbox.http import Request, Response, encoded, json_response, text_response
from connectors.sandbox.limits import QuickBooksLimits, Throttled
from connectors.sandbox.quickbooks.batching import Batches, asks_only, check_key
from connectors.sandbox.quickbooks.bodies import KIND_OF
from connectors.sandbox.quickbooks.changes import Changes
from connectors.sandbox.quickbooks.faults import (
    QuickBooksFault,
    fault_body,
    fault_response,
    gateway_response,
)
from connectors.sandbox.quickbooks.fields import QUERYABLE
from connectors.sandbox.quickbooks.reading import Reader
from connectors.sandbox.quickbooks.render import Renderer
from connectors.sandbox.quickbooks.setup import CompanyLists
from connectors.sandbox.quickbooks.uploads import uploads
from connectors.sandbox.quickbooks.write import Writer
from connectors.sandbox.rows import InvoiceRow

REPLAY_WINDOW = timedelta(hours=1)
"""How long a `requestid` is remembered. Intuit documents no figure: do not lean on this one."""

# One page, nothing on it: enough for a client that attaches or stores the file.
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)

_ENTITY_OF = {name.lower(): name for name in QUERYABLE}


class QuickBooksFace:
    """Answers `/v3/company/<realm>/...` over the ledger of a desk."""

    api_prefix = "/v3/company/"

    def __init__(self, desk: Desk) -> None:
        self.limits = QuickBooksLimits(desk.clock)
        self._desk = desk
        self._ledger = desk.ledger
        self._lists = CompanyLists(desk.ledger, desk.setup)
        self._renderer = Renderer(
            desk.ledger,
            self._lists,
            desk.faults,
            takes_online_payments=desk.setup.takes_online_payments,
        )
        self._writer = Writer(desk, self._lists)
        self._reader = Reader(desk, self._lists, self._renderer)
        self._changes = Changes(desk, self._reader, self._renderer)
        self._batches = Batches(self._reader.query, self._done, desk.faults)
        self._replays: dict[str, tuple[datetime, Response]] = {}
        self._answers = 0

    # --- what every face has --------------------------------------------------------------------

    def is_write(self, request: Request) -> bool:
        if request.method == "GET" or request.path.rstrip("/").endswith("/query"):
            return False
        return not (self.is_batch(request) and asks_only(request))

    def is_batch(self, request: Request) -> bool:
        return request.path.rstrip("/").endswith("/batch")

    def unauthorized(self, request: Request) -> Response:
        return gateway_response("3200", "Token expired", "AUTHENTICATION", 401)

    def throttled(self, request: Request, why: Throttled, *, lower_case: bool) -> Response:
        detail = "The request limit was reached. Please retry after some time."
        if lower_case:
            return gateway_response("3001", detail, "SERVICE", 429)
        body = fault_body("3001", detail, kind="SERVICE")
        return json_response({**body, "time": self._time()}, 429)

    def refused(self, request: Request, fault: str) -> Response:
        if fault == "no-access":
            detail = "AuthorizationFailure: the user who connected has no access any more"
            return fault_response(
                QuickBooksFault("120", detail, status=401), self._time(), "AuthenticationFault"
            )
        if fault == "wrong-company":
            return gateway_response("3100", "Wrong company", "AUTHORIZATION", 403)
        if fault == "subscription-ended":
            return fault_response(
                QuickBooksFault("6190", "Subscription period has ended or canceled"), self._time()
            )
        detail = "The request limit was reached. Please retry after some time."
        if fault == "throttle-other-status":
            return fault_response(QuickBooksFault("3001", detail), self._time(), "SERVICE")
        return gateway_response("3001", detail, "SERVICE", 429)

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
        try:
            check_key(request, is_batch=self.is_batch(request))
            replayed = self._replay(request)
            if replayed is not None:
                return replayed
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
        at, answer = self._replays.get(key, (None, None))
        if at is None or self._desk.clock.now() - at > REPLAY_WINDOW:
            return None
        return None if self._desk.faults.strikes("key-forgotten") else answer

    def _routed(self, request: Request, parts: list[str]) -> Response:
        match (request.method, *parts):
            case ("GET" | "POST", "query"):
                return self._query(request)
            case ("GET", "cdc"):
                return self._envelope("CDCResponse", self._changes.since(request))
            case ("POST", "batch"):
                return self._envelope("BatchItemResponse", self._batches.answer(request))
            case ("POST", "upload"):
                return self._upload(request)
            case ("POST", "invoice", key, "send"):
                kind = request.header("content-type").lower()
                if kind and "octet-stream" not in kind:
                    return text_response("Unsupported Media Type", 415)
                return self._send(request, key)
            case ("GET", "invoice", key, "pdf"):
                self._reader.one("Invoice", key)
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
        return self._envelope("QueryResponse", self._reader.query(text))

    def _read(self, request: Request, entity: str, key: str) -> Response:
        if entity in ("CompanyInfo", "Preferences"):
            if entity == "CompanyInfo" and key != self._desk.company_id:
                raise QuickBooksFault("610", f"Object Not Found : {entity} {key}")
            return self._envelope(entity, encoded(self._reader.singleton(entity)))
        row = self._reader.one(entity, key)
        includes = request.param("include").split(",")
        if isinstance(row, InvoiceRow) and "invoiceLink" in includes and self._has_link(row):
            shown = self._renderer.shown(entity, row)
            shown["InvoiceLink"] = f"https://pay.example/invoice/{row.id}"
            return self._envelope(entity, encoded(shown))
        return self._envelope(entity, self._renderer.row(entity, row))

    def _has_link(self, row: InvoiceRow) -> bool:
        """A link needs an address to bill, and online payment allowed by the company."""
        return bool(row.email) and row.is_live and self._desk.setup.takes_online_payments

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

    def _done(self, entity: str, operation: str, body: Any, allow_duplicate: bool = False) -> bytes:
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

    def _send(self, request: Request, key: str) -> Response:
        row = self._reader.one("Invoice", key)
        assert isinstance(row, InvoiceRow)
        to = request.param("sendTo") or row.email
        if not to:
            raise QuickBooksFault("2020", "Required parameter BillEmail is missing", "BillEmail")
        if "@" not in to:
            raise QuickBooksFault("2210", f"Email Address does not conform: {to}", "sendTo")
        if self._desk.mails_left() <= 0:
            return self.refused(request, "mail-limit")
        self._ledger.add_mail(key, to)
        delivered = {"DeliveryType": "Email", "DeliveryTime": self._time()}
        sent = self._ledger.change(
            "invoice",
            key,
            sent=True,
            email=to,
            is_bounced=False,
            extra={**row.extra, "DeliveryInfo": delivered},
        )
        return self._envelope("Invoice", self._renderer.row("Invoice", sent))

    # --- envelope -------------------------------------------------------------------------------

    def _time(self) -> str:
        return self._renderer.time(self._desk.clock.now())

    def _envelope(self, name: str, content: bytes) -> Response:
        body = b'{"%s":%s,"time":"%s"}' % (name.encode(), content, self._time().encode())
        return Response(headers={"Content-Type": "application/json;charset=UTF-8"}, body=body)
