"""The one interface between ar-bridge and a way of reaching customers."""

from datetime import datetime
from typing import Protocol

import msgspec

from ar_bridge.messages.late import LateSlots
from rules.actions.effects import SendMessage


class Refusal(msgspec.Struct, frozen=True):
    """A recipient that was refused while others were accepted."""

    address: str
    reason: str


class ChannelReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that a message was handed over."""

    v: int = 1
    channel: str
    message_id: str
    at: datetime
    accepted: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    response: str = ""
    """What the server answered, or where the draft lies."""


class Channel(Protocol):
    """A way of reaching customers. It keeps nothing between calls."""

    @property
    def name(self) -> str: ...

    @property
    def is_repeatable(self) -> bool:
        """Whether handing over the same message again changes nothing: what was interrupted is
        then simply done again."""
        ...

    def check(self) -> None:
        """Raises ChannelTransientError where nothing could be handed over at present."""
        ...

    def send(self, message: SendMessage, slots: LateSlots) -> ChannelReceipt:
        """Hand the message over once, with its late slots filled.

        Raises ChannelTransientError (nothing was handed over), ChannelRefusedError (refused for
        good) or ChannelUnknownError (handed over, answer lost: never repeated blind).
        """
        ...

    def close(self) -> None:
        """Let go of sockets."""
        ...
