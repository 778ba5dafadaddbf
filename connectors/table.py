"""Every connector by name. A new one is a line here, or an entry point from outside.

The modules named are imported when a book of that ledger is opened and not before: no vendor's
library is loaded for the other vendor's book.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

import httpx
import msgspec

from connectors.allowance import BudgetState
from connectors.oauth2 import OAuthApp, TokenVault
from connectors.port import Clock, Connector

ENTRY_POINTS: Final = "ar_bridge.connectors"
"""Group in which an installed package offers `name = module:factory`."""

CONSENT_ENTRY_POINTS: Final = "ar_bridge.consents"
"""Group in which it offers `name = module:CONSENT`, a `Consent`, where a person has to connect
the book."""


class BookConnection(msgspec.Struct, frozen=True, kw_only=True):
    """What a factory needs to open one book. A connector ignores what it has no use for.

    Empty addresses mean the vendor's own.
    """

    company_id: str = ""
    """Realm (QuickBooks) or tenant (Xero)."""
    clock: Clock
    vault: TokenVault | None = None
    client_id: str = ""
    client_secret: str = ""
    grant: Literal["authorization_code", "client_credentials"] = "authorization_code"
    """client_credentials: a custom connection, let in by the application's own id and secret."""
    api_url: str = ""
    authorize_url: str = ""
    token_url: str = ""
    connections_url: str = ""
    revoke_url: str = ""
    fee_account: str = ""
    fee_tax: str = ""
    base_currency: str = ""
    """As known from the last look at the company: it saves asking for it again."""
    file: Path | None = None
    """The book itself, for a book file."""
    inner: httpx.BaseTransport | None = None
    """Answers in-process instead of a socket."""
    log: Any = None
    on_call: Callable[[str], None] = lambda sort: None
    """Told of every request to the vendor: "read", "write", and "throttled" of a refused one."""
    budget: BudgetState | None = None
    """Where the use of the book's call allowance is kept, shared by all who call the vendor for
    it; None keeps it in memory."""

    def __repr__(self) -> str:
        return f"BookConnection(company_id={self.company_id!r}, api_url={self.api_url!r})"


Factory: TypeAlias = Callable[[BookConnection], Connector]


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """How books of one ledger are connected, and how that ends."""

    app: Callable[[BookConnection], OAuthApp]
    """The application that the company registered with the vendor."""
    companies: Callable[[BookConnection], Mapping[str, str]] | None = None
    """Companies that a fresh consent covers, id to name, where the redirect does not name the
    one company. The connection's vault holds the new tokens."""
    end: Callable[[BookConnection], None] | None = None
    """Takes this one company out of the consent on the vendor's side, before tokens are given
    back. Raises ConnectorError."""
    purposes: Mapping[str, str] = {}
    """Scope to what does not work without it."""
    needed: frozenset[str] = frozenset()
    """Scopes without which no run comes to its end."""


CONNECTORS: Final[dict[str, str]] = {
    "bookfile": "connectors.bookfile:open_connector",
    "quickbooks": "connectors.quickbooks.opening:open_connector",
    "xero": "connectors.xero.opening:open_connector",
}

CONSENTS: Final[dict[str, str]] = {
    "quickbooks": "connectors.quickbooks.opening:CONSENT",
    "xero": "connectors.xero.opening:CONSENT",
}
"""Ledgers that a person has to connect in a browser, or by the application's own credentials."""


class UnknownLedgerError(LookupError):
    """No connector has that name."""


def known_ledgers() -> tuple[str, ...]:
    """Names of every connector: those of the table and those that installed packages offer."""
    return tuple(sorted({*CONNECTORS, *entry_points(group=ENTRY_POINTS).names}))


def connector_factory(ledger: str) -> Factory:
    """The factory of a ledger, imported now. Raises UnknownLedgerError, naming those there are."""
    if ledger in CONNECTORS:
        return cast(Factory, _imported(CONNECTORS[ledger]))
    from_outside = entry_points(group=ENTRY_POINTS)
    if ledger in from_outside.names:
        return cast(Factory, from_outside[ledger].load())
    known = ", ".join(known_ledgers())
    raise UnknownLedgerError(f"there is no connector {ledger!r}; there are: {known}")


def open_connector(ledger: str, connection: BookConnection) -> Connector:
    """Open one book. Raises UnknownLedgerError, InsecureAddressError or AuthorizationError."""
    return connector_factory(ledger)(connection)


def consent_of(ledger: str) -> Consent | None:
    """How this ledger is connected; None where there is nothing to connect."""
    if ledger in CONSENTS:
        return cast(Consent, _imported(CONSENTS[ledger]))
    if ledger in CONNECTORS:
        return None
    from_outside = entry_points(group=CONSENT_ENTRY_POINTS)
    if ledger in from_outside.names:
        return cast(Consent, from_outside[ledger].load())
    return None


def oauth_app(ledger: str, connection: BookConnection) -> OAuthApp | None:
    """The application through which this book is connected; None where there is nothing to
    connect."""
    consent = consent_of(ledger)
    return consent.app(connection) if consent is not None else None


def company_choices(ledger: str, connection: BookConnection) -> dict[str, str]:
    """Companies that a fresh consent covers, id to name; empty where the ledger does not tell."""
    consent = consent_of(ledger)
    if consent is None or consent.companies is None:
        return {}
    return dict(consent.companies(connection))


def _imported(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
