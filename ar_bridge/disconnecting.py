"""Letting ar-bridge out of a book again: tokens given back to the vendor, forgotten, audited.

What was read and what was done stays: the record outlives the connection.
"""

from contextlib import closing

import httpx
import msgspec

from ar_bridge import audit
from ar_bridge.errors import LedgerError, UsageError
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings
from ar_bridge.store import books
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from ar_bridge.wiring import connection_of, vault_of
from connectors.errors import AuthorizationError
from connectors.oauth2 import InvalidGrantError, OAuthApp
from connectors.port import Clock
from connectors.table import oauth_app
from connectors.tokens import TokenSource


class Disconnected(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection ended."""

    company_id: str
    was_connected: bool
    """False: there were no tokens, and nothing was done."""
    is_revoked: bool
    """Whether the vendor has ended it too. Where not, the consent stands until a person takes
    it away in the ledger."""


def disconnect(
    store: Store,
    settings: BookSettings,
    home: Home,
    clock: Clock,
    *,
    actor: str,
    asks_vendor: bool = True,
    inner: httpx.BaseTransport | None = None,
) -> Disconnected:
    """End the connection of a book. Tokens that the vendor would not take back are kept, unless
    `asks_vendor` is False: then they are only forgotten.

    Raises UsageError for a book that has no consent to end, TransientError when the vendor
    cannot be reached, LedgerError when it refuses the application.
    """
    row = _known(store, settings)
    company_id = settings.company_id or (row.company_id if row is not None else "")
    connection = connection_of(settings, store, home, clock, company_id=company_id, inner=inner)
    app = oauth_app(settings.ledger, connection)
    if app is None:
        raise UsageError(
            f"Book {settings.name} has no connection to end: a {settings.ledger} ledger asks "
            "for no consent.",
            remedy="take its [[book]] section out of the settings to stop working on it",
        )
    vault = vault_of(store, home, clock, settings.ledger, company_id)
    # Held to the end: nobody may renew the tokens while they are given back.
    with vault.lock():
        if vault.load() is None:
            return Disconnected(company_id=company_id, was_connected=False, is_revoked=False)
        is_revoked = asks_vendor and bool(app.revoke_url)
        if is_revoked:
            with closing(httpx.Client(transport=inner, timeout=30)) as client:
                _revoke(TokenSource(app, vault, http=client, clock=clock), app)
        # Before they are forgotten: a crash in between is told twice rather than never.
        with store.write() as conn:
            audit.append(
                conn,
                book_id=row.id if row is not None else None,
                at=clock.now(),
                actor=actor,
                event="BookDisconnected",
                subject=settings.name,
                payload={
                    "ledger": settings.ledger,
                    "company": company_id,
                    "revoked": is_revoked,
                },
            )
        vault.forget()
    return Disconnected(company_id=company_id, was_connected=True, is_revoked=is_revoked)


def _revoke(source: TokenSource, app: OAuthApp) -> None:
    try:
        source.disconnect()
    except InvalidGrantError:
        """Over already on the vendor's side: that is what was wanted."""
    except AuthorizationError as error:
        raise LedgerError(
            f"{httpx.URL(app.revoke_url).host} does not take the tokens back: {error.message}",
            remedy="compare client_id and client_secret with the vendor's page, or add "
            "--forget-only and take ar-bridge away among the ledger's connected apps",
        ) from error


def _known(store: Store, settings: BookSettings) -> BookRow | None:
    """The stored book of this configuration; None where no connection ever got so far."""
    with store.read() as conn:
        if settings.company_id:
            return books.find(conn, settings.ledger, settings.company_id)
        named = [row for row in books.all_books(conn) if row.name == settings.name]
        return next((row for row in named if row.ledger == settings.ledger), None)
