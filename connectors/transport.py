"""The one HTTP client of a book: authorisation, timeouts, rate budget, retry, redacted log.

What is repeated, always with the same bytes and waiting on the injected clock:

    not sent at all, throttled (429), 408      any request
    lost answer, timeout, 5xx                  reads; writes that carry a vendor key, while the
                                               first attempt is younger than 3 minutes

A write whose answer stays lost ends as OutcomeUnknownError: it is never repeated blind. An
answer that the vendor did give, refusals included, is returned for the connector to read.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Final, Protocol, TypeAlias

import httpx
import msgspec
import structlog
import tenacity

from connectors.address import checked_address, is_loopback, origin
from connectors.budget import PATIENCE, RateBudget
from connectors.dialect import Answer, Dialect, Throttle, check_permitted, retry_after, throttled
from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientError,
)
from connectors.port import Clock

__all__ = [
    "Answer",
    "Authorizer",
    "Calls",
    "Dialect",
    "Parameters",
    "Throttle",
    "Transport",
    "open_client",
    "retry_after",
    "throttled",
]

REPEAT_WRITE_FOR: Final = 180.0
"""Seconds in which a vendor is trusted to recognise a repeated write by its key."""

READ_ATTEMPTS: Final = 5

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
# The request never left, so repeating cannot do anything twice.
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


Parameters: TypeAlias = Sequence[tuple[str, str]] | Mapping[str, str]


class Authorizer(Protocol):
    """Where the Authorization header comes from."""

    def header(self) -> str:
        """Its value now. Raises AuthorizationError when a person has to reconnect."""
        ...

    def renew(self, rejected: str) -> None:
        """`rejected` was answered with 401: get another. Raises AuthorizationError."""
        ...


class Calls(msgspec.Struct, frozen=True):
    """How many requests went out, repeats included."""

    read: int = 0
    write: int = 0
    throttled: int = 0


class _LostAnswer(TransientError):
    """The request may have been done."""


class _Attempts:
    """One request and its repeats."""

    def __init__(self, request: httpx.Request, *, is_read: bool, is_keyed: bool) -> None:
        self.request = request
        self.is_read = is_read
        self.is_keyed = is_keyed
        self.before_repeat: Callable[[], bool] | None = None
        self.first_sent: float | None = None
        self.is_lost = False
        self.is_renewed = False
        self.request_id = ""

    def unknown(self, words: str = "") -> OutcomeUnknownError:
        message = f"the answer to {self.request.method} {self.request.url.path} was lost{words}"
        return OutcomeUnknownError(message, request_id=self.request_id)


def open_client(
    base_url: str, *, inner: httpx.BaseTransport | None = None, user_agent: str = "ar-bridge"
) -> httpx.Client:
    """A client with timeouts, without redirects (a token must not follow one). `inner` answers
    in-process instead of a socket."""
    return httpx.Client(
        transport=inner,
        timeout=_TIMEOUT,
        follow_redirects=False,
        # A proxy of the environment has no business between two programs of this machine.
        trust_env=not is_loopback(base_url),
        headers={"User-Agent": user_agent},
    )


class Transport:
    """Sends the requests of one book. Safe for threads; close it when done."""

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        budget: RateBudget,
        auth: Authorizer | None = None,
        dialect: Dialect | None = None,
        http: httpx.Client | None = None,
        owns_http: bool = False,
        inner: httpx.BaseTransport | None = None,
        other_origins: Sequence[str] = (),
        log: Any = None,
        on_call: Callable[[str], None] = lambda sort: None,
    ) -> None:
        """`on_call` is told "read" or "write" of each request, and "throttled" of a refused one.
        `other_origins` may be reached by absolute address beside `base_url`'s own. A client
        that is handed in is closed with the transport only where `owns_http` says so.

        Raises InsecureAddressError for a plain HTTP address that leaves this machine.
        """
        self.base_url = checked_address(base_url.rstrip("/") + "/")
        self._allowed = {origin(checked_address(url)) for url in (base_url, *other_origins)}
        self._clock = clock
        self.budget = budget
        self._auth = auth
        self._dialect = dialect or Dialect()
        self._owns_http = owns_http or http is None
        self._http = http or open_client(base_url, inner=inner)
        self._log = log if log is not None else _standard_log()
        self._on_call = on_call
        self._lock = Lock()
        self._calls = Calls()

    @property
    def calls(self) -> Calls:
        with self._lock:
            return self._calls

    def request(
        self,
        method: str,
        path_or_url: str,
        *,
        params: Parameters = (),
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        content: bytes = b"",
        idempotent: bool = False,
        vendor_key: str = "",
        before_repeat: Callable[[], bool] | None = None,
    ) -> Answer:
        """Send it and give the vendor's answer, whatever its status, unless listed below.

        `path_or_url` is relative to the book's address or absolute; a query that it carries is
        kept and `params` are added. `idempotent` marks a read in a writing verb's clothes.
        `vendor_key` says that the request already carries that key (as header or parameter).
        `before_repeat` is asked before a write whose answer was lost is repeated: it looks
        whether any of it is there, and says yes where nothing is. It may send requests.

        Raises TransientError or RateLimitedError when nothing was done and waiting did not
        help, AuthorizationError after a refused and renewed token, OutcomeUnknownError for a
        write whose answer was lost.
        """
        method = method.upper()
        attempts = _Attempts(
            self._http.build_request(
                method, self._address(path_or_url, params), headers=dict(headers), content=content
            ),
            is_read=idempotent or method in _SAFE,
            is_keyed=bool(vendor_key),
        )
        attempts.before_repeat = before_repeat
        retrying = tenacity.Retrying(
            sleep=self._clock.sleep,
            retry=tenacity.retry_if_exception(lambda error: self._may_repeat(attempts, error)),
            wait=_wait,
            stop=lambda state: self._gives_up(attempts, state),
            reraise=True,
        )
        try:
            return retrying(self._attempt, attempts)
        except TransientError as error:
            if attempts.is_lost and not attempts.is_read:
                words = f" ({error.message}): it may or may not have been done"
                raise attempts.unknown(words) from error
            if isinstance(error, _LostAnswer):
                raise TransientError(
                    error.message, retry_after=error.retry_after, request_id=error.request_id
                ) from error
            raise

    def close(self) -> None:
        """Let go of sockets."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _address(self, path_or_url: str, params: Parameters) -> httpx.URL:
        url = httpx.URL(path_or_url)
        if url.is_relative_url:
            url = httpx.URL(f"{self.base_url}{path_or_url.lstrip('/')}")
        if origin(url) not in self._allowed:
            raise ValueError(f"{url.scheme}://{url.host} does not belong to this book")
        # httpx's own `params=` would replace a query that the address already carries.
        if not params:
            return url
        pairs = tuple(params.items() if isinstance(params, Mapping) else params)
        return url.copy_merge_params(httpx.QueryParams(pairs))

    def _attempt(self, attempts: _Attempts) -> Answer:
        # Outside of the budget's place: looking takes a place of its own.
        self._look(attempts)
        while True:
            authorization = self._auth.header() if self._auth is not None else ""
            if authorization:
                attempts.request.headers["Authorization"] = authorization
            with self.budget.place(is_write=not attempts.is_read, path=attempts.request.url.path):
                self._check_age(attempts)
                answer = self._exchange(attempts)
                self.budget.heard(self._dialect.remaining(answer.headers))
                self._raise_throttled(attempts, answer)
            if answer.status == 401 and self._auth is not None:
                if attempts.is_renewed:
                    check_permitted(self._dialect, answer, attempts.request)
                    raise AuthorizationError(
                        f"{self._dialect.name} refuses the connection"
                        f"{self._words(answer)}: connect the book again",
                        request_id=answer.request_id,
                    )
                attempts.is_renewed = True
                self._auth.renew(authorization)
                continue
            if answer.status == 403:
                check_permitted(self._dialect, answer, attempts.request)
            if answer.status >= 500:
                attempts.is_lost = True
                raise _LostAnswer(
                    f"{self._dialect.name} answered {answer.status}{self._words(answer)}",
                    retry_after=retry_after(answer.headers, self._clock.now()),
                    request_id=answer.request_id,
                )
            if answer.status == 408:
                raise TransientError(
                    f"{self._dialect.name} did not receive the request in time",
                    request_id=answer.request_id,
                )
            return answer

    def _exchange(self, attempts: _Attempts) -> Answer:
        """One request on the wire. Lost answers and unreachable hosts become our errors."""
        request = attempts.request
        began = self._clock.monotonic()
        if attempts.first_sent is None:
            attempts.first_sent = began
        self._count("read" if attempts.is_read else "write")
        try:
            response = self._http.send(request)
        except _NOT_SENT as error:
            self._note("unreachable", request, reason=type(error).__name__)
            raise TransientError(
                f"{request.url.host} cannot be reached ({_reason(error)})"
            ) from error
        except httpx.RequestError as error:
            attempts.is_lost = True
            self._note("answer lost", request, reason=type(error).__name__)
            raise _LostAnswer(f"{request.url.host} did not answer ({_reason(error)})") from error
        answer = Answer(
            status=response.status_code,
            headers=response.headers,
            content=response.content,
            request_id=response.headers.get(self._dialect.request_id_header, "")
            if self._dialect.request_id_header
            else "",
        )
        attempts.request_id = answer.request_id
        self._note(
            "called",
            request,
            status=answer.status,
            seconds=round(self._clock.monotonic() - began, 3),
            vendor_request_id=answer.request_id,
        )
        return answer

    def _raise_throttled(self, attempts: _Attempts, answer: Answer) -> None:
        now = self._clock.now()
        throttle = self._dialect.throttle(answer, now)
        if throttle is None:
            return
        self._count("throttled")
        limit = self.budget.pause(throttle.seconds, throttle.limit)
        raise RateLimitedError(
            limit.message,
            retry_after=limit.retry_after,
            until=limit.until,
            request_id=answer.request_id,
        )

    def _check_age(self, attempts: _Attempts) -> None:
        """Waiting for a place may have taken a repeated write past the safe time."""
        if attempts.is_read or not attempts.is_lost or attempts.first_sent is None:
            return
        if self._clock.monotonic() - attempts.first_sent >= REPEAT_WRITE_FOR:
            raise attempts.unknown()

    def _look(self, attempts: _Attempts) -> None:
        """Vendors forget keys, and not every company warns of a number that is taken."""
        if not attempts.is_lost or attempts.is_read or attempts.before_repeat is None:
            return
        try:
            may_go = attempts.before_repeat()
        except TransientError:
            raise  # it is looked again, as long as the write may be repeated
        except ConnectorError as error:
            raise attempts.unknown(f", and cannot be looked for ({error.message})") from error
        if not may_go:
            raise attempts.unknown(", and some of it was done")

    def _may_repeat(self, attempts: _Attempts, error: BaseException) -> bool:
        if not isinstance(error, TransientError):
            return False
        return not attempts.is_lost or attempts.is_read or attempts.is_keyed

    def _gives_up(self, attempts: _Attempts, state: tenacity.RetryCallState) -> bool:
        if state.upcoming_sleep > PATIENCE:
            return True
        if attempts.is_read or not attempts.is_lost or attempts.first_sent is None:
            return state.attempt_number >= READ_ATTEMPTS
        age = self._clock.monotonic() - attempts.first_sent
        return age + state.upcoming_sleep >= REPEAT_WRITE_FOR

    def _words(self, answer: Answer) -> str:
        words = self._dialect.explain(answer)
        return f": {words}" if words else ""

    def _count(self, sort: str) -> None:
        with self._lock:
            seen = getattr(self._calls, sort)
            self._calls = msgspec.structs.replace(self._calls, **{sort: seen + 1})
        self._on_call(sort)

    def _note(self, event: str, request: httpx.Request, **facts: object) -> None:
        # Path only: queries carry addresses of customers, headers and bodies carry secrets.
        self._log.debug(
            event, method=request.method, host=request.url.host, path=request.url.path, **facts
        )


_exponential = tenacity.wait_exponential(multiplier=1, max=60)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after if isinstance(error, TransientError) else None
    return asked if asked is not None else _exponential(state)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _standard_log() -> Any:
    """Into the standard library's log: silent until the application says otherwise."""
    return structlog.wrap_logger(
        logging.getLogger("connectors.transport"),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
    )
