"""What came back over the wire, and what one vendor does its own way there."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from connectors.budget import Remaining
from connectors.errors import NotPermittedError


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `headers` may be read in any case."""

    status: int
    headers: httpx.Headers
    content: bytes
    request_id: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Throttle(msgspec.Struct, frozen=True):
    """The vendor asked every caller of the book to wait this many seconds."""

    seconds: float
    limit: str = ""
    """Which limit was hit, where the vendor tells: `day` for one that lasts."""


def throttled(answer: Answer, now: datetime) -> Throttle | None:
    """429, for as long as `Retry-After` says (seconds or a date), else a minute."""
    if answer.status != 429:
        return None
    return Throttle(retry_after(answer.headers, now) or 60.0)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for; None where it is absent or unreadable."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _nothing_said(headers: Mapping[str, str]) -> Remaining:
    return {}


def _no_sentence(answer: Answer) -> str:
    return ""


def _nothing_lacking(answer: Answer, path: str) -> str:
    return ""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one vendor does its own way on the wire."""

    name: str = "the accounting system"
    request_id_header: str = ""
    throttle: Callable[[Answer, datetime], Throttle | None] = throttled
    remaining: Callable[[Mapping[str, str]], Remaining] = _nothing_said
    """Calls left by window name, read from the headers of any answer."""
    explain: Callable[[Answer], str] = _no_sentence
    """The vendor's own words in an error answer, for the message."""
    lacking: Callable[[Answer, str], str] = _nothing_lacking
    """The permission that a 401 or 403 asks for, by the answer and the path of its request;
    empty where the connection itself is refused."""


def check_permitted(dialect: Dialect, answer: Answer, request: httpx.Request) -> None:
    """A refusal under a good token: raises NotPermittedError where it is this one endpoint for
    which the connection lacks the permission."""
    permission = dialect.lacking(answer, request.url.path)
    if permission:
        raise NotPermittedError(
            f"{dialect.name} does not let this connection {request.method} {request.url.path}: "
            f"it lacks the permission {permission}. Grant it to the app at {dialect.name}, then "
            "connect the book again",
            permission=permission,
            request_id=answer.request_id,
        )
