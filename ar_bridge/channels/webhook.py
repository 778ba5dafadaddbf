"""Messages to a service of your own choice: an SMS gateway, a customer portal.

One POST of JSON a message:

    {"v": 1, "id": "<message id>", "channel": "webhook" | "sms", "customer": "C1",
     "to": ["+44 ..."], "cc": [], "subject": "...", "text": "...", "html": "...",
     "invoices": ["INV-7"], "pay_links": [{"invoice": "2026-7", "url": "https://..."}]}

    Idempotency-Key: the message id, the same whenever the same message is sent again
    Arb-Timestamp: seconds since 1970
    Arb-Signature: v1=<hex HMAC-SHA256 of "<timestamp>.<body>" under the shared secret>

2xx: taken. 408, 409, 425, 429 and 5xx before anything was done are not told apart from those
after: with its idempotency key the same request may be repeated, so 429 and 503 are tried again
and every other doubt is unknown. Any other 4xx: refused for good; 401 and 403: the set-up is wrong.
"""

import hashlib
import hmac
import json
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from ar_bridge.channels.errors import (
    ChannelRefusedError,
    ChannelSetupError,
    ChannelTransientError,
    ChannelUnknownError,
)
from ar_bridge.channels.port import ChannelReceipt
from ar_bridge.channels.smtp import is_loopback
from ar_bridge.messages.late import LateSlots, filled_html, filled_text
from connectors.port import Clock
from rules.actions.effects import SendMessage

_LATER: Final = frozenset({429, 503})
_OURS: Final = frozenset({401, 403})


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages are posted. Raises ValueError where they would travel in the open."""

    url: str
    secret: str
    """Shared with the service: it signs every request."""
    timeout: float = 30.0
    """Seconds to wait for the answer."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
            raise ValueError(f"{self.url} is not https: messages would travel unencrypted")
        if not self.secret:
            raise ValueError("the webhook needs a secret that its requests are signed with")


class WebhookChannel:
    """Posts to one gateway; `name` is the channel that it stands for: `webhook` or `sms`."""

    # Services differ in how long they remember an idempotency key, or whether they do.
    is_repeatable = False

    def __init__(
        self,
        gateway: Gateway,
        clock: Clock,
        *,
        name: str = "webhook",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._gateway = gateway
        self._clock = clock
        self._transport = transport

    def check(self) -> None:
        """Nothing is asked beforehand: a gateway has no question that costs nothing."""

    def send(self, message: SendMessage, slots: LateSlots) -> ChannelReceipt:
        """Post once; see `Channel.send`."""
        content = body(message, slots, self.name)
        stamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.message_id,
            "Arb-Timestamp": stamp,
            "Arb-Signature": signature(self._gateway.secret, stamp, content),
        }
        host = urlsplit(self._gateway.url).hostname
        try:
            with httpx.Client(timeout=self._gateway.timeout, transport=self._transport) as client:
                answer = client.post(self._gateway.url, content=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as trouble:
            raise ChannelTransientError(
                f"{host} could not be reached, nothing was sent: {trouble}"
            ) from trouble
        except httpx.HTTPError as trouble:
            raise ChannelUnknownError(
                f"{host} was given the message and did not answer ({trouble})"
            ) from trouble
        said = f"{answer.status_code} {' '.join(answer.text.split())[:200]}".strip()
        if answer.is_success:
            return ChannelReceipt(
                channel=self.name,
                message_id=message.message_id,
                at=self._clock.now(),
                accepted=(*message.to, *message.cc),
                response=said,
            )
        if answer.status_code in _LATER:
            raise ChannelTransientError(f"{host} puts the message off: {said}")
        if answer.status_code in _OURS:
            raise ChannelSetupError(f"{host} does not accept us: {said}")
        if answer.is_redirect or answer.status_code == 404:
            raise ChannelSetupError(f"{self._gateway.url} is not where messages are taken: {said}")
        if answer.is_client_error and answer.status_code not in (408, 409, 425):
            raise ChannelRefusedError(f"{host} refused the message: {said}", addresses=message.to)
        raise ChannelUnknownError(f"{host} answered {said}: it may have taken the message")

    def close(self) -> None:
        """Nothing is kept open."""


def body(message: SendMessage, slots: LateSlots, channel: str) -> bytes:
    """What is posted: the same message and slots give the same bytes."""
    told = {
        "v": 1,
        "id": message.message_id,
        "channel": channel,
        "customer": message.customer,
        "to": message.to,
        "cc": message.cc,
        "subject": message.subject,
        "text": filled_text(message.text, slots.pay_links),
        "html": filled_html(message.html, slots.pay_links) if message.html else "",
        "invoices": message.invoices,
        "pay_links": [{"invoice": number, "url": url} for number, url in slots.pay_links],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, stamp: str, content: bytes) -> str:
    """`v1=` and the HMAC-SHA256 of time and body, as the receiver computes it."""
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + content, hashlib.sha256)
    return f"v1={digest.hexdigest()}"
