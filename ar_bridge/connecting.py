"""Letting ar-bridge into a book: consent in a browser, tokens into the vault, first look around."""

import http.server
import secrets
import threading
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import msgspec

from ar_bridge import audit
from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings
from ar_bridge.store import books
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from ar_bridge.wiring import connection_of, vault_of
from connectors.oauth2 import consent, read_redirect
from connectors.port import Clock, CompanyCheck
from connectors.table import BookConnection, company_choices, oauth_app, open_connector
from connectors.tokens import MemoryVault, TokenSource
from rules.calendar import local_date

CONSENT_SECONDS = 300
"""How long the loopback callback waits for a person."""


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """A book that was let in, with what its set-up looks like."""

    row: BookRow
    check: CompanyCheck
    is_new: bool


def connect(
    store: Store,
    settings: BookSettings,
    home: Home,
    clock: Clock,
    *,
    ask: Callable[[str, str], str],
    actor: str,
    inner: httpx.BaseTransport | None = None,
) -> Connected:
    """Connect a book. `ask(consent address, redirect address)` brings back the address that the
    browser was sent to.

    Raises AuthorizationError, TransientError, and SetupError where the consent is for another
    company than the configured one.
    """
    company_id = settings.company_id
    connection = connection_of(settings, store, home, clock, company_id=company_id, inner=inner)
    app = oauth_app(settings.ledger, connection)
    if app is not None and not settings.client_id:
        raise SetupError(
            f"book {settings.name} has no client_id",
            remedy="register an app at the vendor and write its client_id and secret to the book",
        )
    if app is not None:
        temporary = MemoryVault()
        with closing(httpx.Client(transport=inner, timeout=30)) as client:
            source = TokenSource(
                app,
                temporary,
                http=client,
                clock=clock,
                has_own_grant=settings.grant == "client_credentials",
            )
            realm = ""
            if settings.grant == "authorization_code":
                state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
                address = consent(
                    app, redirect_uri=settings.redirect_uri, state=state, verifier=verifier
                )
                redirect = read_redirect(ask(address, settings.redirect_uri), state=state)
                source.connect(
                    code=redirect.code, redirect_uri=settings.redirect_uri, verifier=verifier
                )
                realm = redirect.realm_id
            lent = msgspec.structs.replace(connection, vault=temporary)
            company_id = _company(settings, lent, realm)
        tokens = temporary.load()
        if tokens is not None:
            vault_of(store, home, clock, settings.ledger, company_id).store(tokens)
    return _look_around(store, settings, home, clock, company_id, actor=actor, inner=inner)


def _company(settings: BookSettings, connection: BookConnection, realm: str) -> str:
    """Which company the consent is for. Raises SetupError where that is not the configured one."""
    choices = {realm: ""} if realm else company_choices(settings.ledger, connection)
    if settings.company_id:
        if choices and settings.company_id not in choices:
            raise SetupError(
                f"the consent is for {_named(choices)}, the book is {settings.company_id}",
                remedy="choose the right company on the consent page, or mend company_id",
            )
        return settings.company_id
    if len(choices) != 1:
        raise SetupError(
            f"the consent covers {len(choices)} companies: {_named(choices) or 'none'}",
            remedy="write the id of one of them as company_id of the book, then connect again",
        )
    return next(iter(choices))


def _named(choices: dict[str, str]) -> str:
    return ", ".join(f"{key} ({name})" if name else key for key, name in choices.items())


def _look_around(
    store: Store,
    settings: BookSettings,
    home: Home,
    clock: Clock,
    company_id: str,
    *,
    actor: str,
    inner: httpx.BaseTransport | None,
) -> Connected:
    connection = connection_of(settings, store, home, clock, company_id=company_id, inner=inner)
    with closing(open_connector(settings.ledger, connection)) as connector:
        check = connector.check()
    now = clock.now()
    today = local_date(now, check.company.timezone)
    with store.write() as conn:
        known = books.find(conn, settings.ledger, check.company.id)
        row = books.register(conn, check.company, name=settings.name, connected_on=today)
        audit.append(
            conn,
            book_id=row.id,
            at=now,
            actor=actor,
            event="BookConnected",
            subject=settings.name,
            payload={"ledger": settings.ledger, "company": check.company.id},
        )
    return Connected(row=row, check=check, is_new=known is None)


def wait_on_loopback(redirect_uri: str) -> str:
    """Serve the redirect address once and return what the browser was sent to.

    Raises SetupError when the address is no loopback address, when its port is taken, or when
    nobody comes.
    """
    parts = urlsplit(redirect_uri)
    if parts.hostname not in ("localhost", "127.0.0.1", "::1") or parts.scheme != "http":
        raise SetupError(
            f"{redirect_uri} is not on this machine",
            remedy="connect with --paste and paste the address that the browser ends up at",
        )
    arrived: list[str] = []
    done = threading.Event()

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if urlsplit(self.path).path != parts.path:
                self.send_error(404)
                return
            page = b"ar-bridge has what it needs. You can close this window.\n"
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            arrived.append(self.path)
            done.set()

        def log_message(self, format: str, *args: object) -> None:
            """The address holds the code: it goes into no log."""

    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", parts.port or 80), Callback)
    except OSError as error:
        raise SetupError(
            f"port {parts.port} cannot be used ({error.strerror})",
            remedy="close what uses it, or connect with --paste",
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        if not done.wait(CONSENT_SECONDS):
            raise SetupError(
                f"nobody came back from the consent page within {CONSENT_SECONDS // 60} minutes",
                remedy="run the command again, or with --paste",
            )
    finally:
        server.shutdown()
        server.server_close()
    return arrived[0]
