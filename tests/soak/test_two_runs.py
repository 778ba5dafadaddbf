"""Two runs of one book at the same time: the ledger and the customers see one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import SystemClock
from tests.cli.newcomer import LEDGERS, POLICY, LedgerName, Newcomer, Person, book_of
from tests.cli.running import Program
from tests.soak.company import LEASE
from tests.soak.conftest import Founds
from tests.soak.evidence import everything_once, nothing_hidden, nothing_twice
from tests.soak.processes import KILLED, Nursery
from tests.soak.test_killed_writes import on_the_day_of_the_fees
from tests.soak.traps import End

ALWAYS = """
[calendar]
send_window = "00:00-23:59"
send_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""
"""Whatever day and time it is on this machine: messages may go."""


@pytest.fixture
def of_today(program: Program, capsys: pytest.CaptureFixture[str]) -> Iterator[Newcomer]:
    """A newcomer whose books are of today, for processes that look at the machine's own clock."""
    clock = SystemClock()
    with LocalMailbox() as mailbox:
        events = book_of(clock.now().date())
        person = Newcomer(program.home, capsys, "xero", mailbox, events=events, clock=clock)
        person.clock = clock
        person.done("init")
        person.configure(mode="auto", policy=POLICY + ALWAYS)
        yield person
        person.close()


def started(home: Any, compiled: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ar_bridge", "--home", str(home), "run", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **compiled},
        text=True,
    )


def test_two_runs_at_once(of_today: Newcomer, compiled: dict[str, str]) -> None:
    with_consent(of_today)
    runs = [started(of_today.home, compiled) for _ in range(2)]
    told = []
    for run in runs:
        out, err = run.communicate(timeout=300)
        # 1 where one of them found the other one at work.
        assert run.returncode in (0, 1) and "Traceback" not in err, err
        assert out, err
        told.append(json.loads(out))
    of_today.done("run")
    sent = len(of_today.mails)
    assert sent + told[-1]["waiting"] == 4 or sent == 4  # They wait for a minute at midnight.
    assert sum(one["applied"].get("reminder", 0) for one in told) <= sent
    assert of_today.left_in_ledger == (sent, 0)
    assert len({mail.message_id for mail in of_today.mailbox.messages}) == sent
    assert "unbroken" in of_today.done("audit", "verify").out


def with_consent(person: Newcomer) -> None:
    ended = person("connect", "elm", "--paste", stdin=Person(person))
    assert ended.code == 0, ended.err


@pytest.fixture(scope="session")
def other_nursery(
    tmp_path_factory: pytest.TempPathFactory, compiled: dict[str, str]
) -> Iterator[Nursery]:
    running = Nursery(tmp_path_factory.mktemp("other"), compiled)
    yield running
    running.close()


@pytest.mark.soak
@pytest.mark.parametrize("nth", [0, 3, 9, 14, 20])
@pytest.mark.parametrize("ledger", LEDGERS)
def test_two_runs_of_which_one_is_killed(
    founds: Founds, other_nursery: Nursery, ledger: LedgerName, nth: int
) -> None:
    """The nth step of either is the end of the first; with 0 both of them live."""
    company = on_the_day_of_the_fees(founds, ledger, 20)
    first = company.start("run", end=End(nth, "after") if nth else None)
    second = other_nursery.start(company.home, company.time, ["run"])
    codes = [first.wait(), second.wait()]
    company.trap.clear()
    assert codes[0] in ((KILLED, 0, 1) if nth else (0, 1)), first.err
    assert codes[1] in (0, 1), second.err
    assert "Traceback" not in first.err + second.err
    nothing_twice(company)
    nothing_hidden(company)
    company.time.advance(LEASE)
    company.carry_on()
    everything_once(company, 20)
