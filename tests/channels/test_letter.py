"""Letters are pages to print: complete, addressed, and one file for one message."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ar_bridge.channels import ChannelTransientError, LetterFiles
from ar_bridge.clock import VirtualClock
from ar_bridge.messages.late import Attachment
from rules.actions.effects import SendMessage
from tests.channels.cases import NOW, SLOTS, message


def letter() -> SendMessage:
    said = message("North & Sons", "1 High Street", "Leeds LS1 1AA")
    html = f'<html lang="en"><body class="x">{said.html}</body></html>'
    return msgspec.structs.replace(said, channel="letter", html=html)


def test_a_letter_is_a_page_with_the_address_in_its_window(tmp_path: Path) -> None:
    channel = LetterFiles(tmp_path / "letters", VirtualClock(NOW))
    receipt = channel.send(letter(), SLOTS)
    path = Path(receipt.response)
    assert path.parent == tmp_path / "letters" / "2026-10-27"
    page = path.read_text(encoding="utf-8")
    assert "North &amp; Sons<br>\n1 High Street<br>\nLeeds LS1 1AA" in page
    assert "<p>Hello</p>" in page and "https://pay.example/1" in page
    assert page.count("<body") == 1 and "{{" not in page
    assert receipt.accepted == ("North & Sons", "1 High Street", "Leeds LS1 1AA")


def test_the_same_letter_again_is_the_same_file(tmp_path: Path) -> None:
    clock = VirtualClock(NOW)
    channel = LetterFiles(tmp_path, clock)
    first = channel.send(letter(), SLOTS)
    clock.advance(timedelta(hours=1))
    assert channel.send(letter(), SLOTS).response == first.response
    assert len(list((tmp_path / "2026-10-27").iterdir())) == 1
    assert channel.is_repeatable


def test_copies_of_invoices_lie_beside_it(tmp_path: Path) -> None:
    copy = Attachment(filename="INV-7.pdf", content_type="application/pdf", content=b"%PDF")
    slots = msgspec.structs.replace(SLOTS, attachments=(copy,))
    path = Path(LetterFiles(tmp_path, VirtualClock(NOW)).send(letter(), slots).response)
    assert (path.parent / f"{path.stem}-INV-7.pdf").read_bytes() == b"%PDF"


def test_plain_text_is_shown_as_it_is(tmp_path: Path) -> None:
    plain = msgspec.structs.replace(letter(), html="", text="1 < 2\n")
    path = LetterFiles(tmp_path, VirtualClock(NOW)).send(plain, SLOTS).response
    assert "<pre>1 &lt; 2\n</pre>" in Path(path).read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_transient(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("a file, not a folder")
    with pytest.raises(ChannelTransientError, match="could not be written"):
        LetterFiles(tmp_path / "letters", VirtualClock(NOW)).send(letter(), SLOTS)
