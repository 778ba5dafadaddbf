"""Letting ar-bridge out of a book again: tokens given back to the vendor, forgotten, audited.

What was read and what was done stays: the record outlives the connection.
"""

from contextlib import closing

import httpx
import msgspec

from ar_bridge import audit
from ar_bridge.errors import UsageError
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings
from ar_bridge.store import books
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from ar_bridge.vault import StoreVault
from ar_bridge.wiring import connection_of, vault_of
from connectors.errors import ConnectorError
from connectors.oauth2 import InvalidGrantError
from connectors.port import Clock
from connectors.table import BookConnection, Consent, consent_of
from connectors.tokens import TokenSource


class Disconnected(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection ended."""

    company_id: str
    was_connected: bool
    """False: there were no tokens, and nothing was done."""
    is_revoked: bool
    """Whether the vendor has ended it too. Where not, the consent stands until a person takes
    it away in the ledger."""
    trouble: str = ""
    """Why the vendor has not ended it, where it was asked to."""
    is_forgotten: bool = True
    """Whether the tokens are gone here. They are, unless a trouble and `keep` came together."""


def disconnect(
    store: Store,
    settings: BookSettings,
    home: Home,
    clock: Clock,
    *,
    actor: str,
    asks_vendor: bool = True,
    is_shared: bool = False,
    keep: bool = False,
    inner: httpx.BaseTransport | None = None,
) -> Disconnected:
    """End the connection of a book: on the vendor's side, then here, whatever the vendor says.

    `asks_vendor` False only forgets. `is_shared`: other books use the same app, so only this
    company is taken out of the consent, where the vendor can do that. `keep` leaves the tokens
    in place where the vendor did not end the connection, to try it again.

    Raises UsageError for a book that has no consent to end.
    """
    row = _known(store, settings)
    company_id = settings.company_id or (row.company_id if row is not None else "")
    connection = connection_of(settings, store, home, clock, company_id=company_id, inner=inner)
    consent = consent_of(settings.ledger)
    if consent is None:
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
        is_revoked, trouble = False, ""
        if asks_vendor:
            is_revoked, trouble = _ended_there(consent, connection, vault, is_shared=is_shared)
        is_forgotten = is_revoked or not (trouble and keep)
        # Before they are forgotten: a crash in between is told twice rather than never.
        with store.write() as conn:
            audit.append(
                conn,
                book_id=row.id if row is not None else None,
                at=clock.now(),
                actor=actor,
                event="BookDisconnected" if is_forgotten else "BookNotDisconnected",
                subject=settings.name,
                payload={
                    "ledger": settings.ledger,
                    "company": company_id,
                    "revoked": is_revoked,
                    **({"trouble": trouble} if trouble else {}),
                },
            )
        if is_forgotten:
            vault.forget()
    return Disconnected(
        company_id=company_id,
        was_connected=True,
        is_revoked=is_revoked,
        trouble=trouble,
        is_forgotten=is_forgotten,
    )


def _ended_there(
    consent: Consent, connection: BookConnection, vault: StoreVault, *, is_shared: bool
) -> tuple[bool, str]:
    """Whether the vendor has ended it, and what went wrong: first this company is taken out of
    the consent, then the tokens are given back."""
    app = consent.app(connection)
    told: list[str] = []
    is_out = False
    # Tokens of somebody else's own token address are not taken to the vendor's.
    knows_where = connection.connections_url or not connection.token_url
    if consent.end is not None and knows_where:
        try:
            consent.end(connection)
            is_out = True
        except ConnectorError as error:
            # Over already, perhaps: giving the tokens back tells.
            told.append(error.message)
    if is_out and is_shared:
        return True, ""
    if not app.revoke_url:
        return is_out, "; ".join(told)
    with closing(httpx.Client(transport=connection.inner, timeout=30)) as client:
        try:
            TokenSource(app, vault, http=client, clock=connection.clock).disconnect()
        except InvalidGrantError:
            """Over already on the vendor's side: that is what was wanted."""
        except ConnectorError as error:
            told.append(f"{httpx.URL(app.revoke_url).host}: {error.message}")
            # Once this company is out, the tokens open nothing of it any more.
            return is_out, "" if is_out else "; ".join(dict.fromkeys(told))
    return True, ""


def _known(store: Store, settings: BookSettings) -> BookRow | None:
    """The stored book of this configuration; None where no connection ever got so far."""
    with store.read() as conn:
        if settings.company_id:
            return books.find(conn, settings.ledger, settings.company_id)
        named = [row for row in books.all_books(conn) if row.name == settings.name]
        return next((row for row in named if row.ledger == settings.ledger), None)
