"""What is filled in at sending, and nothing else: pay link, attachments, `Date`.

A rendered message is stored, approved and compared as it is. Only its late slots change
afterwards, because a pay link may expire and an attachment is read when it is sent.
"""

import re
from datetime import datetime
from typing import Final

import msgspec

PAY_LINK: Final = "{{ pay_link }}"
"""Stands in the stored message where the pay link goes."""

HTML_BEGIN: Final = "<!-- pay_link -->"
HTML_END: Final = "<!-- /pay_link -->"

_HTML_BLOCK = re.compile(re.escape(HTML_BEGIN) + r".*?" + re.escape(HTML_END), re.DOTALL)


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that travels with the message, such as a copy of the invoice."""

    filename: str
    content_type: str
    content: bytes


class LateSlots(msgspec.Struct, frozen=True, kw_only=True):
    """The values of the late slots for one message."""

    date: datetime
    """Aware; becomes the `Date` header."""
    pay_link: str = ""
    attachments: tuple[Attachment, ...] = ()


def filled_text(text: str, pay_link: str) -> str:
    """The text with its pay link. Without one the whole line goes, not just the link."""
    if pay_link:
        return text.replace(PAY_LINK, pay_link)
    kept = [line for line in text.split("\n") if PAY_LINK not in line]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


def filled_html(html: str, pay_link: str) -> str:
    """The HTML with its pay link; without one the block between its two marks goes."""
    if not pay_link:
        return _HTML_BLOCK.sub("", html)
    escaped = pay_link.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return html.replace(PAY_LINK, escaped)
