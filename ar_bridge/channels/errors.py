"""Trouble with a channel, named by what the caller must do.

ChannelError
|-- ChannelTransientError       nothing was handed over: try the same again later
|   `-- ChannelSetupError       nothing was handed over, and nothing will be until a person
|                               corrects the settings
|-- ChannelRefusedError         refused for good: this customer is not reached this way
`-- ChannelUnknownError         handed over, answer lost: it may have been delivered
"""

from collections.abc import Sequence

from connectors.redaction import without_known_secrets


class ChannelError(Exception):
    """The message was not sent."""

    def __init__(self, message: str = "") -> None:
        # A mail server may repeat what it was given.
        self.message = without_known_secrets(
            message or (type(self).__doc__ or "").strip().splitlines()[0]
        )
        super().__init__(self.message)


class ChannelTransientError(ChannelError):
    """The message could not be handed over; the same can be tried again."""


class ChannelSetupError(ChannelTransientError):
    """The mail server does not accept us: correct the settings, then try the same again."""


class ChannelRefusedError(ChannelError):
    """The message was refused for good."""

    def __init__(self, message: str = "", *, addresses: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.addresses = tuple(addresses)
        """Recipients that were refused; empty where the message itself was."""


class ChannelUnknownError(ChannelError):
    """The message was handed over and the answer was lost: it may have been delivered."""
