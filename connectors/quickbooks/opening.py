"""Opening a QuickBooks Online company: addresses, rate limits and how it is connected."""

from typing import TYPE_CHECKING, Final

from connectors.budget import RateBudget, Window
from connectors.oauth2 import OAuthApp
from connectors.quickbooks.faults import DIALECT
from connectors.table import BookConnection, Consent
from connectors.tokens import TokenSource
from connectors.transport import Transport, open_client

if TYPE_CHECKING:
    from connectors.quickbooks.client import QuickBooksConnector

API_URL: Final = "https://quickbooks.api.intuit.com"
SANDBOX_API_URL: Final = "https://sandbox-quickbooks.api.intuit.com"
AUTHORIZE_URL: Final = "https://appcenter.intuit.com/connect/oauth2"
TOKEN_URL: Final = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
REVOKE_URL: Final = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
SCOPES: Final = ("com.intuit.quickbooks.accounting",)

WINDOWS: Final = (
    Window(name="second", calls=10, seconds=1.0),
    Window(name="minute", calls=500, seconds=60.0),
    Window(name="minute of batches", calls=40, seconds=60.0, path="/batch"),
)
"""10 a second, 500 a minute and 40 batches a minute for each company ("limits and throttles")."""

CONCURRENT: Final = 4
"""QuickBooks counts starts, not what runs at once; more than this gains nothing at 10 a second
and has been seen to be throttled."""


def oauth_app(connection: BookConnection) -> OAuthApp:
    """How a company is connected. QuickBooks tells the end of the connection if it is asked."""
    return OAuthApp(
        client_id=connection.client_id,
        client_secret=connection.client_secret,
        authorize_url=connection.authorize_url or AUTHORIZE_URL,
        token_url=connection.token_url or TOKEN_URL,
        # A book that points elsewhere does not send its tokens to the vendor.
        revoke_url=connection.revoke_url or ("" if connection.token_url else REVOKE_URL),
        scopes=SCOPES,
        token_headers=(("x-include-refresh-token-hard-expires-in", "true"),),
    )


CONSENT: Final = Consent(
    app=oauth_app,
    needed=frozenset(SCOPES),
    purposes={"com.intuit.quickbooks.accounting": "nothing can be read or written"},
)


def open_connector(connection: BookConnection) -> "QuickBooksConnector":
    """Raises InsecureAddressError for a plain address elsewhere. Reads nothing yet."""
    # The vendor's library takes half a second to import: only where a book is opened.
    from connectors.quickbooks.client import QuickBooksConnector

    address = (connection.api_url or API_URL).rstrip("/").removesuffix("/v3") + "/v3"
    http = open_client(address, inner=connection.inner)
    auth = None
    if connection.vault is not None:
        auth = TokenSource(
            oauth_app(connection),
            connection.vault,
            http=http,
            clock=connection.clock,
            request_id_header=DIALECT.request_id_header,
        )
    transport = Transport(
        address,
        clock=connection.clock,
        budget=RateBudget(
            connection.clock,
            WINDOWS,
            concurrent=CONCURRENT,
            state=connection.budget,
            vendor=DIALECT.name,
        ),
        auth=auth,
        dialect=DIALECT,
        http=http,
        owns_http=True,
        log=connection.log,
        on_call=connection.on_call,
    )
    return QuickBooksConnector(
        transport,
        company_id=connection.company_id,
        clock=connection.clock,
        fee_account=connection.fee_account,
        fee_tax=connection.fee_tax,
        base_currency=connection.base_currency,
    )
