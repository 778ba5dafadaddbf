"""Walking every boundary: one death at each of them, then a second one in each recovery."""

import fcntl
import json
import os
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TypeAlias

import msgspec

from tests.crashlab.cases import LATE, SOON, Case, Result, played
from tests.crashlab.company import TODAY, Company, LedgerName
from tests.crashlab.protocols import Drives
from tests.crashlab.verdict import Verdict

Task: TypeAlias = Callable[[Case, Counter[str] | None], Result]
"""A case that is played, given what must be at its end."""

DURABLE = ("commit", "write", "refresh", "mail: content", "message", "file")
"""Steps that leave something behind, in our files or in the world."""


def is_durable(label: str) -> bool:
    """Whether a step leaves something behind."""
    return label.removeprefix("before ").removeprefix("after ").startswith(DURABLE)


def is_send(label: str) -> bool:
    """Whether a step leaves something behind outside of our own records."""
    return is_durable(label) and not label.endswith(" commit")


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Boundaries between which nothing durable happens: whoever dies there leaves the same."""

    first: int
    last: int
    is_at_send: bool
    """Something leaves this machine at its beginning or at its end."""

    def at(self, number: int) -> int:
        """One of its ends, the other one for the next spot."""
        return self.first if number % 2 else self.last


def spots(labels: Sequence[str]) -> list[Spot]:
    """The boundaries of a process by what a death there leaves behind, numbered from 1."""
    found: list[Spot] = []
    first = 1
    for nth, label in enumerate(labels, start=1):
        ends = label.startswith("before ") and is_durable(label)
        if ends or nth == len(labels):
            at_send = is_send(labels[first - 1]) or is_send(label)
            found.append(Spot(first=first, last=nth, is_at_send=at_send))
            first = nth + 1
    return found


def dying(ends: tuple[int, ...], gap: timedelta) -> Task:
    """Processes die at these boundaries, one after the other."""
    return lambda case, must_be: played(case, ends, gap, must_be)


def single(labels: Sequence[str], *, every: bool = False, thin: int = 1) -> list[Task]:
    """One death at each spot, now at its beginning and now at its end, and the restart now soon
    and now late; with `every`, at every boundary and both ways. `thin`: of the spots between two
    commits, at which nothing is sent, only every so manieth."""
    if every:
        return [dying((nth,), gap) for nth in range(1, len(labels) + 1) for gap in (SOON, LATE)]
    return [
        dying((spot.at(number),), (SOON, LATE)[number // 2 % 2])
        for number, spot in enumerate(spots(labels))
        if spot.is_at_send or number % thin == 0
    ]


def double(firsts: Sequence[Result], *, stride: int = 1) -> list[Task]:
    """A second death at each spot of each recovery; with a stride, at every so manieth."""
    tasks: list[Task] = []
    for result in firsts:
        gap = SOON if result.gap == str(SOON) else LATE
        for number, spot in enumerate(spots(result.last_seen)):
            tasks.append(dying((*result.ends, spot.at(number)), gap))
    return tasks[::stride]


class Lab:
    """One company, from whose morning every case begins, and how to drive it."""

    def __init__(self, company: Company, root: Path, drive: Drives, *, jobs: int = 1) -> None:
        self.company = company
        self.drive = drive
        self._root = root
        self._jobs = jobs
        self.must_be: Counter[str] = Counter()
        self.labels: tuple[str, ...] = ()

    def look(self) -> Result:
        """Let nobody die: what must be, and the boundaries on the way there."""
        result = self._play(dying((), SOON), 0)
        assert result.verdict.is_clean, result.verdict
        self.must_be, self.labels = Counter(result.facts), result.last_seen
        return result

    def run(
        self, tasks: Sequence[Task], told: Callable[[Result], None] = lambda result: None
    ) -> list[Result]:
        """Every task's result, in whatever order; `told` hears of each as it comes."""
        if self._jobs < 2:
            results = []
            for number, task in enumerate(tasks):
                results.append(self._play(task, number))
                told(results[-1])
            return results
        return list(self._shared_out(tasks, told))

    def _play(self, task: Task, number: int) -> Result:
        root = self._root / f"case{os.getpid()}-{number}"
        try:
            return task(Case(self.company, root, self.drive), self.must_be or None)
        except Exception:
            shutil.rmtree(root, ignore_errors=True)
            return Result(gap="broke", verdict=Verdict(trouble=(traceback.format_exc(),)))

    def _shared_out(
        self, tasks: Sequence[Task], told: Callable[[Result], None]
    ) -> Iterator[Result]:
        """Several processes side by side, each with its share of the tasks."""
        reading, writing = os.pipe()
        children = []
        for job in range(self._jobs):
            pid = os.fork()
            if pid:
                children.append(pid)
                continue
            os.close(reading)
            with os.fdopen(writing, "wb", buffering=0) as pipe:
                for number in range(job, len(tasks), self._jobs):
                    result = self._play(tasks[number], number)
                    # Shorter than what a pipe takes in one piece: the lines of two do not mix.
                    small = msgspec.structs.replace(result, facts={})
                    with _Turn(self._root / "turn"):
                        pipe.write(msgspec.json.encode(small) + b"\n")
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                result = msgspec.json.decode(line, type=Result)
                told(result)
                yield result
        for pid in children:
            os.waitpid(pid, 0)


class _Turn:
    """One process at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._handle = self._file.open("w")
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def __exit__(self, *trouble: object) -> None:
        self._handle.close()


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: what a power cut does to a disk is not asked here,
    and SQLite waits for its disk at each of a million commits."""
    shared = Path("/dev/shm")
    is_there = shared.is_dir() and os.access(shared, os.W_OK)
    return tempfile.TemporaryDirectory(prefix="crashlab-", dir=shared if is_there else None)


def founded(root: Path, ledger: LedgerName, today: date = TODAY) -> Company:
    """A company on the morning of its day."""
    company = Company(root, ledger, today)
    company.prepare()
    return company


def summary(
    walk: str, ledger: str, protocol: str, boundaries: int, results: Sequence[Result]
) -> dict[str, object]:
    """One line about a walk."""
    verdicts = [result.verdict for result in results]
    return {
        "benchmark": "crash_lab",
        "walk": walk,
        "ledger": ledger,
        "protocol": protocol,
        "boundaries": boundaries,
        "n": len(results),
        "processes": sum(result.processes for result in results),
        "survivors": sum(not result.has_died for result in results),
        "settled_by_a_person": sum(result.settled for result in results),
        "new_consents": sum(result.reconnected for result in results),
        "duplicates": sum(len(one.duplicates) for one in verdicts),
        "lost": sum(len(one.lost) for one in verdicts),
        "audit_gaps": sum(len(one.gaps) for one in verdicts),
        "trouble": sum(len(one.trouble) for one in verdicts),
    }


def shown(value: object) -> str:
    """As one line of JSON."""
    return json.dumps(value)
