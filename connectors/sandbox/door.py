"""The way of one request through the sandbox: troubles, limits, tokens, and at last the books."""

import threading
from collections.abc import Mapping
from typing import Final

import msgspec

from connectors.port import Clock
from connectors.sandbox.books import Books
from connectors.sandbox.face import REFUSALS, Face
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import ConnectionDropped, Request, Response, text_response
from connectors.sandbox.limits import Throttled
from connectors.sandbox.oauth import OAuth
from connectors.sandbox.records import Stats
from connectors.sandbox.server import wait

_COUNTED: Final = ("reads", "writes", "throttled", "unauthorized", "tokens")


class Door:
    """Lets requests in. `others` are further organisations of the same token, by tenant id."""

    def __init__(
        self,
        face: Face,
        books: Books,
        oauth: OAuth,
        faults: FaultPlan,
        clock: Clock,
        others: Mapping[str, Face],
    ) -> None:
        self._face = face
        self._others = others
        self._books = books
        self._oauth = oauth
        self._faults = faults
        self._clock = clock
        self._guard = threading.Lock()
        self._counts = dict.fromkeys(_COUNTED, 0)

    def stats(self) -> Stats:
        """Traffic so far."""
        with self._guard:
            return Stats(faults=self._faults.snapshot(), **self._counts)

    def handle(self, request: Request) -> Response:
        """Answer one request. Raises ConnectionDropped or TimeoutError where a fault says so."""
        faults = self._faults
        if faults.strikes("unreachable"):
            raise ConnectionDropped(before_request=True)
        if faults.strikes("down"):
            return _page(503, "Service Unavailable")
        if faults.strikes("gateway-html"):
            return _page(502, "Bad Gateway")
        with self._books:
            answer = self._oauth.answer(request)
        if answer is not None:
            self._count("tokens")
            return answer
        face = self._others.get(request.header("xero-tenant-id"), self._face)
        if not request.path.startswith(face.api_prefix):
            return text_response("Not found", 404)
        return face.dressed(request, self._let_in(face, request))

    def _let_in(self, face: Face, request: Request) -> Response:
        is_write = face.is_write(request)
        self._count("writes" if is_write else "reads")
        if self._faults.strikes("throttle-next"):
            is_lower = self._faults.fired["throttle-next"] % 2 == 0
            return self._throttled(face, request, Throttled("minute", 60), is_lower)
        if self._faults.strikes("token-revoked"):
            self._oauth.disconnect()
        for name in REFUSALS:
            if self._faults.strikes(name):
                return self._turned_away(face, request, name)
        if self._faults.strikes("unauthorized") or not self._oauth.is_valid(request):
            self._count("unauthorized")
            return face.unauthorized(request)
        with self._guard:
            refusal = face.limits.enter(is_batch=face.is_batch(request))
        if refusal is not None:
            return self._throttled(face, request, refusal, False)
        try:
            if self._faults.slow_seconds:
                wait(self._clock, self._faults.slow_seconds, request)
            return self._answer(face, request, is_write)
        finally:
            with self._guard:
                face.limits.leave()

    def _answer(self, face: Face, request: Request, is_write: bool) -> Response:
        faults = self._faults
        if faults.strikes("http-500"):
            return face.broken(request)
        if is_write and faults.strikes("drop-before-commit"):
            raise ConnectionDropped
        with self._books:
            answer = face.answer(request)
        if answer.status >= 400:
            return answer
        if not is_write:
            return _cut(answer) if faults.strikes("half-answer") else answer
        if faults.strikes("drop-after-commit"):
            raise ConnectionDropped
        if faults.strikes("http-500-after-commit"):
            return face.broken(request)
        if faults.strikes("gateway-after-commit"):
            return _page(504, "Gateway Timeout")
        return _cut(answer) if faults.strikes("half-answer-after-commit") else answer

    def _turned_away(self, face: Face, request: Request, fault: str) -> Response:
        answer = face.refused(request, fault)
        if answer.status == 429:
            self._count("throttled")
        return answer

    def _throttled(self, face: Face, request: Request, why: Throttled, is_lower: bool) -> Response:
        self._count("throttled")
        return face.throttled(request, why, lower_case=is_lower)

    def _count(self, what: str) -> None:
        with self._guard:
            self._counts[what] += 1


def _page(status: int, text: str) -> Response:
    page = f"<html><head><title>{status}</title></head><body>{text}</body></html>"
    return text_response(page, status, "text/html")


def _cut(answer: Response) -> Response:
    return msgspec.structs.replace(answer, is_cut=True)
