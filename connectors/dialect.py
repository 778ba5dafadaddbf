"""What came back over the wire, and what one vendor does its own way there."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from connectors.budget import Remaining


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


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one vendor does its own way on the wire."""

    name: str = "the accounting system"
    request_id_header: str = ""
    throttle: Callable[[Answer, datetime], Throttle | None] = throttled
    remaining: Callable[[Mapping[str, str]], Remaining] = _nothing_said
    """Calls left by window name, read from the headers of any answer."""
    explain: Callable[[Answer], str] = _no_sentence
    """The vendor's own words in an error answer, for the message."""
