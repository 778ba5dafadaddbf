"""What a vendor's face has to provide, and what it finds to work with."""

from typing import Final, Protocol

import msgspec

from connectors.port import Clock
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import Request, Response
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.limits import RateLimits, Throttled
from connectors.sandbox.oauth import OAuth

REFUSALS: Final = (
    "no-access",
    "wrong-company",
    "subscription-ended",
    "day-limit",
    "throttle-concurrent",
    "throttle-app",
    "throttle-other-status",
)
"""Faults that turn a request away before it is looked at."""

PLANS: Final = (
    "DEMO", "TRIAL", "STARTER", "STANDARD", "PREMIUM", "PREMIUM_20", "PREMIUM_50", "PREMIUM_100",
    "LEDGER", "GST_CASHBOOK", "NON_GST_CASHBOOK", "ULTIMATE", "LITE", "ULTIMATE_10", "ULTIMATE_20",
    "ULTIMATE_50", "ULTIMATE_100", "IGNITE", "GROW", "COMPREHENSIVE", "SIMPLE", "BASICLITE",
    "ULTRA",
)  # fmt: skip
"""What Xero's contract lists as an organisation's Class."""


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
    takes_online_payments: bool = True
    """QuickBooks: invoices have a link where the customer can pay."""
    sends_reminders: bool = False
    """Xero: the organisation's own reminders are on."""
    customer_types: tuple[str, ...] = ()
    """QuickBooks: customer types besides those that customers of the book have."""
    denied_actions: tuple[str, ...] = ()
    """Xero: what the token may not do, such as CreateApprovedInvoice."""
    plan: str = "PREMIUM"
    """Xero: the organisation's Class, such as STARTER, IGNITE or PREMIUM."""
    invoices_a_month: int | None = None
    """Xero: sales invoices that can be approved in a month; None: as the plan has it."""
    calls_a_day: int = 5_000
    """Xero: 1,000 on the starter tier of the app, 5,000 above."""
    mails_a_day: int | None = None
    """Mails that the ledger sends for a client in a day (40 in Intuit's own sandbox)."""

    @property
    def approvals(self) -> int | None:
        """Sales invoices that can be approved in a month; None: any number."""
        if self.invoices_a_month is not None:
            return self.invoices_a_month
        return 20 if self.plan in ("STARTER", "IGNITE") else None


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a face works with."""

    company_id: str
    """Realm or tenant id."""
    ledger: Ledger
    clock: Clock
    faults: FaultPlan
    oauth: OAuth
    setup: Setup

    def mails_left(self) -> int:
        """Mails that the ledger still sends today."""
        if self.setup.mails_a_day is None:
            return 1
        zone, today = self.ledger.zone, self.ledger.today
        sent = sum(mail.at.astimezone(zone).date() == today for mail in self.ledger.mails)
        return self.setup.mails_a_day - sent


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

    def is_batch(self, request: Request) -> bool:
        """Whether the request carries several writes and counts as such."""
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

    def refused(self, request: Request, fault: str) -> Response:
        """One of `REFUSALS`."""
        ...

    def broken(self, request: Request) -> Response:
        """HTTP 500."""
        ...

    def dressed(self, request: Request, answer: Response) -> Response:
        """The headers that go with every answer."""
        ...
