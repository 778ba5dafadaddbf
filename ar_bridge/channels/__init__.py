"""Ways of reaching customers. One file each; `CHANNELS` lists them."""

from ar_bridge.channels.eml import EmlDrafts
from ar_bridge.channels.errors import (
    ChannelError,
    ChannelRefusedError,
    ChannelSetupError,
    ChannelTransientError,
    ChannelUnknownError,
)
from ar_bridge.channels.letter import LetterFiles
from ar_bridge.channels.mime import MailFrom
from ar_bridge.channels.port import Channel, ChannelReceipt, Refusal
from ar_bridge.channels.smtp import SmtpChannel, SmtpServer
from ar_bridge.channels.webhook import Gateway, WebhookChannel

CHANNELS: dict[str, type[Channel]] = {
    "email": SmtpChannel,
    "letter": LetterFiles,
    "webhook": WebhookChannel,
    "sms": WebhookChannel,
    "eml": EmlDrafts,
}
"""Channel name in a policy to its class; `eml` stands in for all but letters in mode draft."""

__all__ = [
    "CHANNELS",
    "Channel",
    "ChannelError",
    "ChannelReceipt",
    "ChannelRefusedError",
    "ChannelSetupError",
    "ChannelTransientError",
    "ChannelUnknownError",
    "EmlDrafts",
    "Gateway",
    "LetterFiles",
    "MailFrom",
    "Refusal",
    "SmtpChannel",
    "SmtpServer",
    "WebhookChannel",
]
