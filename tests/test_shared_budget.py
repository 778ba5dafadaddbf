"""One allowance for every process of the machine, and nothing left locked by one that died."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ar_bridge.clock import VirtualClock
from ar_bridge.shared_budget import SharedBudget, shared_budget
from connectors.budget import RateBudget, Window
from connectors.errors import RateLimitedError

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = Window(name="minute", calls=2, seconds=60)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


def test_two_processes_share_the_windows_and_the_pause(tmp_path: Path, clock: VirtualClock) -> None:
    first = RateBudget(clock, [MINUTE], state=SharedBudget(tmp_path), vendor="Xero")
    second = RateBudget(clock, [MINUTE], state=SharedBudget(tmp_path), vendor="Xero")
    for budget in (first, second):
        with budget.place(is_write=True):
            assert clock.monotonic() < 1
    with first.place(is_write=True):
        assert clock.monotonic() >= 60
    first.pause(30)
    paused_at = clock.monotonic()
    with second.place(is_write=True):
        assert clock.monotonic() >= paused_at + 30
    first.pause(7200, "day")
    with pytest.raises(RateLimitedError, match="used up until"):
        second.place(is_write=True).__enter__()
    until = SharedBudget(tmp_path).stopped_until(clock.now())
    assert until is not None and until - clock.now() == timedelta(hours=2)


CALLER = """
import sys
from pathlib import Path
from ar_bridge.clock import SystemClock
from ar_bridge.shared_budget import SharedBudget
from connectors.budget import RateBudget, Window
window = Window(name="minute", calls=5, seconds=60)
budget = RateBudget(SystemClock(), [window], concurrent=1, state=SharedBudget(Path(sys.argv[1])))
with budget.place(is_write=True):
    print("calling", flush=True)
    sys.stdin.read()
"""


def test_a_process_that_is_killed_in_a_call_gives_its_seat_back(tmp_path: Path) -> None:
    window = Window(name="minute", calls=5, seconds=60)
    with subprocess.Popen(
        [sys.executable, "-c", CALLER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "calling\n"
        state = SharedBudget(tmp_path)
        with state.changing() as use:
            assert len(use.running) == 1
            assert state.seat(1) is None
        caller.kill()
        caller.wait()
    clock = VirtualClock(datetime.fromtimestamp(next(iter(use.running.values())).at, UTC))
    budget = RateBudget(clock, [window], concurrent=1, state=state)
    with budget.place(is_write=True), state.changing() as use:
        assert len(use.running) == 1
        # The call of the dead process counts: it may have reached the vendor.
        assert sum(calls for _, calls in use.windows["minute"].places) == 1
    with state.changing() as use:
        assert not use.running


def test_an_unreadable_file_is_counted_anew(tmp_path: Path, clock: VirtualClock) -> None:
    (tmp_path / "use.json").write_bytes(b"{")
    with RateBudget(clock, [MINUTE], state=SharedBudget(tmp_path)).place(is_write=True):
        pass


def test_books_and_addresses_have_allowances_of_their_own(tmp_path: Path) -> None:
    names = {
        shared_budget(tmp_path, ledger, company, address)._folder
        for ledger in ("quickbooks", "xero")
        for company in ("1", "2")
        for address in ("", "http://127.0.0.1:8080")
    }
    assert len(names) == 8
