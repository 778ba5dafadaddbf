"""What one mail is: a reply, a message that did not arrive, an automatic answer, a complaint."""

import hashlib
import re
from datetime import date
from typing import Final, Literal, TypeAlias

import msgspec

from ar_bridge.inbound.automatic import back_on, is_automatic, says_moved
from ar_bridge.inbound.bounces import bounce_in
from ar_bridge.inbound.letter import (
    AttachmentName,
    Letter,
    UnreadableError,
    one_line,
    read_letter,
)
from ar_bridge.inbound.urgent import own_words, urgent_word

MailKind: TypeAlias = Literal[
    "reply",
    "bounce",
    "soft_bounce",
    "delayed",
    "auto_reply",
    "moved",
    "complaint",
    "own",
    "unreadable",
]
"""reply: somebody wrote; bounce, soft_bounce: a message did not arrive, for good or this time;
delayed: it is still being tried; moved: nobody reads that address any more; complaint: a mail
provider reports that the customer called a message unwanted; own: a copy of a message of ours."""

EXCERPT: Final = 4_000
"""Characters of a mail's words that are kept."""

_OURS: Final = re.compile(r"<?(arb\.[0-9a-f]{32}@[A-Za-z0-9.-]{1,190})>?")
_REFERRING: Final = (
    "in-reply-to",
    "references",
    "original-message-id",
    "x-original-message-id",
    "x-failed-message-id",
    "thread-references",
)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was made out of one mail."""

    v: int = 1
    kind: MailKind
    identity: str
    """sha256: the same mail, however it reaches us."""
    sender: str = ""
    subject: str = ""
    text: str = ""
    """The beginning of what the sender wrote, without what is quoted."""
    answers: tuple[str, ...] = ()
    """Message-IDs of ours that it names, what it answers first."""
    recipients: tuple[str, ...] = ()
    """Of a message that did not arrive: the addresses."""
    status: str = ""
    said: str = ""
    back_on: date | None = None
    urgent: str = ""
    """The word that makes it urgent."""
    attachments: tuple[AttachmentName, ...] = ()
    problem: str = ""
    """Why it could not be read."""


def read_mail(content: bytes, received: date) -> Reading:
    """Read one mail. Raises nothing: what cannot be read is a Reading that says so."""
    try:
        letter = read_letter(content)
        return _read(letter, content, received)
    except UnreadableError as wrong:
        return _unreadable(content, str(wrong))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as wrong:
        # Whatever somebody sends: one mail never keeps the others from being read.
        return _unreadable(content, f"{type(wrong).__name__}: {wrong}")


def identity_of(letter: Letter | None, content: bytes) -> str:
    """The same for every copy of a mail: its own Message-ID with its sender and date, or where it
    has none, all of it."""
    named = letter.header("message-id") if letter is not None else ""
    if letter is None or not named:
        return hashlib.sha256(content).hexdigest()
    parts = "\n".join((named, letter.header("from"), letter.header("date")))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()


def _read(letter: Letter, content: bytes, received: date) -> Reading:
    basic = Reading(
        kind="reply",
        identity=identity_of(letter, content),
        sender=one_line(letter.sender, 255),
        subject=one_line(letter.header("subject")),
        attachments=letter.attachments,
    )
    if _OURS.search(letter.header("message-id")):
        return _with(basic, kind="own")
    text = own_words(letter.text)[:EXCERPT]
    if letter.report_type == "feedback-report":
        return _with(basic, kind="complaint", text=text, answers=_answers(letter, quoted=True))
    bounce = bounce_in(letter)
    if bounce is not None:
        kinds: dict[str, MailKind] = {
            "hard": "bounce",
            "soft": "soft_bounce",
            "delayed": "delayed",
            "delivered": "auto_reply",
        }
        return _with(
            basic,
            kind=kinds[bounce.verdict],
            answers=_answers(letter, quoted=True),
            recipients=bounce.recipients,
            status=bounce.status,
            said=bounce.said,
        )
    answers = _answers(letter, quoted=False)
    if says_moved(letter) and is_automatic(letter):
        return _with(basic, kind="moved", text=text, answers=answers)
    if is_automatic(letter):
        back = back_on(letter, received)
        return _with(basic, kind="auto_reply", text=text, answers=answers, back_on=back)
    urgent = urgent_word(basic.subject, letter.text)
    return _with(basic, text=text, answers=answers, urgent=urgent)


def _answers(letter: Letter, *, quoted: bool) -> tuple[str, ...]:
    """Message-IDs of ours: those in the headers, the last of a chain first; of a report those in
    what it returns too."""
    found: list[str] = []
    for name in _REFERRING:
        for value in letter.headers.get(name, ()):
            found += reversed(_OURS.findall(value))
    if quoted:
        found += _OURS.findall(letter.returned)
        for part in letter.status_parts:
            found += _OURS.findall(part)
        found += _OURS.findall(letter.text)
    return tuple(dict.fromkeys(f"<{one}>" for one in found))[:20]


def _with(reading: Reading, **changes: object) -> Reading:
    return msgspec.structs.replace(reading, **changes)


def _unreadable(content: bytes, problem: str) -> Reading:
    return Reading(
        kind="unreadable", identity=identity_of(None, content), problem=one_line(problem)
    )
