"""A mail as it was sent by anybody, made readable without trusting anything in it.

Whatever the bytes are, this raises nothing but `UnreadableError`: broken charsets are replaced,
nesting and the number of parts are limited, and of each mail only so many characters are kept.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from typing import Final, TypeAlias

import msgspec

MOST_PARTS: Final = 200
DEEPEST: Final = 20
MOST_TEXT: Final = 60_000
"""Characters of a mail's words that are looked at."""
MOST_HEADER: Final = 4_000
"""Characters of one header that are looked at; chains of references may be long."""
LISTED: Final = 20
"""Attachments that are listed."""

Mail: TypeAlias = "Message[str, str]"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class UnreadableError(ValueError):
    """This is no mail that can be read."""


class AttachmentName(msgspec.Struct, frozen=True, kw_only=True):
    """What travelled along; its content is not kept."""

    name: str
    content_type: str
    bytes: int


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail."""

    headers: dict[str, tuple[str, ...]]
    """By name in lower case; decoded, one line each."""
    content_type: str
    report_type: str
    text: str
    """The words, plain; of a mail that has HTML only, the words in that."""
    status_parts: tuple[str, ...] = ()
    """Machine-readable parts of a report, as text."""
    returned: str = ""
    """Headers of the message that a report is about, as text."""
    attachments: tuple[AttachmentName, ...] = ()

    def header(self, name: str) -> str:
        """The first header of that name; empty for none."""
        return next(iter(self.headers.get(name.lower(), ())), "")

    def addresses(self, *names: str) -> tuple[str, ...]:
        """Addresses in headers, in lower case, each once."""
        found = getaddresses([value for name in names for value in self.headers.get(name, ())])
        return tuple(dict.fromkeys(one.lower() for _, one in found if "@" in one))

    @property
    def sender(self) -> str:
        """Who wrote it; empty where nobody is named."""
        return next(iter(self.addresses("from")), "")

    @property
    def dated(self) -> datetime | None:
        """Its own Date; None where it has none that makes sense."""
        try:
            found = parsedate_to_datetime(self.header("date"))
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None


def read_letter(content: bytes) -> Letter:
    """Read a mail. Raises UnreadableError."""
    if not content.strip():
        raise UnreadableError("it is empty")
    try:
        return _letter(message_from_bytes(content, policy=policy.compat32))
    except UnreadableError:
        raise
    # The library meets broken mail with errors of many kinds, and deep nesting with recursion.
    except (MessageError, ValueError, LookupError, TypeError, AttributeError) as wrong:
        raise UnreadableError(f"{type(wrong).__name__}: {wrong}") from wrong
    except RecursionError as wrong:
        raise UnreadableError("its parts are nested too deeply") from wrong


def one_line(text: str, most: int = 200) -> str:
    """Foreign words on one line, without control characters or direction overrides."""
    return " ".join(_CONTROL.sub(" ", text).split())[:most]


def _letter(mail: Mail) -> Letter:
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in mail.items()[:500]:
        key = str(name).lower()
        headers[key] = (*headers.get(key, ()), _decoded(value))
    if not headers:
        raise UnreadableError("it has no headers")
    plain: list[str] = []
    rich: list[str] = []
    status: list[str] = []
    returned: list[str] = []
    attached: list[AttachmentName] = []
    for part in _parts(mail):
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/feedback-report"):
            status.append(_status_text(part))
        elif kind in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            returned.append(_headers_of(part))
        elif part.get_filename() or part.get_content_disposition() == "attachment":
            if len(attached) < LISTED:
                attached.append(_listed(part, kind))
        elif kind == "text/plain" and sum(map(len, plain)) < MOST_TEXT:
            plain.append(_text_of(part))
        elif kind == "text/html" and sum(map(len, rich)) < MOST_TEXT:
            rich.append(_text_of(part))
    text = "\n".join(plain).strip() or "\n".join(map(_words_of, rich)).strip()
    return Letter(
        headers=headers,
        content_type=mail.get_content_type(),
        report_type=str(mail.get_param("report-type") or "").lower(),
        text=_CONTROL.sub(" ", text.replace("\r\n", "\n"))[:MOST_TEXT],
        status_parts=tuple(status),
        returned="\n".join(returned)[:MOST_TEXT],
        attachments=tuple(attached),
    )


def _parts(mail: Mail, depth: int = 0) -> Iterator[Mail]:
    """Every part, in order, but never into a message that a report returns."""
    waiting: list[tuple[Mail, int]] = [(mail, depth)]
    seen = 0
    while waiting and seen < MOST_PARTS:
        part, level = waiting.pop()
        seen += 1
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            if level >= DEEPEST:
                raise UnreadableError("its parts are nested too deeply")
            inner = [one for one in payload if isinstance(one, Message)]
            waiting += [(one, level + 1) for one in reversed(inner)]
            continue
        yield part


def _text_of(part: Mail) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        return payload.decode(charset, "replace")
    except (LookupError, ValueError):
        return payload.decode("latin-1")


def _status_text(part: Mail) -> str:
    payload = part.get_payload()
    if isinstance(payload, list):
        blocks = [one for one in payload if isinstance(one, Message)]
        return "\n\n".join(
            "\n".join(f"{name}: {_decoded(value)}" for name, value in block.items()[:50])
            for block in blocks[:50]
        )
    return _text_of(part) or str(payload)[:MOST_TEXT]


def _headers_of(part: Mail) -> str:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return "\n".join(f"{name}: {_decoded(value)}" for name, value in payload[0].items()[:100])
    return (_text_of(part) or str(payload))[:MOST_TEXT]


def _listed(part: Mail, kind: str) -> AttachmentName:
    payload = part.get_payload(decode=True)
    return AttachmentName(
        name=one_line(_decoded(part.get_filename() or ""), 120),
        content_type=one_line(kind, 80),
        bytes=len(payload) if isinstance(payload, bytes) else 0,
    )


def _decoded(value: object) -> str:
    text = str(value)[:MOST_HEADER]
    if "=?" in text:
        # In an encoding that nobody knows the header stands as it came.
        with suppress(MessageError, ValueError, LookupError, TypeError):
            text = "".join(
                part.decode(charset or "latin-1", "replace") if isinstance(part, bytes) else part
                for part, charset in decode_header(text)
            )
    text = text.encode("utf-8", "replace").decode("utf-8")
    return one_line(text, MOST_HEADER)


class _Words(HTMLParser):
    """The words of an HTML mail: nothing is loaded, run or shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "head"):
            self._silent += 1
        elif tag in ("br", "p", "div", "tr", "li"):
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head"):
            self._silent = max(0, self._silent - 1)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


def _words_of(html: str) -> str:
    reader = _Words()
    try:
        reader.feed(html[:MOST_TEXT])
        reader.close()
    except (ValueError, AssertionError):
        return ""
    lines = ("".join(reader.found)).split("\n")
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)
