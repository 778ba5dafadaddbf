"""Walking every boundary: one death at each of them, then a second one in each recovery.

The first process is run once, and stands still where it is to die. A case then begins from copies
of the world and of our files as they are there, so that nothing is played twice that was the same
before. Where that cannot be, in the middle of a mail, and for every so manieth case, processes
begin from the morning and are killed.
"""

import fcntl
import json
import os
import resource
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from tests.crashlab import world
from tests.crashlab.cases import Case, Death, Result, played
from tests.crashlab.company import TODAY, Company, LedgerName
from tests.crashlab.databases import Databases
from tests.crashlab.process import Stop
from tests.crashlab.protocols import Drives, intent_first
from tests.crashlab.spots import First, Seconds, can_be_copied, second
from tests.crashlab.verdict import Verdict

Task: TypeAlias = Callable[[Case, Counter[str] | None], Result]
"""A case that is played, given what must be at its end."""
Told: TypeAlias = Callable[[Result], None]

REAL = 8
"""Of so many cases that could be copies, one is killed all the same."""


class Lab:
    """One company, from whose morning every case begins, and how to drive it."""

    def __init__(
        self, company: Company, root: Path, drive: Drives, *, jobs: int = 1, real: int = REAL
    ) -> None:
        self.company = company
        self.drive = drive
        self._root = root
        self._jobs = jobs
        self._real = real
        self._numbers = count()
        self.must_be: Counter[str] = Counter()
        self.labels: tuple[str, ...] = ()

    def look(self) -> Result:
        """Let nobody die: what must be, and the boundaries on the way there."""
        result = self.play(dying())
        assert result.verdict.is_clean, result.verdict
        self.must_be, self.labels = Counter(result.facts), result.last_seen
        return result

    def run(self, tasks: Sequence[Task], told: Told = lambda result: None) -> list[Result]:
        """Every task's result, in whatever order; `told` hears of each as it comes."""

        def share(job: int, told: Told) -> None:
            for task in tasks[job :: self._jobs]:
                told(self.play(task))

        return self._shared_out(share, told)

    def walk(self, firsts: Sequence[First], told: Told, *, double: int = 0) -> list[Result]:
        """A death at each of these, and with `double` a second one at every so manieth spot of
        all recoveries."""

        def share(job: int, told: Told) -> None:
            mine = [first for first in firsts if first.number % self._jobs == job]
            _Walk(self, mine, double, told).run()

        return self._shared_out(share, told)

    def play(self, task: Task) -> Result:
        """One case."""
        try:
            return task(self.case(), self.must_be or None)
        except Exception:
            return Result(gap="broke", verdict=Verdict(trouble=(traceback.format_exc(),)))

    def case(self) -> Case:
        """One that has not begun."""
        root = self._root / f"case{os.getpid()}-{next(self._numbers)}"
        return Case(self.company, root, self.drive)

    def is_real(self, number: int, label: str) -> bool:
        """Whether a process has to die there, instead of being copied."""
        if self.company.databases or not can_be_copied(label):
            return True
        return bool(self._real) and number % self._real == 0

    def _shared_out(self, share: Callable[[int, Told], None], told: Told) -> list[Result]:
        """Several processes side by side, each with its share."""
        results: list[Result] = []

        def heard(result: Result) -> None:
            results.append(result)
            told(result)

        if self._jobs < 2:
            share(0, heard)
            return results
        for result in self._side_by_side(share):
            heard(result)
        return results

    def _side_by_side(self, share: Callable[[int, Told], None]) -> Iterator[Result]:
        reading, writing = os.pipe()
        children = []
        for job in range(self._jobs):
            pid = os.fork()
            if pid:
                children.append(pid)
                continue
            os.close(reading)
            with os.fdopen(writing, "wb", buffering=0) as pipe:
                share(job, partial(self._written, pipe))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                yield msgspec.json.decode(line, type=Result)
        for pid in children:
            os.waitpid(pid, 0)

    def _written(self, pipe: BinaryIO, result: Result) -> None:
        small = msgspec.structs.replace(result, facts={})
        with _Turn(self._root / "turn"):
            pipe.write(msgspec.json.encode(small) + b"\n")


def dying(*deaths: Death) -> Task:
    """Processes die one after the other."""
    return lambda case, must_be: played(case, deaths, must_be)


class _Walk:
    """One process that stands still at each first death."""

    def __init__(self, lab: Lab, firsts: Sequence[First], double: int, told: Told) -> None:
        self._lab = lab
        self._double = double
        self._told = told
        labels = lab.labels
        self._real = [one for one in firsts if lab.is_real(one.number, labels[one.death.nth - 1])]
        self._copied: dict[int, list[First]] = {}
        for one in firsts:
            if one not in self._real:
                self._copied.setdefault(one.death.nth, []).append(one)

    def run(self) -> None:
        for first in self._real:
            self._first(first, None)
        case = self._lab.case()
        if self._copied:
            with case.begun() as place:
                case.runs(stops=lambda nth, _: nth in self._copied).wait(partial(self._at, place))

    def _at(self, place: world.Place, stop: Stop) -> None:
        for first in self._copied[stop.nth]:
            self._first(first, place)

    def _first(self, first: First, outer: world.Place | None) -> None:
        """A first death, and the second ones after it."""
        here = msgspec.structs.replace(first.death, is_copied=outer is not None)
        killed: list[Stop] = []

        def visit(place: world.Place, stop: Stop) -> None:
            if self._lab.is_real(first.number + stop.nth, stop.label):
                killed.append(stop)
            else:
                death = second(first, stop.nth, is_copied=True)
                self._play(partial(played, deaths=[death], outer=place, before=(here,)))

        stops = Seconds(first, self._double) if self._double else None
        self._play(partial(played, deaths=[here], outer=outer, stops=stops, visit=visit))
        for stop in killed:
            deaths = [here, second(first, stop.nth)]
            self._play(partial(played, deaths=deaths, outer=outer))

    def _play(self, play: Callable[..., Result]) -> None:
        self._told(self._lab.play(lambda case, must_be: play(case, must_be=must_be)))


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


def rehearsed(root: Path, ledger: LedgerName, databases: Databases | None = None) -> None:
    """One company's day, played here: whoever is forked off later finds the statements compiled
    and the code warm, which saves a tenth to a fifth of each process."""
    company = Company(root / "rehearsal", ledger, databases=databases)
    company.rehearse(intent_first)


def founded(
    root: Path, ledger: LedgerName, today: date = TODAY, databases: Databases | None = None
) -> Company:
    """A company on the morning of its day."""
    company = Company(root, ledger, today, databases)
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
        "killed": sum(result.killed for result in results),
        "survivors": sum(not result.has_died for result in results),
        "settled_by_a_person": sum(result.settled for result in results),
        "new_consents": sum(result.reconnected for result in results),
        "duplicates": sum(len(one.duplicates) for one in verdicts),
        "lost": sum(len(one.lost) for one in verdicts),
        "audit_gaps": sum(len(one.gaps) for one in verdicts),
        "trouble": sum(len(one.trouble) for one in verdicts),
    }


def processor_seconds(results: Sequence[Result] = ()) -> float:
    """What this process and those that it waited for have used until now, and the worlds of these
    cases, for whom nobody waits."""
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    spent = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return spent + sum(result.world_seconds for result in results)


def shown(value: object) -> str:
    """As one line of JSON."""
    return json.dumps(value)
