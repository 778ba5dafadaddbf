"""OAuth 2 as values: what to send, and what an answer means. Nothing here opens a socket.

consent(...)      the address that a person opens, with state and PKCE challenge
read_redirect()   what came back to us
exchange_code(), refresh(), client_credentials(), revoke()   requests to the token address
read_tokens()     the answer of the token address
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from connectors.errors import AuthorizationError, ConnectorError, TransientError
from connectors.redaction import keep_pair_secret, keep_secret


class OAuthApp(msgspec.Struct, frozen=True, kw_only=True):
    """The application that the company registered with the vendor, and where to ask."""

    client_id: str
    client_secret: str
    authorize_url: str
    token_url: str
    revoke_url: str = ""
    scopes: tuple[str, ...] = ()
    client_auth: Literal["basic", "form"] = "basic"
    """Where the client's id and secret travel."""
    token_headers: tuple[tuple[str, str], ...] = ()
    has_pkce: bool = False
    """Whether the consent carries a PKCE challenge (RFC 7636)."""
    refresh_life: timedelta | None = None
    """How long a refresh token may rest unused, where the vendor has a fixed time and does not
    state it in its answers."""
    refresh_grace: timedelta = timedelta(0)
    """How long a refresh token still works after its successor was given: for lost answers."""

    def __repr__(self) -> str:
        return f"OAuthApp(client_id={self.client_id!r}, token_url={self.token_url!r})"


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What the token address gave us. Stored encrypted; never printed."""

    v: int = 1
    access_token: str
    refresh_token: str = ""
    """Empty for a connection that asks with its own id and secret."""
    expires_at: datetime
    obtained_at: datetime
    refresh_expires_at: datetime | None = None
    """When the refresh token ends if it is not used, where the vendor says."""
    hard_expires_at: datetime | None = None
    """When a person has to reconnect whatever happens, where the vendor says."""
    scope: str = ""
    """What was granted, space by space; empty where the vendor does not say."""
    refreshing_since: datetime | None = None
    """A refresh was begun then and its answer is not stored yet. Met by a process that did not
    begin it, the answer was lost: the vendor may have given a successor of this refresh token,
    so it is presented again at once, while a vendor's grace for lost answers still runs."""

    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at.isoformat()}, ...)"

    def is_expired(self, now: datetime, buffer: timedelta = timedelta(seconds=60)) -> bool:
        """Whether the access token ends within `buffer`."""
        return now + buffer >= self.expires_at

    @property
    def reconnect_by(self) -> datetime | None:
        """The day by which a person has to reconnect, for the alarm before it."""
        return min(
            (at for at in (self.refresh_expires_at, self.hard_expires_at) if at), default=None
        )


class TokenVault(Protocol):
    """Where one connection's tokens are kept. Several processes may share it."""

    def load(self) -> Tokens | None:
        """The newest tokens, read anew; None before the first connect."""
        ...

    def store(self, tokens: Tokens) -> None:
        """Returns only when they are durable: until then the access token is not used."""
        ...

    def lock(self) -> AbstractContextManager[None]:
        """Held while refreshing: one refresher per connection, across threads and processes."""
        ...


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One form for the token address."""

    url: str
    headers: tuple[tuple[str, str], ...]
    content: bytes

    def __repr__(self) -> str:
        return f"TokenRequest(url={self.url!r}, ...)"


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """The person agreed and was sent back to us."""

    code: str
    realm_id: str = ""
    """The company, where the vendor names it here (QuickBooks)."""

    def __repr__(self) -> str:
        return f"Redirect(realm_id={self.realm_id!r}, ...)"


def challenge(verifier: str) -> str:
    """PKCE challenge of a verifier, method S256 (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def consent(app: OAuthApp, *, redirect_uri: str, state: str, verifier: str = "") -> str:
    """The address where a person lets us in. `state` and `verifier` are the caller's secrets,
    fresh for every attempt."""
    query = {
        "client_id": app.client_id,
        "response_type": "code",
        "scope": " ".join(app.scopes),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if verifier:
        query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    joint = "&" if urlsplit(app.authorize_url).query else "?"
    return f"{app.authorize_url}{joint}{urlencode(query, quote_via=quote)}"


def read_redirect(address: str, *, state: str) -> Redirect:
    """Read the address that the browser was sent back to, whole or from its `?` on.

    Raises AuthorizationError when the person declined, when the code is missing, or when the
    state is not the one of this attempt.
    """
    query = parse_qs(urlsplit(address.strip()).query or address.strip().lstrip("?"))

    def one(name: str) -> str:
        return query.get(name, [""])[0]

    keep_secret(one("code"))
    if one("error"):
        words = one("error_description") or one("error")
        raise AuthorizationError(f"access was not granted: {words}; start connecting again")
    if not is_same_state(one("state"), state):
        raise AuthorizationError(
            "this answer does not belong to this attempt to connect (state differs); start again"
        )
    if not one("code"):
        raise AuthorizationError("the address holds no code; paste the whole address")
    return Redirect(code=one("code"), realm_id=one("realmId"))


def is_same_state(given: str, expected: str) -> bool:
    """Whether an answer belongs to this attempt; compared in constant time."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def exchange_code(
    app: OAuthApp, *, code: str, redirect_uri: str, verifier: str = ""
) -> TokenRequest:
    """Turn the code of a redirect into tokens."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier:
        form["code_verifier"] = verifier
    return _form(app, app.token_url, form)


def refresh(app: OAuthApp, refresh_token: str) -> TokenRequest:
    """Ask for a new access token. The answer may hold a new refresh token too."""
    return _form(
        app, app.token_url, {"grant_type": "refresh_token", "refresh_token": refresh_token}
    )


def client_credentials(app: OAuthApp) -> TokenRequest:
    """Ask with the application's own id and secret (Xero custom connections)."""
    form = {"grant_type": "client_credentials"}
    if app.scopes:
        form["scope"] = " ".join(app.scopes)
    return _form(app, app.token_url, form)


def revoke(app: OAuthApp, token: str) -> TokenRequest:
    """End the connection on the vendor's side."""
    return _form(app, app.revoke_url, {"token": token})


def read_tokens(
    content: bytes,
    *,
    now: datetime,
    previous: Tokens | None = None,
    refresh_life: timedelta | None = None,
    request_id: str = "",
) -> Tokens:
    """Read a successful answer of the token address.

    A refresh token that is not in the answer stays what it was. Where the vendor does not state
    when it ends, it does so `refresh_life` after this use. Raises AuthorizationError for
    an answer without an access token: such a body must never replace good tokens.
    """
    try:
        body = msgspec.json.decode(content, type=_TokenBody, strict=False)
    except msgspec.DecodeError:
        body = _TokenBody()
    if not body.access_token:
        raise AuthorizationError(
            "the token address answered without an access token: connect the book again",
            request_id=request_id,
        )

    def after(seconds: float | None, otherwise: datetime | None) -> datetime | None:
        return otherwise if seconds is None else now + timedelta(seconds=seconds)

    keep_secret(body.access_token, body.refresh_token)
    has_refresh = bool(body.refresh_token or (previous and previous.refresh_token))
    used_until = now + refresh_life if refresh_life is not None and has_refresh else None
    same_refresh = previous is not None and body.refresh_token in ("", previous.refresh_token)
    return Tokens(
        access_token=body.access_token,
        refresh_token=body.refresh_token or (previous.refresh_token if previous else ""),
        expires_at=now + timedelta(seconds=body.expires_in),
        obtained_at=now,
        refresh_expires_at=after(
            body.x_refresh_token_expires_in,
            used_until or (previous.refresh_expires_at if previous and same_refresh else None),
        ),
        hard_expires_at=after(
            body.x_refresh_token_hard_expires_in, previous.hard_expires_at if previous else None
        ),
        scope=body.scope or (previous.scope if previous else ""),
    )


def refusal(status: int, content: bytes, *, request_id: str = "") -> ConnectorError:
    """What an unsuccessful answer of the token address means."""
    try:
        body = msgspec.json.decode(content, type=_ErrorBody)
    except msgspec.DecodeError:
        body = _ErrorBody()
    words = body.error_description or body.error or f"status {status}"
    if status == 429 or status >= 500:
        return TransientError(f"the token address is busy ({words})", request_id=request_id)
    if body.error == "invalid_grant":
        return InvalidGrantError(
            "the connection has ended or was withdrawn: connect the book again",
            request_id=request_id,
        )
    if body.error in ("invalid_client", "unauthorized_client") or status == 401:
        return AuthorizationError(
            f"client_id or client_secret is not accepted ({words}): compare them with the "
            "vendor's developer page",
            request_id=request_id,
        )
    return AuthorizationError(
        f"the token address refuses ({words}): connect the book again", request_id=request_id
    )


class InvalidGrantError(AuthorizationError):
    """The refresh token is no longer valid: connect the book again."""


class _TokenBody(msgspec.Struct):
    access_token: str = ""
    refresh_token: str = ""
    expires_in: float = 1800
    x_refresh_token_expires_in: float | None = None
    x_refresh_token_hard_expires_in: float | None = None
    scope: str = ""


class _ErrorBody(msgspec.Struct):
    error: str = ""
    error_description: str = ""


_SECRET_FIELDS: Final = ("code", "code_verifier", "refresh_token", "token")


def _form(app: OAuthApp, url: str, fields: Mapping[str, str]) -> TokenRequest:
    keep_pair_secret(app.client_id, app.client_secret)
    keep_secret(*(fields.get(name, "") for name in _SECRET_FIELDS))
    headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "application/json"),
        *app.token_headers,
    ]
    form = dict(fields)
    if app.client_auth == "basic":
        pair = f"{app.client_id}:{app.client_secret}".encode()
        headers.append(("Authorization", f"Basic {base64.b64encode(pair).decode('ascii')}"))
    else:
        form |= {"client_id": app.client_id, "client_secret": app.client_secret}
    return TokenRequest(url=url, headers=tuple(headers), content=urlencode(form).encode("ascii"))
