"""Letters: the message as a page that a browser prints, for a window envelope.

The file is the hand-over: a person prints and posts it, and a task asks for that. Its name comes
from the message, so that writing the same letter again replaces the file and makes no second one.
"""

import hashlib
import os
import re
from html import escape
from pathlib import Path
from typing import Final

from ar_bridge.channels.errors import ChannelTransientError
from ar_bridge.channels.port import ChannelReceipt
from ar_bridge.messages.late import LateSlots, filled_html, filled_text
from connectors.port import Clock
from rules.actions.effects import SendMessage

_BODY: Final = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)

# The address stands where the windows of DIN 5008 form B and of DL and C5 envelopes are: 20 mm
# from the left, its lines from 50 mm to 85 mm below the upper edge of an A4 page.
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 20mm 20mm 20mm 20mm; }}
@page :first {{ margin-top: 0; }}
body {{ margin: 0; background: #fff; color: #000; font: 11pt/1.4 Helvetica, Arial, sans-serif; }}
.window {{ height: 95mm; box-sizing: border-box; padding-top: 50mm; position: relative; }}
.window address {{ font-style: normal; width: 80mm; line-height: 1.35; }}
.window .day {{ position: absolute; right: 0; top: 85mm; }}
.sheet {{ max-width: none !important; padding: 0 !important; }}
.sheet > p:first-child {{ display: none; }}
h1 {{ font-size: 11pt; margin: 0 0 5mm 0; }}
pre {{ font: inherit; white-space: pre-wrap; }}
table, tr {{ break-inside: avoid; }}
</style>
</head>
<body>
<div class="window"><address>{address}</address><p class="day">{day}</p></div>
<h1>{title}</h1>
{body}
</body>
</html>
"""


class LetterFiles:
    """Writes each letter to `<directory>/<date>/<16 hex digits>.html`, what is enclosed with it
    beside it."""

    name = "letter"
    is_repeatable = True

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    def check(self) -> None:
        """A folder is always there."""

    def send(self, message: SendMessage, slots: LateSlots) -> ChannelReceipt:
        """Write the letter. Raises ChannelTransientError where the file cannot be written."""
        path = letter_path(self._directory, message.message_id, slots.date.date().isoformat())
        enclosures = {
            path.with_name(f"{path.stem}-{file.filename}"): file.content
            for file in slots.attachments
        }
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for place, content in {**enclosures, path: page(message, slots).encode()}.items():
                unfinished = place.with_name(f".{place.name}.part")
                with unfinished.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.replace(place)
            _settle(path.parent)
        except OSError as trouble:
            raise ChannelTransientError(
                f"the letter {path} could not be written: {trouble}"
            ) from trouble
        return ChannelReceipt(
            channel=self.name,
            message_id=message.message_id,
            at=self._clock.now(),
            accepted=message.to,
            response=str(path),
        )

    def close(self) -> None:
        """Nothing is kept open."""


def letter_path(directory: Path, message_id: str, day: str) -> Path:
    """Where a letter of a day lies: the same message, the same file."""
    digest = hashlib.sha256(message_id.encode()).hexdigest()[:16]
    return directory / day / f"{digest}.html"


def page(message: SendMessage, slots: LateSlots) -> str:
    """The letter as one HTML page; nothing in it is fetched from elsewhere."""
    found = _BODY.search(message.html)
    if found is not None:
        body = filled_html(found[1], slots.pay_links)
    else:
        body = f"<pre>{escape(filled_text(message.text, slots.pay_links))}</pre>"
    language = re.search(r'<html lang="([a-zA-Z-]+)"', message.html)
    return _PAGE.format(
        language=language[1] if language else "en",
        title=escape(message.subject),
        address="<br>\n".join(escape(line) for line in message.to),
        day=slots.date.date().isoformat(),
        body=body,
    )


def _settle(folder: Path) -> None:
    """The new name lasts once the folder is on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
