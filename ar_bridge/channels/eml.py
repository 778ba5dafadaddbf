"""Drafts: the mail as a file that any mail program opens, instead of sending it."""

import hashlib
import os
from pathlib import Path

from ar_bridge.channels.errors import ChannelTransientError
from ar_bridge.channels.mime import MailFrom, mime
from ar_bridge.channels.port import ChannelReceipt
from ar_bridge.messages.late import LateSlots, filled_text
from connectors.port import Clock
from rules.actions.effects import SendMessage


class EmlDrafts:
    """Writes each message to `<directory>/<date>-<16 hex digits>.eml`; what is no mail as text.

    The name comes from the Message-ID: writing the same message again replaces its file. A
    file is complete or absent, never half there.
    """

    name = "eml"
    is_repeatable = True

    def __init__(self, directory: Path, sender: MailFrom, clock: Clock) -> None:
        self._directory = directory
        self._sender = sender
        self._clock = clock

    def check(self) -> None:
        """A folder is always there."""

    def send(self, message: SendMessage, slots: LateSlots) -> ChannelReceipt:
        """Write the draft. Raises ChannelTransientError where the file cannot be written."""
        if message.channel == "email":
            mail = mime(message, slots, self._sender)
            mail["X-Unsent"] = "1"  # Outlook opens it as something to send
            content, ending = mail.as_bytes(), "eml"
        else:
            text = filled_text(message.text, slots.pay_links)
            head = f"{message.channel} to {', '.join(message.to)}\n{message.subject}\n\n"
            content, ending = (head + text).encode(), "txt"
        digest = hashlib.sha256(message.message_id.encode()).hexdigest()[:16]
        path = self._directory / f"{slots.date.date().isoformat()}-{digest}.{ending}"
        unfinished = path.with_suffix(".part")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(content)
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
