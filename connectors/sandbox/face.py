"""What a vendor's face has to provide, and what it finds to work with."""

from typing import Protocol

import msgspec

from connectors.port import Clock
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import Request, Response
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.limits import RateLimits, Throttled
from connectors.sandbox.oauth import OAuth


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """The company's own set-up for late fees: present by default, left out to rehearse its lack."""

    fee_item: str = "Late fee"
    """QuickBooks: name of a Service item; empty: there is none."""
    fee_account: str = "Late fee income"
    """Name of the income account behind it."""
    fee_account_code: str = "270"
    """Xero: code of that account."""
    warns_of_duplicate_numbers: bool = True
    """QuickBooks refuses a number that exists only where the company warns about it."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a face works with."""

    company_id: str
    """Realm or tenant id."""
    ledger: Ledger
    clock: Clock
    faults: FaultPlan
    oauth: OAuth
    setup: Setup


class Face(Protocol):
    """One vendor's HTTP API over the ledger. Called with the ledger up to date, one at a time."""

    @property
    def api_prefix(self) -> str:
        """Path below which its addresses lie, such as `/v3/company/`."""
        ...

    @property
    def limits(self) -> RateLimits: ...

    def is_write(self, request: Request) -> bool:
        """Whether the request changes books (a query by POST does not)."""
        ...

    def answer(self, request: Request) -> Response:
        """The vendor's answer to a request that is let in."""
        ...

    def unauthorized(self, request: Request) -> Response:
        """The bearer token is missing, unknown or over."""
        ...

    def throttled(self, request: Request, why: Throttled, *, lower_case: bool) -> Response:
        """HTTP 429. `lower_case` asks for the gateway's spelling where the vendor has two."""
        ...

    def broken(self, request: Request) -> Response:
        """HTTP 500."""
        ...

    def dressed(self, request: Request, answer: Response) -> Response:
        """The headers that go with every answer."""
        ...
