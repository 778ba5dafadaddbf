"""Messages to customers: from a decided action to subject, plain text and HTML."""

from ar_bridge.messages.late import (
    PAY_LINK,
    Attachment,
    LateSlots,
    filled_html,
    filled_text,
)
from ar_bridge.messages.recipients import Recipients, Unreachable, resolve
from ar_bridge.messages.render import MessageError, render, shipped_templates
from ar_bridge.messages.sender import Sender
from ar_bridge.messages.templates import Templates

__all__ = [
    "PAY_LINK",
    "Attachment",
    "LateSlots",
    "MessageError",
    "Recipients",
    "Sender",
    "Templates",
    "Unreachable",
    "filled_html",
    "filled_text",
    "render",
    "resolve",
    "shipped_templates",
]
