"""The program as the shell sees it: processes of its own, pipes that close, keys that interrupt."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import SystemClock
from tests.cli.newcomer import POLICY, Newcomer, book_of
from tests.cli.running import Program

PYTHON = [sys.executable, "-m", "ar_bridge"]


# Whatever day and time it is while this runs: messages may go.
ALWAYS = """
[calendar]
send_window = "00:00-23:59"
send_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""


@pytest.fixture
def of_today(
    program: Program, mailbox: LocalMailbox, capsys: pytest.CaptureFixture[str]
) -> Iterator[Newcomer]:
    """A newcomer whose books are of today, for processes that look at the machine's own clock."""
    clock = SystemClock()
    events = book_of(clock.now().date())
    person = Newcomer(program.home, capsys, "xero", mailbox, events=events, clock=clock)
    person.done("init")
    person.configure(mode="auto", policy=POLICY + ALWAYS)
    yield person
    person.close()


def connecting(home: Path, compiled: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*PYTHON, "--home", str(home), "connect", "elm", "--paste"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **compiled},
        text=True,
    )


def shown_address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if line.startswith("http")).strip()


def shell(
    home: Path, compiled: dict[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*PYTHON, "--home", str(home), *arguments],
        capture_output=True,
        env={**os.environ, **compiled},
        text=True,
        timeout=120,
        check=False,
    )


def test_the_path_in_processes_of_their_own(of_today: Newcomer, compiled: dict[str, str]) -> None:
    home = of_today.home
    with connecting(home, compiled) as process:
        address = shown_address(process)
        agreed = httpx.get(address, follow_redirects=False, timeout=30).headers["Location"]
        out, err = process.communicate(f"{agreed}\n", timeout=60)
    assert process.returncode == 0, err
    assert "elm is connected" in out
    first = shell(home, compiled, "run", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    sent = told["applied"].get("reminder", 0)
    assert sent + told["waiting"] == 4  # They wait for a minute at midnight.
    assert (len(of_today.mails), of_today.left_in_ledger) == (sent, (sent, 0))
    second = shell(home, compiled, "run", "--json")
    assert second.returncode == 0, second.stderr
    assert sent in (0, 4)
    if sent == 4:
        assert json.loads(second.stdout)["applied"] == {}
        assert (len(of_today.mails), of_today.left_in_ledger) == (4, (4, 0))


def test_a_reader_that_leaves_early(
    program: Program, tmp_path: Path, compiled: dict[str, str]
) -> None:
    """`ar-bridge ... | head -1`: no traceback, whatever is left unsaid."""
    book = tmp_path / "book.jsonl"
    events = book_of()
    late = [dict(events[-3], id=f"X{n}", number=f"X{n}") for n in range(3000)]
    book.write_text("\n".join(map(json.dumps, [*events, *late])))
    preview = ["--book-file", str(book), "--policy", "standard", "--on", "2026-03-10"]
    for command in (["plan", "--json", *preview], ["plan", *preview]):
        reading, writing = os.pipe()
        with subprocess.Popen(
            [*PYTHON, "--home", str(program.home), *command],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, **compiled},
            text=True,
        ) as process:
            os.close(writing)
            os.close(reading)
            _, err = process.communicate(timeout=60)
        assert "Traceback" not in err, command
        assert "BrokenPipe" not in err, command
        assert "unexpected" not in err, command


def test_somebody_who_changes_their_mind(of_today: Newcomer, compiled: dict[str, str]) -> None:
    with connecting(of_today.home, compiled) as process:
        shown_address(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode not in (0, None)
    assert "Traceback" not in err
    assert "not connected yet" in of_today.done("status").out
