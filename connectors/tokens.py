"""Keeps one connection's access token fresh: one refresher, nothing used before it is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, RLock
from typing import Final

import httpx
import tenacity

from connectors.address import checked_address
from connectors.errors import AuthorizationError, TransientError
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

_ATTEMPTS: Final = 3


class TokenSource:
    """The `Authorizer` of a transport, over a vault that outlives it.

    A refresh whose answer is lost is repeated with the same refresh token: a vendor that honours
    the old one for a while does so for exactly this case, and another loses nothing by it.
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
        """Turn a person's consent into stored tokens."""
        request = exchange_code(self._app, code=code, redirect_uri=redirect_uri, verifier=verifier)
        with self._vault.lock():
            return self._keep(self._ask(request, None))

    def disconnect(self) -> None:
        """Withdraw the consent on the vendor's side, where the vendor has an address for it."""
        tokens = self._vault.load()
        if tokens is None or not self._app.revoke_url:
            return
        checked_address(self._app.revoke_url)
        self._send(revoke(self._app, tokens.refresh_token or tokens.access_token))

    def _renewed(self, *, rejected: str) -> Tokens:
        with self._vault.lock():
            stored = self._vault.load()
            if (
                stored is not None
                and stored.access_token != rejected
                and not stored.is_expired(self._clock.now())
            ):
                return self._remember(stored)
            if self._has_own_grant:
                return self._keep(self._ask(client_credentials(self._app), None))
            if stored is None:
                raise AuthorizationError("this book is not connected yet: connect it first")
            if not stored.refresh_token:
                raise AuthorizationError(
                    "the connection came without a refresh token: connect the book again"
                )
            try:
                fresh = self._ask(refresh(self._app, stored.refresh_token), stored)
            except InvalidGrantError:
                newer = self._vault.load()
                if newer is None or newer.refresh_token == stored.refresh_token:
                    raise
                # Someone refreshed without our lock: theirs is the valid one.
                if not newer.is_expired(self._clock.now()) and newer.access_token != rejected:
                    return self._remember(newer)
                fresh = self._ask(refresh(self._app, newer.refresh_token), newer)
            return self._keep(fresh)

    def _keep(self, tokens: Tokens) -> Tokens:
        # Durable first: a token used before it is stored is a connection lost in a crash.
        self._vault.store(tokens)
        return self._remember(tokens)

    def _remember(self, tokens: Tokens) -> Tokens:
        with self._lock:
            self._tokens = tokens
        return tokens

    def _ask(self, request: TokenRequest, previous: Tokens | None) -> Tokens:
        response = self._send(request)
        return read_tokens(
            response.content,
            now=self._clock.now(),
            previous=previous,
            request_id=self._request_id(response),
        )

    def _send(self, request: TokenRequest) -> httpx.Response:
        retrying = tenacity.Retrying(
            sleep=self._clock.sleep,
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=tenacity.wait_exponential(multiplier=1, max=10),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            reraise=True,
        )
        return retrying(self._send_once, request)

    def _send_once(self, request: TokenRequest) -> httpx.Response:
        try:
            response = self._http.post(
                request.url, content=request.content, headers=dict(request.headers)
            )
        except httpx.RequestError as error:
            raise TransientError(
                f"{httpx.URL(request.url).host} cannot be reached "
                f"({str(error) or type(error).__name__})"
            ) from None
        if not response.is_success:
            raise refusal(
                response.status_code, response.content, request_id=self._request_id(response)
            )
        return response

    def _request_id(self, response: httpx.Response) -> str:
        if not self._request_id_header:
            return ""
        return str(response.headers.get(self._request_id_header, ""))


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
