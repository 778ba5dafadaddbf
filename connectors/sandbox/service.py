"""The sandbox as one thing: a book, a clock, a vendor's face, faults, and a way to reach it.

sandbox = Sandbox(events, ledger="quickbooks", clock=clock)
running = sandbox.serve()                            # a real socket on the loopback
client = httpx.Client(transport=sandbox.transport()) # or none at all
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from connectors.port import Clock
from connectors.sandbox.bookevents import read_facts
from connectors.sandbox.face import REFUSALS, Desk, Face, Setup
from connectors.sandbox.faults import FaultPlan, parse_faults
from connectors.sandbox.http import ConnectionDropped, Request, Response, text_response
from connectors.sandbox.ids import QuickBooksIds, VendorIds, XeroIds, realm_from, uuid_from
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.limits import Throttled
from connectors.sandbox.oauth import QUICKBOOKS_TERMS, XERO_TERMS, OAuth, OAuthTerms
from connectors.sandbox.records import Records, Stats, records_of
from connectors.sandbox.server import InProcess, SandboxServer, wait

LedgerName: TypeAlias = Literal["quickbooks", "xero"]

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from vendor to vendor outside its face."""

    company_id: Callable[[str], str]
    ids: Callable[[str], VendorIds]
    number_limit: int
    keeps_deleted: bool
    terms: OAuthTerms
    face: Callable[[Desk], Face]
    api_path: str


def _quickbooks_face(desk: Desk) -> Face:
    from connectors.sandbox.quickbooks import QuickBooksFace

    return QuickBooksFace(desk)


def _xero_face(desk: Desk) -> Face:
    from connectors.sandbox.xero import XeroFace

    return XeroFace(desk)


VENDORS: Mapping[str, Vendor] = {
    "quickbooks": Vendor(
        company_id=realm_from,
        ids=lambda company: QuickBooksIds(),
        number_limit=21,
        keeps_deleted=False,
        terms=QUICKBOOKS_TERMS,
        face=_quickbooks_face,
        api_path="",
    ),
    "xero": Vendor(
        company_id=lambda company: uuid_from(f"tenant|{company}"),
        ids=XeroIds,
        number_limit=255,
        keeps_deleted=True,
        terms=XERO_TERMS,
        face=_xero_face,
        api_path="/api.xro/2.0",
    ),
}


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where a client finds what, in the order in which a book's configuration names them."""

    api_url: str
    """In place of https://quickbooks.api.intuit.com or https://api.xero.com/api.xro/2.0."""
    authorize_url: str
    token_url: str
    revoke_url: str
    connections_url: str
    """Xero only; empty for QuickBooks."""


class Running(Addresses, frozen=True, kw_only=True):
    """A sandbox behind a socket."""

    base_url: str
    server: SandboxServer

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self.server.close()


class Sandbox:
    """One company's ledger behind one vendor's API.

    `events` are the dicts of a book file. Raises FaultOrderError for faults that do not exist,
    KeyError for an unknown ledger and ZoneInfoNotFoundError for an unknown time zone.
    """

    def __init__(
        self,
        events: Iterable[Mapping[str, Any]],
        *,
        ledger: LedgerName,
        clock: Clock,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        company_id: str | None = None,
        setup: Setup | None = None,
        faults: Sequence[str] = (),
    ) -> None:
        vendor = VENDORS[ledger]
        facts = read_facts(events)
        self.ledger_name: str = ledger
        self.problems = facts.problems
        """Events of the book that the ledger could not take, in sentences."""
        self.company_id = company_id or vendor.company_id(facts.company.id)
        self.client_id = client_id
        self.client_secret = client_secret
        self.faults = FaultPlan(parse_faults(faults))
        self._vendor = vendor
        self._clock = clock
        self._ledger = Ledger(
            facts,
            vendor.ids(self.company_id),
            number_limit=vendor.number_limit,
            keeps_deleted=vendor.keeps_deleted,
        )
        self.oauth = OAuth(
            vendor.terms,
            clock=clock,
            faults=self.faults,
            client_id=client_id,
            client_secret=client_secret,
            company_id=self.company_id,
            company_name=facts.company.name,
        )
        self.face = vendor.face(
            Desk(
                company_id=self.company_id,
                ledger=self._ledger,
                clock=clock,
                faults=self.faults,
                oauth=self.oauth,
                setup=setup or Setup(),
            )
        )
        self._books = threading.RLock()
        self._door = threading.Lock()
        self._counts = dict.fromkeys(("reads", "writes", "throttled", "unauthorized", "tokens"), 0)

    # --- ways in ------------------------------------------------------------------------------

    def serve(self, port: int = 0) -> Running:
        """Listen on 127.0.0.1. Raises OSError where the port is taken."""
        server = SandboxServer(self.handle, port)
        found = self.addresses(server.base_url)
        return Running(base_url=server.base_url, server=server, **msgspec.structs.asdict(found))

    def transport(self) -> InProcess:
        """The same service without a socket; any host name will do."""
        return InProcess(self.handle)

    def addresses(self, base_url: str = "https://sandbox.example") -> Addresses:
        """The addresses below a base, for the transport as for a socket."""
        terms = self._vendor.terms
        connections = terms.connections_path
        return Addresses(
            api_url=base_url + self._vendor.api_path,
            authorize_url=base_url + terms.authorize_path,
            token_url=base_url + terms.token_path,
            revoke_url=base_url + terms.revoke_path,
            connections_url=base_url + connections if connections else "",
        )

    def order(self, fault: str) -> None:
        """One more fault from now on, as `NAME=VALUE`. Raises FaultOrderError."""
        for order in parse_faults([fault]):
            self.faults.order(order)

    # --- looking behind the counter -----------------------------------------------------------

    @property
    def ledger(self) -> Ledger:
        """The books as of now."""
        with self._books:
            self._ledger.advance(self._clock.now())
            return self._ledger

    def records(self) -> Records:
        """What the client left in the ledger."""
        with self._books:
            return records_of(self.ledger)

    def stats(self) -> Stats:
        with self._door:
            return Stats(faults=self.faults.snapshot(), **self._counts)

    def vendor_id(self, kind: str, book_id: str) -> str:
        """The vendor's id of something in the book file: kind is customer, invoice, payment or
        credit_note."""
        return self._ledger.ids.of_book(kind, book_id)

    def book_id(self, kind: str, vendor_id: str) -> str | None:
        """The book file's id of something; None for what the client wrote."""
        return self._ledger.ids.book_id(kind, vendor_id)

    # --- one request --------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer one request. Raises ConnectionDropped or TimeoutError where a fault says so."""
        if self.faults.strikes("unreachable"):
            raise ConnectionDropped(before_request=True)
        if self.faults.strikes("down"):
            page = "<html><head><title>503</title></head><body>Service Unavailable</body></html>"
            return text_response(page, 503, "text/html")
        with self._books:
            answer = self.oauth.answer(request)
        if answer is not None:
            self._count("tokens")
            return answer
        if not request.path.startswith(self.face.api_prefix):
            return text_response("Not found", 404)
        with self._books:
            self._ledger.locked_through = self.faults.closed_through
            self._ledger.advance(self._clock.now())
        return self.face.dressed(request, self._let_in(request))

    def _let_in(self, request: Request) -> Response:
        is_write = self.face.is_write(request)
        self._count("writes" if is_write else "reads")
        if self.faults.strikes("throttle-next"):
            struck = self.faults.fired["throttle-next"]
            return self._throttled(request, Throttled("minute", 60), lower_case=struck % 2 == 0)
        if self.faults.strikes("token-revoked"):
            self.oauth.disconnect()
        for name in REFUSALS:
            if self.faults.strikes(name):
                return self._turned_away(request, name)
        if self.faults.strikes("unauthorized") or not self.oauth.is_valid(request):
            self._count("unauthorized")
            return self.face.unauthorized(request)
        with self._door:
            refusal = self.face.limits.enter(is_batch=self.face.is_batch(request))
        if refusal is not None:
            return self._throttled(request, refusal, lower_case=False)
        try:
            if self.faults.slow_seconds:
                wait(self._clock, self.faults.slow_seconds, request)
            return self._answer(request, is_write)
        finally:
            with self._door:
                self.face.limits.leave()

    def _answer(self, request: Request, is_write: bool) -> Response:
        if self.faults.strikes("http-500"):
            return self.face.broken(request)
        if is_write and self.faults.strikes("drop-before-commit"):
            raise ConnectionDropped
        with self._books:
            answer = self.face.answer(request)
        if is_write and answer.status < 400:
            if self.faults.strikes("drop-after-commit"):
                raise ConnectionDropped
            if self.faults.strikes("http-500-after-commit"):
                return self.face.broken(request)
        return answer

    def _turned_away(self, request: Request, fault: str) -> Response:
        answer = self.face.refused(request, fault)
        if answer.status == 429:
            self._count("throttled")
        return answer

    def _throttled(self, request: Request, why: Throttled, *, lower_case: bool) -> Response:
        self._count("throttled")
        return self.face.throttled(request, why, lower_case=lower_case)

    def _count(self, what: str) -> None:
        with self._door:
            self._counts[what] += 1
