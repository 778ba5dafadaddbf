"""The words of a message that a person changed: what has to stay, its HTML, and the next day's.

A message is made of figures and words. A person may change the words; the figures are those of
the action, and what no longer stands in the text is named. On a later day the figures move on (so
many days past due) under the person's words, line by line.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from html import escape
from typing import Final

import msgspec

from ar_bridge.messages.late import HTML_BEGIN, HTML_END, PAY_LINK
from rules.actions.action import RenderedMessage
from rules.model import format_minor

_FIGURE: Final = re.compile(r"\d(?:[\d.,'\u2019\u00a0\u202f\u2009]*\d)?")
_LINK: Final = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_TABLE: Final = re.compile(r"\S {2,}\S")


def lost_facts(
    before: RenderedMessage,
    after: RenderedMessage,
    *,
    amounts: Collection[tuple[int, str]],
    numbers: Collection[str],
) -> list[str]:
    """What the message said and no longer does: amounts (minor units and currency), invoice
    numbers, the place of the pay link. What stood in the text has to stand in the text."""
    lost: list[str] = []
    for old, new in (
        (before.text, after.text),
        (before.subject, f"{after.subject}\n{after.text}"),
    ):
        lost += [
            f"invoice number {number}"
            for number in numbers
            if _stands(number, old) and not _stands(number, new)
        ]
        had, has = _figures(old), _figures(new)
        for minor, currency in amounts:
            digits = _digits(format_minor(minor, currency))
            if digits in had and digits not in has:
                lost.append(f"amount {format_minor(minor, currency)} {currency}")
    if PAY_LINK in before.text and PAY_LINK not in after.text:
        lost.append(f"the place of the link to pay online, {PAY_LINK}")
    return list(dict.fromkeys(lost))


def reworded(message: RenderedMessage, subject: str, text: str) -> RenderedMessage:
    """The message with another subject and text; its HTML is made of the text again. Parts by
    other channels that say the same say the new words."""
    also = tuple(
        reworded(part, subject, text) if part.text == message.text else part
        for part in message.also
    )
    html = html_of(subject, text, message.language) if message.html else ""
    return msgspec.structs.replace(message, subject=subject, text=text, html=html, also=also)


def html_of(subject: str, text: str, language: str) -> str:
    """Plain text as an HTML page: paragraphs, tables as they are aligned, links. Everything in it
    is escaped: what a person types is never markup."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip("\n")) if block.strip()]
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        f"<title>{escape(subject)}</title></head>\n"
        '<body style="font-family: sans-serif; line-height: 1.4"><div>\n'
        + "\n".join(part for block in blocks for part in _parts(block))
        + "\n</div></body></html>\n"
    )


def _parts(block: str) -> Iterator[str]:
    """A block as HTML; a line with the late slot is a block of its own, which goes without it."""
    lines: list[str] = []
    for line in block.split("\n"):
        if PAY_LINK not in line:
            lines.append(line)
            continue
        if lines:
            yield _block(lines)
            lines = []
        words = escape(line.replace(PAY_LINK, "").strip())
        yield f'{HTML_BEGIN}<p>{words} <a href="{PAY_LINK}">{PAY_LINK}</a></p>{HTML_END}'
    if lines:
        yield _block(lines)


def _block(lines: Sequence[str]) -> str:
    safe = _linked("\n".join(lines))
    if any(_TABLE.search(line.strip()) for line in lines):
        return f'<pre style="font-family: monospace">{safe}</pre>'
    return "<p>" + safe.replace("\n", "<br>\n") + "</p>"


def _linked(text: str) -> str:
    """Escaped, with web addresses as links."""
    made: list[str] = []
    at = 0
    for found in _LINK.finditer(text):
        address = escape(found[0])
        made += [escape(text[at : found.start()]), f'<a href="{address}">{address}</a>']
        at = found.end()
    return "".join([*made, escape(text[at:])])


def moved_on(
    base: RenderedMessage, edited: RenderedMessage, today: RenderedMessage
) -> RenderedMessage | None:
    """A person's words on what the message says today; None where both changed the same lines.

    `base` is what the template made when it was edited, `today` what it makes now.
    """
    subject = _merged([base.subject], [edited.subject], [today.subject])
    lines = _merged(base.text.split("\n"), edited.text.split("\n"), today.text.split("\n"))
    if subject is None or lines is None:
        return None
    return reworded(today, subject[0] if subject else today.subject, "\n".join(lines))


def _merged(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str] | None:
    """Both changes applied to the base, in whole lines; None where they touch the same ones."""
    changes: list[tuple[int, int, list[str]]] = []
    for other in (ours, theirs):
        matcher = SequenceMatcher(None, base, other, autojunk=False)
        changes += [
            (first, end, list(other[start:stop]))
            for tag, first, end, start, stop in matcher.get_opcodes()
            if tag != "equal"
        ]
    changes.sort(key=lambda change: change[:2])
    merged: list[str] = []
    at = 0
    for position, (first, end, lines) in enumerate(changes):
        if position and changes[position - 1] == (first, end, lines):
            continue  # the same on both sides
        if first < at or (position and changes[position - 1][:2] == (first, end)):
            return None
        merged += [*base[at:first], *lines]
        at = end
    return [*merged, *base[at:]]


def _stands(number: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(number)}(?!\w)", text) is not None


def _figures(text: str) -> frozenset[str]:
    return frozenset(_digits(found) for found in _FIGURE.findall(text))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
