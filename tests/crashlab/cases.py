"""One case: a company whose processes die where they are told to, until one comes to its end."""

import json
import os
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from ar_bridge.context import BookContext
from ar_bridge.errors import ArBridgeError
from ar_bridge.store import actions as action_store
from connectors.errors import AuthorizationError, ConnectorError
from tests.crashlab import world
from tests.crashlab.boundaries import Boundaries, die, watch
from tests.crashlab.company import Company
from tests.crashlab.person import settle_by_looking
from tests.crashlab.protocols import Drives
from tests.crashlab.verdict import Verdict, compared, files_of, retold, untold

SOON = timedelta(minutes=1)
"""The vendor still knows our keys: what is in doubt is sent again as it was."""
LATE = timedelta(minutes=15)
"""It does not, and the lease has run out: what is in doubt is looked for."""

ROUNDS = 8
LONGEST = 120
"""Seconds of real time that a process may take."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended."""

    signal: int = 0
    seen: tuple[str, ...] = ()
    """The boundaries that it passed, where it came to its end."""
    settled: tuple[str, ...] = ()
    """What waited for a person."""
    waiting: int = 0
    gaps: tuple[str, ...] = ()
    refusal: str = ""
    """With which error of its own it gave up."""
    is_locked_out: bool = False
    """The ledger wants a new consent."""
    error: str = ""

    @property
    def is_killed(self) -> bool:
        return self.signal == signal.SIGKILL


class Process:
    """A process that may be stopped, continued and waited for."""

    def __init__(self, pid: int, reading: int) -> None:
        self.pid = pid
        self._reading = reading

    def has_stalled(self) -> bool:
        """Wait until it stands still; False where it has ended instead."""
        found = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return found is not None and found.si_code == os.CLD_STOPPED

    def goes_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def wait(self) -> Ended:
        """How it ended."""
        with os.fdopen(self._reading, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            return Ended(signal=os.WTERMSIG(status))
        if not told:
            return Ended(error=f"exit code {os.waitstatus_to_exitcode(status)}")
        return msgspec.json.decode(told, type=Ended)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a case came to."""

    ends: tuple[int, ...] = ()
    """The boundary at which each process died."""
    gap: str = ""
    verdict: Verdict
    facts: dict[str, int] = {}
    last_seen: tuple[str, ...] = ()
    """The boundaries of the first process that came to its end."""
    settled: int = 0
    reconnected: int = 0
    processes: int = 0
    has_died: bool = True
    """Every process that was to die did."""


class Case:
    """A world, a clock and our files, for one company that has just been forked off."""

    def __init__(self, company: Company, root: Path, drive: Drives) -> None:
        self.company = company
        self._root = root
        self._drive = drive
        self.processes = 0
        self.reconnected = 0

    @contextmanager
    def begun(self) -> Iterator[world.Place]:
        """Begin from the company's morning; at the end nothing of it is left."""
        company, morning, home = self.company, self.company.clock.true, self.company.home
        self._root.mkdir(parents=True)
        shutil.copytree(home.root, self._root / "home")
        company.clock.renew()
        company.moved(self._root / "home")
        place = world.begin(company.sandbox)
        company.meet(*place.mail, place.gateway, place.addresses)
        try:
            yield place
        finally:
            place.end()
            company.clock.skew = timedelta()
            company.home = home
            company.clock.set(morning)
            shutil.rmtree(self._root)

    def starts(self, work: Callable[[], dict[str, Any]]) -> "Process":
        """A process that does this work."""
        self.processes += 1
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return Process(pid, reading)
        os.close(reading)
        code = 0
        try:
            signal.alarm(LONGEST)
            told = work()
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(json.dumps(told).encode())
        except BaseException:
            traceback.print_exc()
            code = 70
        finally:
            os._exit(code)

    def process(self, work: Callable[[], dict[str, Any]]) -> Ended:
        """One process, to its end."""
        return self.starts(work).wait()

    def runs(self, nth: int = 0, happens: Callable[[], None] = die) -> "Process":
        """A process to which something happens at this boundary, where it gets that far."""

        def work() -> dict[str, Any]:
            boundaries = Boundaries(nth, happens)
            watch(boundaries)
            try:
                with self.company.opened() as desk:
                    self._drive(desk)
            except AuthorizationError:
                return {"is_locked_out": True}
            except (ArBridgeError, ConnectorError) as error:
                return {"refusal": f"{type(error).__name__}: {error}"}
            return {"seen": boundaries.seen}

        return self.starts(work)

    def dies(self, nth: int) -> Ended:
        """A process that kills itself at this boundary, where it gets that far."""
        return self.runs(nth).wait()

    def carries_on(self, place: world.Place) -> Ended:
        """A process that nobody kills, and a person who looks at what then waits for one."""

        def work() -> dict[str, Any]:
            boundaries = Boundaries()
            watch(boundaries)
            try:
                with self.company.opened() as desk:
                    self._drive(desk)
                    seen = tuple(boundaries.seen)
                    return {"seen": seen, **_looked(desk, place)}
            except AuthorizationError:
                return {"is_locked_out": True}
            except ConnectorError as error:
                return {"refusal": str(error), "waiting": 1}

        return self.process(work)

    def looks(self, place: world.Place) -> Ended:
        """A person who is told of something looks at it, and nobody runs."""

        def work() -> dict[str, Any]:
            with self.company.opened() as desk:
                return _looked(desk, place)

        return self.process(work)

    def reconnects(self) -> Ended:
        """A person consents again."""

        self.reconnected += 1

        def consent() -> dict[str, Any]:
            self.company.connect()
            return {}

        return self.process(consent)

    def passes(self, time: timedelta) -> None:
        """Time goes by."""
        self.company.clock.advance(time)

    def facts(self, place: world.Place) -> Counter[str]:
        """What is there, in the world and in our own folders."""
        return place.facts() + files_of(self.company.home.root)


def _looked(desk: BookContext, place: world.Place) -> dict[str, Any]:
    settled = settle_by_looking(desk, place.facts())
    with desk.store.read() as conn:
        rows = action_store.actions_in(conn, desk.book_id, ("approved", "leased", "planned"))
    return {"settled": settled, "waiting": len(rows), "gaps": untold(desk)}


def played(case: Case, ends: Sequence[int], gap: timedelta, must_be: Counter[str] | None) -> Result:
    """Let processes die at these boundaries one after the other, then carry on to the end."""
    with case.begun() as place:
        has_died = True
        for nth in ends:
            ended = case.dies(nth)
            if ended.is_locked_out:
                case.reconnects()
                ended = case.dies(nth)
            has_died = has_died and ended.is_killed
            case.passes(gap)
        result = ended_well(case, place, must_be)
    return msgspec.structs.replace(result, ends=tuple(ends), gap=str(gap), has_died=has_died)


def ended_well(
    case: Case,
    place: world.Place,
    must_be: Counter[str] | None,
    *,
    told: Callable[[str], str] = str,
) -> Result:
    """Carry on with processes that nobody kills, and a person who settles what they cannot know,
    until nothing is left to do; then look at what is there. `told` leaves out of a fact what may
    be another one."""
    trouble: list[str] = []
    last_seen: tuple[str, ...] | None = None
    looked = Ended(waiting=1)
    settled = 0
    for _ in range(ROUNDS):
        looked = case.carries_on(place)
        if looked.signal or looked.error:
            trouble.append(looked.error or f"signal {looked.signal}")
            break
        if looked.is_locked_out:
            case.reconnects()
            continue
        last_seen = looked.seen if last_seen is None else last_seen
        settled += len(looked.settled)
        if not (looked.settled or looked.waiting):
            break
        case.passes(LATE)
    if looked.waiting or looked.settled:
        trouble.append(f"never came to its end: {looked}")
    facts = case.facts(place)
    duplicates, lost = compared(
        retold(facts, told), retold(facts if must_be is None else must_be, told)
    )
    return Result(
        verdict=Verdict(duplicates=duplicates, lost=lost, gaps=looked.gaps, trouble=tuple(trouble)),
        facts=dict(facts),
        last_seen=last_seen or (),
        settled=settled,
        reconnected=case.reconnected,
        processes=case.processes,
    )
