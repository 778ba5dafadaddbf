"""Ways of reaching customers. One file each; `CHANNELS` lists them."""

from ar_bridge.channels.eml import EmlDrafts
from ar_bridge.channels.errors import (
    ChannelError,
    ChannelRefusedError,
    ChannelSetupError,
    ChannelTransientError,
    ChannelUnknownError,
)
from ar_bridge.channels.mime import MailFrom
from ar_bridge.channels.port import Channel, ChannelReceipt, Refusal
from ar_bridge.channels.smtp import SmtpChannel, SmtpServer

CHANNELS: dict[str, type[SmtpChannel] | type[EmlDrafts]] = {
    SmtpChannel.name: SmtpChannel,
    EmlDrafts.name: EmlDrafts,
}
"""Channel name in a policy to its class; `eml` stands in for `email` in mode draft."""

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
    "MailFrom",
    "Refusal",
    "SmtpChannel",
    "SmtpServer",
]
