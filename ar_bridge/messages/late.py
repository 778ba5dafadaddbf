"""What is filled in at sending, and nothing else: pay link, attachments, `Date`.

A rendered message is stored, approved and compared as it is. Only its late slots change
afterwards, because a pay link may expire and an attachment is read when it is sent.
"""

import re
from datetime import datetime
from html import escape
from typing import Final, TypeAlias

import msgspec

PAY_LINK: Final = "{{ pay_link }}"
"""Stands in the stored message where the pay link goes."""

HTML_BEGIN: Final = "<!-- pay_link -->"
HTML_END: Final = "<!-- /pay_link -->"

_HTML_BLOCK = re.compile(re.escape(HTML_BEGIN) + r".*?" + re.escape(HTML_END), re.DOTALL)


PayLinks: TypeAlias = tuple[tuple[str, str], ...]
"""Invoice number and where to pay it online."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that travels with the message, such as a copy of the invoice."""

    filename: str
    content_type: str
    content: bytes


class LateSlots(msgspec.Struct, frozen=True, kw_only=True):
    """The values of the late slots for one message."""

    date: datetime
    """Aware; becomes the `Date` header."""
    pay_links: PayLinks = ()
    attachments: tuple[Attachment, ...] = ()


def filled_text(text: str, pay_links: PayLinks) -> str:
    """The text with its pay link, or a line for each of several. Without any the whole line goes,
    not just the link."""
    if len(pay_links) == 1:
        return text.replace(PAY_LINK, pay_links[0][1])
    if pay_links:
        width = max(len(number) for number, _ in pay_links)
        each = [f"    {number.ljust(width)}  {link}" for number, link in pay_links]
        lines: list[str] = []
        for line in text.split("\n"):
            if PAY_LINK in line:
                lines += [line.replace(PAY_LINK, "").rstrip(), *each]
            else:
                lines.append(line)
        return "\n".join(lines)
    kept = [line for line in text.split("\n") if PAY_LINK not in line]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


def filled_html(html: str, pay_links: PayLinks) -> str:
    """The HTML with its pay link; of several, the block between its two marks is repeated, each
    with the number of its invoice; without any the block goes."""

    def blocks(found: re.Match[str]) -> str:
        return "".join(
            found[0]
            .replace(PAY_LINK, escape(link))
            .replace("</a>", f" {escape(number)}</a>" if len(pay_links) > 1 else "</a>")
            for number, link in pay_links
        )

    return _HTML_BLOCK.sub(blocks, html).replace(
        PAY_LINK, escape(pay_links[0][1]) if pay_links else ""
    )
