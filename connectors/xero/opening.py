"""Opening a Xero book: addresses, permissions, allowance, token, connector."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from connectors.budget import RateBudget
from connectors.errors import AuthorizationError
from connectors.oauth2 import OAuthApp
from connectors.table import BookConnection, Consent
from connectors.tokens import TokenSource
from connectors.transport import Transport, open_client
from connectors.xero.faults import CONCURRENT, DIALECT, check_answer, windows
from connectors.xero.permissions import NEEDED, PURPOSES, SCOPES

if TYPE_CHECKING:
    from connectors.xero.client import XeroConnector

API_URL: Final = "https://api.xero.com/api.xro/2.0"
AUTHORIZE_URL: Final = "https://login.xero.com/identity/connect/authorize"
TOKEN_URL: Final = "https://identity.xero.com/connect/token"
REVOKE_URL: Final = "https://identity.xero.com/connect/revocation"
CONNECTIONS_URL: Final = "https://api.xero.com/connections"


class Tenant(msgspec.Struct, frozen=True):
    """An organisation that the person who connected has opened to us."""

    id: str = msgspec.field(name="tenantId", default="")
    name: str = msgspec.field(name="tenantName", default="")
    type: str = msgspec.field(name="tenantType", default="")
    connection: str = msgspec.field(name="id", default="")
    """What is deleted to take this organisation out of the consent."""


def oauth_app(connection: BookConnection) -> OAuthApp:
    """How a person connects this book."""
    return OAuthApp(
        client_id=connection.client_id,
        client_secret=connection.client_secret,
        authorize_url=connection.authorize_url or AUTHORIZE_URL,
        token_url=connection.token_url or TOKEN_URL,
        # Somebody else's token address has its own place for giving tokens back.
        revoke_url=connection.revoke_url or ("" if connection.token_url else REVOKE_URL),
        # Xero knows no refresh token for a custom connection and refuses to be asked for one.
        has_pkce=True,
        # Rotated at every use; unused it ends after 60 days; the one before is honoured for half
        # an hour, for a client that lost the answer.
        refresh_life=timedelta(days=60),
        refresh_grace=timedelta(minutes=30),
        scopes=SCOPES if _is_custom(connection) else (*SCOPES, "offline_access"),
    )


def open_connector(connection: BookConnection) -> "XeroConnector":
    """Open the book. Raises AuthorizationError where it was never connected."""
    # Imported now: xero-python is loaded with a Xero book and not with the command line.
    from connectors.xero.client import XeroConnector

    transport, http = _transport(connection, connection.api_url or API_URL)
    return XeroConnector(
        transport,
        clock=connection.clock,
        tenant_id=connection.company_id,
        fee_account=connection.fee_account,
        fee_tax=connection.fee_tax,
        base_currency=connection.base_currency,
        on_close=http.close,
    )


def connected_tenants(connection: BookConnection) -> list[Tenant]:
    """The organisations that the token opens, for the person to choose from."""
    url = connection.connections_url or CONNECTIONS_URL
    transport, http = _transport(connection, url)
    with http, transport:
        answer = check_answer(transport.request("GET", url), "the connected organisations")
    found = msgspec.json.decode(answer.content, type=list[Tenant])
    return [tenant for tenant in found if tenant.type in ("", "ORGANISATION")]


def company_choices(connection: BookConnection) -> dict[str, str]:
    """The organisations of a consent, id to name."""
    return {tenant.id: tenant.name for tenant in connected_tenants(connection)}


def end_connection(connection: BookConnection) -> None:
    """Take this organisation out of the consent. It being out already is no trouble."""
    url = connection.connections_url or CONNECTIONS_URL
    mine = [one for one in connected_tenants(connection) if one.id == connection.company_id]
    transport, http = _transport(connection, url)
    with http, transport:
        for tenant in mine:
            answer = transport.request("DELETE", f"{url}/{tenant.connection}")
            if answer.status != 404:
                check_answer(answer, "the end of the connection")


CONSENT: Final = Consent(
    app=oauth_app, companies=company_choices, end=end_connection, purposes=PURPOSES, needed=NEEDED
)


def _is_custom(connection: BookConnection) -> bool:
    """A custom connection: one organisation, the application's own credentials, no consent."""
    return connection.grant == "client_credentials"


def _transport(connection: BookConnection, url: str) -> tuple[Transport, httpx.Client]:
    if connection.vault is None:
        raise AuthorizationError("this book has no place for its tokens: connect it first")
    app = oauth_app(connection)
    http = open_client(app.token_url, inner=connection.inner)
    source = TokenSource(
        app,
        connection.vault,
        http=http,
        clock=connection.clock,
        has_own_grant=_is_custom(connection),
    )
    transport = Transport(
        url,
        clock=connection.clock,
        budget=RateBudget(
            connection.clock,
            windows(),
            concurrent=CONCURRENT,
            state=connection.budget,
            vendor=DIALECT.name,
        ),
        auth=source,
        dialect=DIALECT,
        inner=connection.inner,
        log=connection.log,
        on_call=connection.on_call,
    )
    return transport, http
