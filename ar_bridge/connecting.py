"""Letting ar-bridge into a book: consent in a browser, tokens into the vault, first look around."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from shlex import quote
from typing import Final, TypeAlias

import httpx
import msgspec

from ar_bridge import audit
from ar_bridge.company_facts import company_of
from ar_bridge.errors import SetupError, UsageError
from ar_bridge.home import Home
from ar_bridge.permissions import permission_findings
from ar_bridge.settings import BookSettings
from ar_bridge.store import books, schedule
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from ar_bridge.wiring import connection_of, vault_of
from connectors.budget import serving_writes
from connectors.errors import AuthorizationError, TransientError
from connectors.oauth2 import OAuthApp, Tokens, consent, read_redirect
from connectors.port import Clock, CompanyCheck, Finding
from connectors.redaction import keep_secret
from connectors.table import (
    BookConnection,
    company_choices,
    consent_of,
    oauth_app,
    open_connector,
)
from connectors.tokens import MemoryVault, TokenSource
from rules.calendar import local_date

MENDED: Final = ("authorization", "permission", "subscription", "setup")
"""Troubles of a timetable that a new connection may have ended."""

ATTEMPT_LIFE: Final = timedelta(minutes=15)
"""How long after its consent address was shown an answer is taken."""

Ask: TypeAlias = Callable[[str, str], str]
"""From (consent address, redirect address) to the address that the browser was sent to."""
Choose: TypeAlias = Callable[[Mapping[str, str]], str]
"""Which of several companies, id to name, a person means; empty for none of them."""


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """A book that was let in, with what its set-up looks like."""

    row: BookRow
    check: CompanyCheck
    is_new: bool
    permissions: tuple[Finding, ...] = ()
    """What of the permissions asked for was granted and what was not."""


def connect(
    store: Store,
    settings: BookSettings,
    home: Home,
    clock: Clock,
    *,
    ask: Ask,
    actor: str,
    company: str = "",
    choose: Choose | None = None,
    inner: httpx.BaseTransport | None = None,
) -> Connected:
    """Connect a book, or connect it again: then its history stays.

    `company` (id or name) says which company is meant where the consent covers several; without
    it, and without `company_id` in the settings, `choose` asks a person.

    A consent whose first look around failed is kept: `company` goes on with it and asks nobody.

    Raises AuthorizationError, TransientError, and SetupError where the consent is for another
    company than the configured one, or where the first look around has to wait.
    """
    known = _known(store, settings)
    pinned = settings.company_id or (known.company_id if known is not None else "")
    connection = connection_of(settings, store, home, clock, company_id=pinned, inner=inner)
    app = oauth_app(settings.ledger, connection)
    company_id = pinned

    def look_around(found: str) -> Connected:
        # A few calls, for which a person waits: what is kept of the day is for these too.
        with serving_writes():
            return _look_around(store, settings, home, clock, found, app, actor=actor, inner=inner)

    if app is not None:
        kept = _kept_consent(store, settings, home, clock, pinned or company)
        if kept:
            try:
                return look_around(kept)
            except AuthorizationError:
                pass  # it ended, or does not permit what is needed: a new one
        if not settings.client_id:
            raise SetupError(
                f"book {settings.name} has no client_id",
                remedy="register an app at the vendor and write its client_id and secret to the "
                "book",
            )
        tokens, realm = _let_in(app, settings, clock, ask, inner)
        lent = msgspec.structs.replace(connection, vault=MemoryVault(tokens))
        with serving_writes():
            choices = {realm: ""} if realm else company_choices(settings.ledger, lent)
        company_id = _company(settings, choices, pinned, company, choose)
        vault = vault_of(store, home, clock, settings.ledger, company_id)
        with vault.lock():
            vault.store(tokens)
    try:
        return look_around(company_id)
    except TransientError as problem:
        if app is None or known is not None:
            raise
        raise SetupError(
            f"the consent is given and kept, but the company could not be read ({problem})",
            remedy="this goes on without a new consent: "
            f"ar-bridge connect {quote(settings.name)} --company {company_id}",
        ) from problem


def _kept_consent(
    store: Store, settings: BookSettings, home: Home, clock: Clock, company_id: str
) -> str:
    """The company, where there are tokens for it and it never became a book; else empty."""
    if not company_id:
        return ""
    with store.read() as conn:
        if books.find(conn, settings.ledger, company_id) is not None:
            return ""
    vault = vault_of(store, home, clock, settings.ledger, company_id)
    return company_id if vault.load() is not None else ""


def _let_in(
    app: OAuthApp,
    settings: BookSettings,
    clock: Clock,
    ask: Ask,
    inner: httpx.BaseTransport | None,
) -> tuple[Tokens, str]:
    """Tokens by a person's consent or the application's own grant, and the company where the
    vendor names it in its answer."""
    temporary = MemoryVault()
    has_own_grant = settings.grant == "client_credentials"
    with closing(httpx.Client(transport=inner, timeout=30)) as client:
        source = TokenSource(app, temporary, http=client, clock=clock, has_own_grant=has_own_grant)
        realm = ""
        if has_own_grant:
            source.header()
        else:
            state = secrets.token_urlsafe(24)
            verifier = secrets.token_urlsafe(48) if app.has_pkce else ""
            keep_secret(verifier)
            address = consent(
                app, redirect_uri=settings.redirect_uri, state=state, verifier=verifier
            )
            begun = clock.now()
            redirect = read_redirect(ask(address, settings.redirect_uri), state=state)
            if clock.now() - begun > ATTEMPT_LIFE:
                raise AuthorizationError(
                    "this answer is too old: the attempt to connect began more than "
                    f"{ATTEMPT_LIFE.seconds // 60} minutes ago; start again"
                )
            source.connect(
                code=redirect.code, redirect_uri=settings.redirect_uri, verifier=verifier
            )
            realm = redirect.realm_id
    tokens = temporary.load()
    assert tokens is not None
    return tokens, realm


def _known(store: Store, settings: BookSettings) -> BookRow | None:
    """The company that this book was connected to before."""
    with store.read() as conn:
        if settings.company_id:
            return books.find(conn, settings.ledger, settings.company_id)
        return next(
            (
                row
                for row in books.all_books(conn)
                if row.name == settings.name and row.ledger == settings.ledger
            ),
            None,
        )


def _company(
    settings: BookSettings,
    choices: Mapping[str, str],
    pinned: str,
    wanted: str,
    choose: Choose | None,
) -> str:
    """Which company of the consent the book is. Raises SetupError where that is not the one it
    has been so far, UsageError where nobody said which of several."""
    if wanted:
        named = _meant(choices, wanted)
        if pinned and named != pinned:
            raise SetupError(
                f"book {settings.name} is the company {pinned}, not {named}",
                remedy="give the other company a [[book]] section of its own; what was read and "
                "done stays with the book that it belongs to",
            )
        return named
    if pinned:
        if choices and pinned not in choices:
            raise SetupError(
                f"the consent is for {_named(choices)}, the book is {pinned}",
                remedy="choose the right company on the consent page; for another company write "
                "a [[book]] section of its own",
            )
        return pinned
    if len(choices) == 1:
        return next(iter(choices))
    if not choices:
        raise SetupError(
            "the consent covers no company (a practice or adviser account is none)",
            remedy="choose a company on the consent page",
        )
    chosen = choose(choices) if choose is not None else ""
    if chosen:
        return _meant(choices, chosen)
    raise UsageError(
        f"The consent covers {len(choices)} companies.",
        problems=[_one(key, name) for key, name in sorted(choices.items(), key=lambda it: it[1])],
        remedy=f"say which one: ar-bridge connect {settings.name} --company ID",
    )


def _meant(choices: Mapping[str, str], wanted: str) -> str:
    """The company of that id or name. Raises UsageError with those there are."""
    if wanted in choices:
        return wanted
    found = [key for key, name in choices.items() if name.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    some = {key: choices[key] for key in found} or choices
    raise UsageError(
        f"{'Several companies are' if found else 'No company of this consent is'} called "
        f'"{wanted}".',
        problems=[_one(key, name) for key, name in some.items()],
        remedy="say its id with --company",
    )


def _one(key: str, name: str) -> str:
    return f"{key} ({name})" if name else key


def _named(choices: Mapping[str, str]) -> str:
    return ", ".join(_one(key, name) for key, name in choices.items())


def _look_around(
    store: Store,
    settings: BookSettings,
    home: Home,
    clock: Clock,
    company_id: str,
    app: OAuthApp | None,
    *,
    actor: str,
    inner: httpx.BaseTransport | None,
) -> Connected:
    connection = connection_of(settings, store, home, clock, company_id=company_id, inner=inner)
    with closing(open_connector(settings.ledger, connection)) as connector:
        check = connector.check()
    seen = company_of(check, settings.fee_account, settings.fee_tax)
    now = clock.now()
    today = local_date(now, settings.timezone or check.company.timezone)
    with store.write() as conn:
        known = books.find(conn, settings.ledger, check.company.id)
        row = books.register(conn, seen, name=settings.name, connected_on=today)
        # A daemon that waits for this goes on at its next look.
        schedule.wake_mended(conn, MENDED, now, book_id=row.id)
        audit.append(
            conn,
            book_id=row.id,
            at=now,
            actor=actor,
            event="BookConnected",
            subject=settings.name,
            payload={"ledger": settings.ledger, "company": check.company.id},
        )
    return Connected(
        row=row,
        check=check,
        is_new=known is None,
        permissions=tuple(_permissions(settings, connection, app)),
    )


def _permissions(
    settings: BookSettings, connection: BookConnection, app: OAuthApp | None
) -> list[Finding]:
    consent_terms = consent_of(settings.ledger)
    tokens = connection.vault.load() if connection.vault is not None else None
    if app is None or consent_terms is None or tokens is None:
        return []
    return permission_findings(consent_terms, app, tokens, book=settings.name)
