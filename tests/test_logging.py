"""The log: one line of JSON for each event, and no secret in any of them."""

import json
import logging
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.log_file import SharedLogFile
from ar_bridge.logging import configure_logging, without_secrets


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cr3t.abc-1",
        "Basic czNjcjN0OnMzY3IzdA==",
        'body {"refresh_token": "s3cr3t"}',
        "grant_type=refresh_token&refresh_token=s3cr3t&x=1",
        "callback?state=1&code=s3cr3t",
        "postgresql://user:s3cr3t@db.example/name",
        "client_secret = s3cr3t",
        "eyJhbGciOi.s3cr3t.c2ln",
    ],
)
def test_what_reads_like_a_credential_is_taken_out(text: str) -> None:
    assert "s3cr3t" not in without_secrets(text)
    assert "czNjcjN0" not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "invoice INV-7 was withdrawn: balance changed",
        "late_fee/INV-7/late-interest/2026-10",
        "Business Validation Error: code 6240, the number is taken",
        "https://ledger.example/v3/company/1/query?minorversion=75",
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


def test_our_events_and_those_of_libraries_go_to_one_file(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    try:
        configure_logging(home)
        configure_logging(home)
        structlog.get_logger("ar_bridge.test").info(
            "refreshed", token="s3cr3t", book="acme", nested={"password": "s3cr3t", "rows": [1]}
        )
        try:
            raise ValueError("client_secret=s3cr3t")
        except ValueError:
            logging.getLogger("a.library").exception("sent %s", "Bearer s3cr3t")
        logging.getLogger("a.library").debug("too small")
        ours = [handler for handler in root.handlers if handler not in before[0]]
        assert len(ours) == 1
        ours[0].flush()
    finally:
        for handler in [handler for handler in root.handlers if handler not in before[0]]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(before[1])
        structlog.reset_defaults()
    text = home.log.read_text()
    first, second = (json.loads(line) for line in text.splitlines())
    assert "s3cr3t" not in text
    assert (first["event"], first["book"], first["level"]) == ("refreshed", "acme", "info")
    assert first["nested"] == {"password": "***", "rows": [1]}
    assert (second["logger"], second["event"]) == ("a.library", "sent Bearer ***")
    assert "ValueError" in second["exception"]
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700


WRITER = """
import logging, sys
from pathlib import Path
from ar_bridge.log_file import SharedLogFile
log = logging.getLogger("writer")
log.addHandler(SharedLogFile(Path(sys.argv[1]), largest=2_000, kept=200))
log.setLevel(logging.INFO)
for number in range(300):
    log.info("%s line %d", sys.argv[2], number)
"""


def test_several_processes_lose_no_line_when_the_file_is_turned_over(tmp_path: Path) -> None:
    file = tmp_path / "ar-bridge.log"
    names = ("one", "two", "three")
    command = [sys.executable, "-c", WRITER, str(file)]
    writers = [subprocess.Popen([*command, name]) for name in names]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    parts = [part.read_text() for part in tmp_path.glob("ar-bridge.log*")]
    found = [line for part in parts for line in part.splitlines()]
    assert sorted(found) == sorted(f"{name} line {n}" for name in names for n in range(300))
    assert len(list(tmp_path.glob("ar-bridge.log.*"))) > 3


def test_only_so_many_older_files_are_kept(tmp_path: Path) -> None:
    handler = SharedLogFile(tmp_path / "log", largest=100, kept=2)
    for number in range(100):
        handler.handle(logging.makeLogRecord({"msg": f"line {number}"}))
    handler.close()
    assert sorted(one.name for one in tmp_path.glob("log*")) == ["log", "log.1", "log.2"]
    assert (tmp_path / "log").read_text().endswith("line 99\n")


def test_a_log_that_cannot_be_written_is_told_of_once_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    handler = SharedLogFile(tmp_path / "logs" / "log")
    shutil.rmtree(tmp_path / "logs")
    (tmp_path / "logs").write_text("somebody put a file there")
    for _ in range(3):
        handler.handle(logging.makeLogRecord({"msg": "line"}))
    handler.close()
    assert capsys.readouterr().err.count("cannot be written") == 1


def test_a_log_that_cannot_be_begun_is_a_set_up_that_is_wrong(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.log.mkdir(parents=True)
    with pytest.raises(SetupError, match="cannot be written"):
        configure_logging(home)
