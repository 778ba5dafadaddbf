"""Values as stored JSON: every body starts with `v`, the version of its shape.

A decoder ignores what it does not know, so an added field needs no new version; a renamed or
re-read one does, and then the old shape is translated here, in one place.
"""

from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

import msgspec

VERSION = 1

_encoder = msgspec.json.Encoder()
_PREFIX = b'{"v":%d' % VERSION

T = TypeVar("T")


def body_of(value: msgspec.Struct) -> str:
    """A struct as the JSON text that is stored."""
    plain = _encoder.encode(value)
    return (_PREFIX + (b"," if len(plain) > 2 else b"") + plain[1:]).decode()


class Bodies(Generic[T]):
    """Reads stored bodies of one type, fast. Raises ValidationError for a damaged row."""

    def __init__(self, type_: Any) -> None:
        self._decode = msgspec.json.Decoder(type_).decode

    def read(self, body: str | bytes) -> T:
        """One body as a value."""
        value: T = self._decode(body)
        return value


def day(text: str | None) -> date | None:
    """A stored date."""
    return date.fromisoformat(text) if text else None


def instant(text: str | None) -> datetime | None:
    """A stored instant."""
    return datetime.fromisoformat(text) if text else None


def instant_text(moment: datetime) -> str:
    """An instant as stored: ISO text in UTC, so that text order is time order."""
    return moment.astimezone(UTC).isoformat()
