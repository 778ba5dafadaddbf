"""What vendors tell on their own: that something changed, never what.

A webhook is a hint to look sooner; reading the ledger stays the truth. Pure: bytes and headers
come in, nudges come out.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Final, TypeAlias

import msgspec


class Nudge(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a company that is said to have changed."""

    company_id: str
    entity: str
    """customers, invoices, payments, credits or estimates."""
    record_id: str


class MalformedWebhookError(ValueError):
    """A signed message that says nothing we can read."""


Reads: TypeAlias = Callable[[bytes], Sequence[Nudge]]
"""Reads a message's body; ignores what it does not know. Raises MalformedWebhookError."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """How one vendor sends webhooks."""

    header: str
    """Where the signature stands, in lower case."""
    reads: Reads


def is_signed(body: bytes, signature: str, key: str) -> bool:
    """Whether the base64 HMAC-SHA256 of these very bytes is the signature, compared in constant
    time. Never without a key."""
    if not key:
        return False
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.strip().encode())


SENDERS: Final[Mapping[str, str]] = {
    "quickbooks": "connectors.quickbooks.webhook",
    "xero": "connectors.xero.webhook",
}
"""Ledger to the module that holds its `SENDER`."""


def sender_of(ledger: str) -> Sender:
    """How this vendor sends webhooks. Raises KeyError for one that does not."""
    sender: Sender = import_module(SENDERS[ledger]).SENDER
    return sender
