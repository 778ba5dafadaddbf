"""Drafts are complete files, and one message is one file."""

from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import msgspec
import pytest

from ar_bridge.channels import CHANNELS, ChannelTransientError, EmlDrafts
from ar_bridge.clock import VirtualClock
from rules.policy.stage import CHANNELS as POLICY_CHANNELS
from tests.channels.cases import NOW, SENDER, SLOTS, message


def test_a_draft_is_a_mail_in_a_file(tmp_path: Path) -> None:
    drafts = EmlDrafts(tmp_path / "drafts", SENDER, VirtualClock(NOW))
    receipt = drafts.send(message(), SLOTS)
    drafts.send(message(), SLOTS)
    (path,) = (tmp_path / "drafts").iterdir()
    assert receipt.response == str(path)
    assert path.name.startswith("2026-10-27-")
    parsed = message_from_bytes(path.read_bytes(), policy=SMTP)
    assert parsed["Message-ID"] == message().message_id
    assert parsed["X-Unsent"] == "1"


def test_a_place_that_cannot_be_written_is_transient(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file, not a folder")
    with pytest.raises(ChannelTransientError, match="could not be written"):
        EmlDrafts(tmp_path / "drafts", SENDER, VirtualClock(NOW)).send(message(), SLOTS)


def test_what_is_no_mail_is_a_text_file_in_draft(tmp_path: Path) -> None:
    drafts = EmlDrafts(tmp_path, SENDER, VirtualClock(NOW))
    text = msgspec.structs.replace(message("+44 20 7946 0000"), channel="sms")
    drafts.send(text, SLOTS)
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".txt"
    assert path.read_text(encoding="utf-8").startswith("sms to +44 20 7946 0000\n")


def test_channels_are_known_by_name() -> None:
    assert {"eml", *POLICY_CHANNELS} == CHANNELS.keys()
