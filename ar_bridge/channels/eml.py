"""Drafts: the mail as a file that any mail program opens, instead of sending it."""

import hashlib
import os
from pathlib import Path

from ar_bridge.channels.errors import ChannelTransientError
from ar_bridge.channels.mime import MailFrom, mime
from ar_bridge.channels.port import ChannelReceipt
from ar_bridge.messages.late import LateSlots
from connectors.port import Clock
from rules.actions.effects import SendMessage


class EmlDrafts:
    """Writes each message to `<directory>/<date>-<16 hex digits>.eml`.

    The name comes from the Message-ID: writing the same message again replaces its file. A
    file is complete or absent, never half there.
    """

    name = "eml"

    def __init__(self, directory: Path, sender: MailFrom, clock: Clock) -> None:
        self._directory = directory
        self._sender = sender
        self._clock = clock

    def check(self) -> None:
        """A folder is always there."""

    def send(self, message: SendMessage, slots: LateSlots) -> ChannelReceipt:
        """Write the draft. Raises ChannelTransientError where the file cannot be written."""
        mail = mime(message, slots, self._sender)
        mail["X-Unsent"] = "1"  # Outlook opens it as something to send
        digest = hashlib.sha256(message.message_id.encode()).hexdigest()[:16]
        path = self._directory / f"{slots.date.date().isoformat()}-{digest}.eml"
        unfinished = path.with_suffix(".part")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(mail.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as trouble:
            raise ChannelTransientError(
                f"the draft {path} could not be written: {trouble}"
            ) from trouble
        return ChannelReceipt(
            channel=self.name,
            message_id=message.message_id,
            at=self._clock.now(),
            accepted=(*message.to, *message.cc),
            response=str(path),
        )

    def close(self) -> None:
        """Nothing is kept open."""
