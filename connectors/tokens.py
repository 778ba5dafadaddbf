"""Keeps one connection's access token fresh: one refresher, nothing used before it is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, RLock
from typing import Final

import httpx
import msgspec
import tenacity

from connectors.address import checked_address
from connectors.errors import AuthorizationError, ConnectorError, TransientError
from connectors.oauth2 import (
    InvalidGrantError,
    OAuthApp,
    TokenRequest,
    Tokens,
    TokenVault,
    client_credentials,
    exchange_code,
    read_tokens,
    refresh,
    refusal,
    revoke,
)
from connectors.port import Clock
from connectors.redaction import keep_secret

_ATTEMPTS: Final = 3


class TokenSource:
    """The `Authorizer` of a transport, over a vault that outlives it.

    A refresh, so that a crash at no instant of it loses the connection:

        the intent is stored (`refreshing_since`)        a crash before: nothing has happened
        the refresh token is presented                   after: whoever comes next presents it
        the answer is stored, which ends the intent          again, at once
        the new access token is used                     after: it is found in the vault

    A lost answer is asked for again with the same refresh token. Xero honours it for 30 minutes
    (`OAuthApp.refresh_grace`). QuickBooks states no such grace: there, an answer lost in the one
    refresh of a day in which the token changes ends the connection, and the error says so.
    """

    def __init__(
        self,
        app: OAuthApp,
        vault: TokenVault,
        *,
        http: httpx.Client,
        clock: Clock,
        has_own_grant: bool = False,
        request_id_header: str = "",
    ) -> None:
        """`has_own_grant`: tokens come from the application's id and secret alone, without a
        person's consent. Raises InsecureAddressError for a plain token address elsewhere."""
        checked_address(app.token_url)
        self._app = app
        self._vault = vault
        self._http = http
        self._clock = clock
        self._has_own_grant = has_own_grant
        self._request_id_header = request_id_header
        self._tokens: Tokens | None = None
        self._lock = Lock()

    def header(self) -> str:
        """`Bearer ...`, refreshed where the token ends within a minute.

        Raises AuthorizationError when a person has to reconnect, TransientError when the token
        address cannot be reached.
        """
        with self._lock:
            tokens = self._tokens
        if tokens is None or tokens.is_expired(self._clock.now()):
            tokens = self._renewed(rejected="")
        return f"Bearer {tokens.access_token}"

    def renew(self, rejected: str) -> None:
        """The vendor refused this header: another process may know better, else refresh."""
        self._renewed(rejected=rejected.removeprefix("Bearer "))

    def connect(self, *, code: str, redirect_uri: str, verifier: str = "") -> Tokens:
        """Turn a person's consent into stored tokens. Raises AuthorizationError for a code that
        was used before or is too old."""
        request = exchange_code(self._app, code=code, redirect_uri=redirect_uri, verifier=verifier)
        with self._vault.lock():
            try:
                return self._keep(self._ask(request, None, _Attempt()))
            except InvalidGrantError as error:
                raise AuthorizationError(
                    "the code of this consent is not valid any more: it is good for a few "
                    "minutes and for one use; start connecting again",
                    request_id=error.request_id,
                ) from None

    def disconnect(self) -> None:
        """Withdraw the consent on the vendor's side, where the vendor has an address for it."""
        tokens = self._vault.load()
        if tokens is None or not self._app.revoke_url:
            return
        checked_address(self._app.revoke_url)
        keep_secret(tokens.access_token, tokens.refresh_token)
        self._send(revoke(self._app, tokens.refresh_token or tokens.access_token), _Attempt())

    def _renewed(self, *, rejected: str) -> Tokens:
        with self._vault.lock():
            stored = self._vault.load()
            if stored is not None and self._is_good(stored, rejected):
                return self._remember(stored)
            if self._has_own_grant:
                request = client_credentials(self._app)
                return self._keep(self._ask(request, None, _Attempt()))
            if stored is None:
                raise AuthorizationError("this book is not connected yet: connect it first")
            try:
                return self._refreshed(stored)
            except InvalidGrantError as error:
                newer = self._vault.load()
                if newer is None or newer.refresh_token == stored.refresh_token:
                    raise self._ended(newer or stored, error) from None
                # Someone refreshed without our lock: theirs is the valid one.
                if self._is_good(newer, rejected):
                    return self._remember(newer)
                return self._refreshed(newer)

    def _is_good(self, tokens: Tokens, rejected: str) -> bool:
        return (
            tokens.access_token != rejected
            and tokens.refreshing_since is None
            and not tokens.is_expired(self._clock.now())
        )

    def _refreshed(self, stored: Tokens) -> Tokens:
        """Present the refresh token and keep what comes of it."""
        if not stored.refresh_token:
            raise AuthorizationError(
                "the connection came without a refresh token: connect the book again"
            )
        keep_secret(stored.access_token, stored.refresh_token)
        if stored.refreshing_since is None:
            self._vault.store(msgspec.structs.replace(stored, refreshing_since=self._clock.now()))
        attempt = _Attempt()
        try:
            fresh = self._ask(refresh(self._app, stored.refresh_token), stored, attempt)
        except ConnectorError:
            if not attempt.may_have_counted:
                # As it was: nobody is to believe that an answer was lost.
                self._vault.store(stored)
            raise
        return self._keep(fresh)

    def _ended(self, stored: Tokens, error: InvalidGrantError) -> InvalidGrantError:
        """What a person should read whose refresh token is no longer taken."""
        if stored.refreshing_since is None:
            return error
        grace = self._app.refresh_grace
        minutes = int(grace.total_seconds() // 60)
        allowed = (
            f"the vendor honours the token before for {minutes} minutes only"
            if minutes
            else "the vendor gave its successor in that answer"
        )
        return InvalidGrantError(
            f"a renewal of the connection was cut off at {stored.refreshing_since:%Y-%m-%d %H:%M} "
            f"UTC and its answer lost; {allowed}: connect the book again, nothing else is lost",
            request_id=error.request_id,
        )

    def _keep(self, tokens: Tokens) -> Tokens:
        # Durable first: a token used before it is stored is a connection lost in a crash.
        self._vault.store(tokens)
        return self._remember(tokens)

    def _remember(self, tokens: Tokens) -> Tokens:
        keep_secret(tokens.access_token, tokens.refresh_token)
        with self._lock:
            self._tokens = tokens
        return tokens

    def _ask(self, request: TokenRequest, previous: Tokens | None, attempt: "_Attempt") -> Tokens:
        response = self._send(request, attempt)
        return read_tokens(
            response.content,
            now=self._clock.now(),
            previous=previous,
            refresh_life=self._app.refresh_life,
            request_id=self._request_id(response),
        )

    def _send(self, request: TokenRequest, attempt: "_Attempt") -> httpx.Response:
        retrying = tenacity.Retrying(
            sleep=self._clock.sleep,
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=tenacity.wait_exponential(multiplier=1, max=10),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            reraise=True,
        )
        return retrying(self._send_once, request, attempt)

    def _send_once(self, request: TokenRequest, attempt: "_Attempt") -> httpx.Response:
        try:
            response = self._http.post(
                request.url, content=request.content, headers=dict(request.headers)
            )
        except httpx.RequestError as error:
            if not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
                attempt.may_have_counted = True
            raise TransientError(
                f"{httpx.URL(request.url).host} cannot be reached "
                f"({str(error) or type(error).__name__})"
            ) from None
        if response.is_success or response.status_code >= 500:
            attempt.may_have_counted = True
        if not response.is_success:
            raise refusal(
                response.status_code, response.content, request_id=self._request_id(response)
            )
        return response

    def _request_id(self, response: httpx.Response) -> str:
        if not self._request_id_header:
            return ""
        return str(response.headers.get(self._request_id_header, ""))


class _Attempt:
    """Whether the vendor may have acted on one of the requests, whatever we heard."""

    may_have_counted = False


class MemoryVault:
    """A vault for one process that forgets everything: for tests and for the demo."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens
        self._held = RLock()

    def load(self) -> Tokens | None:
        return self._tokens

    def store(self, tokens: Tokens) -> None:
        self._tokens = tokens

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._held:
            yield
