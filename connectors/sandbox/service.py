"""The sandbox as one thing: a book, a clock, a vendor's face, faults, and a way to reach it.

sandbox = Sandbox(events, ledger="quickbooks", clock=clock)
running = sandbox.serve()                            # a real socket on the loopback
client = httpx.Client(transport=sandbox.transport()) # or none at all
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from connectors.port import Clock
from connectors.sandbox.bookevents import read_facts
from connectors.sandbox.books import Books
from connectors.sandbox.door import Door
from connectors.sandbox.face import Desk, Face, Setup
from connectors.sandbox.faults import FaultPlan, parse_faults
from connectors.sandbox.http import Request, Response
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.oauth import OAuth
from connectors.sandbox.people import People
from connectors.sandbox.records import Records, Stats, records_of
from connectors.sandbox.server import InProcess, SandboxServer
from connectors.sandbox.vendors import VENDORS, LedgerName
from connectors.sandbox.webhooks import Courier, Delivery, Hook, Post, Webhooks

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"


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
    courier: Courier | None = None

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self.server.close()
        if self.courier is not None:
            self.courier.close()


class Sandbox:
    """One company's ledger behind one vendor's API.

    `events` are the dicts of a book file. `people` is who works in it beside the client.
    `webhook` is told of every change from the start on; `post` sends in place of HTTP.
    `other_companies` are organisations without documents that a Xero token reaches as well.

    Raises FaultOrderError for faults that do not exist,
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
        webhook: Hook | None = None,
        post: Post | None = None,
        other_companies: Sequence[str] = (),
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
        self._setup = setup or Setup()
        self._ledger = Ledger(
            facts,
            vendor.ids(self.company_id),
            number_limit=vendor.number_limit,
            keeps_deleted=vendor.keeps_deleted,
        )
        tenants = {vendor.company_id(name): name for name in other_companies}
        self.oauth = OAuth(
            vendor.terms,
            clock=clock,
            faults=self.faults,
            client_id=client_id,
            client_secret=client_secret,
            company_id=self.company_id,
            company_name=facts.company.name,
            others=tenants,
        )
        self.face = vendor.face(self._desk(self.company_id, self._ledger))
        self._books = Books(self._ledger, clock=clock, faults=self.faults)
        self.people = People(self._ledger, self._books)
        others = {key: self._empty(key, name) for key, name in tenants.items()}
        self._door = Door(self.face, self._books, self.oauth, self.faults, clock, others)
        self.webhooks: Webhooks | None = None
        if webhook is not None:
            wording = vendor.wording(webhook, self.company_id, self._ledger)
            self.webhooks = Webhooks(webhook, wording, clock=clock, faults=self.faults, post=post)
            self._books.tell(self.webhooks)

    def _desk(self, company_id: str, ledger: Ledger) -> Desk:
        return Desk(
            company_id=company_id,
            ledger=ledger,
            clock=self._clock,
            faults=self.faults,
            oauth=self.oauth,
            setup=self._setup,
        )

    def _empty(self, company_id: str, name: str) -> Face:
        """An organisation that has nothing but a name."""
        company = {"t": "company", "id": name, "name": name}
        ledger = Ledger(read_facts([company]), self._vendor.ids(company_id))
        ledger.advance(self._clock.now())
        return self._vendor.face(self._desk(company_id, ledger))

    # --- ways in ------------------------------------------------------------------------------

    def serve(self, port: int = 0) -> Running:
        """Listen on 127.0.0.1. Raises OSError where the port is taken."""
        server = SandboxServer(self.handle, port)
        found = msgspec.structs.asdict(self.addresses(server.base_url))
        courier = Courier(self.webhooks, lambda: self.ledger) if self.webhooks else None
        return Running(base_url=server.base_url, server=server, courier=courier, **found)

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
        with self._books as ledger:
            return ledger

    def records(self) -> Records:
        """What the client left in the ledger."""
        with self._books as ledger:
            return records_of(ledger)

    def deliveries(self) -> tuple[Delivery, ...]:
        """Every webhook message so far, sent or not."""
        self._told()
        return self.webhooks.deliveries() if self.webhooks is not None else ()

    def deliver(self) -> int:
        """Send the webhook messages that are due now, where no socket does; how many attempts."""
        self._told()
        return self.webhooks.send() if self.webhooks is not None else 0

    def _told(self) -> None:
        """What time has brought since is told too."""
        with self._books:
            pass

    def stats(self) -> Stats:
        """Traffic so far."""
        return self._door.stats()

    def vendor_id(self, kind: str, book_id: str) -> str:
        """The vendor's id of something in the book file: kind is customer, invoice, payment,
        credit_note or estimate."""
        return self._ledger.ids.of_book(kind, book_id)

    def book_id(self, kind: str, vendor_id: str) -> str | None:
        """The book file's id of something; None for what the client wrote."""
        return self._ledger.ids.book_id(kind, vendor_id)

    def handle(self, request: Request) -> Response:
        """Answer one request. Raises ConnectionDropped or TimeoutError where a fault says so."""
        return self._door.handle(request)
