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
from ar_bridge.store import actions as action_store
from connectors.errors import AuthorizationError
from tests.crashlab import world
from tests.crashlab.boundaries import Boundaries, watch
from tests.crashlab.company import Company
from tests.crashlab.person import settle_by_looking
from tests.crashlab.protocols import Drives
from tests.crashlab.verdict import Verdict, audit_gaps, compared, files_of

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
    is_locked_out: bool = False
    """The ledger wants a new consent."""
    error: str = ""

    @property
    def is_killed(self) -> bool:
        return self.signal == signal.SIGKILL


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a case came to."""

    ends: tuple[int, ...]
    """The boundary at which each process died."""
    gap: str
    verdict: Verdict
    facts: dict[str, int]
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

    @contextmanager
    def begun(self) -> Iterator[world.Place]:
        """Begin from the company's morning; at the end nothing of it is left."""
        company, morning, home = self.company, self.company.clock.now(), self.company.home
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
            company.home = home
            company.clock.set(morning)
            shutil.rmtree(self._root)

    def process(self, work: Callable[[], dict[str, Any]]) -> Ended:
        """One process, to its end."""
        self.processes += 1
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
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
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return Ended(signal=os.WTERMSIG(status))
        if not told:
            return Ended(error=f"exit code {os.waitstatus_to_exitcode(status)}")
        return msgspec.json.decode(told, type=Ended)

    def dies(self, end_at: int) -> Ended:
        """A process that kills itself at this boundary, where it gets that far."""

        def work() -> dict[str, Any]:
            boundaries = Boundaries(end_at)
            watch(boundaries)
            try:
                with self.company.opened() as desk:
                    self._drive(desk)
            except AuthorizationError:
                return {"is_locked_out": True}
            return {"seen": boundaries.seen}

        return self.process(work)

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

        return self.process(work)

    def reconnects(self) -> Ended:
        """A person consents again."""

        def consent() -> dict[str, Any]:
            self.company.connect()
            return {}

        return self.process(consent)

    def facts(self, place: world.Place) -> Counter[str]:
        """What is there, in the world and in our own folders."""
        return place.facts() + files_of(self.company.home.root)


def _looked(desk: BookContext, place: world.Place) -> dict[str, Any]:
    settled = settle_by_looking(desk, place.facts())
    with desk.store.read() as conn:
        rows = action_store.actions_in(conn, desk.book_id, ("approved", "leased", "planned"))
    return {"settled": settled, "waiting": len(rows), "gaps": audit_gaps(desk)}


def played(
    case: Case,
    ends: Sequence[int],
    gap: timedelta,
    must_be: Counter[str] | None,
    *,
    faults: Sequence[str] = (),
) -> Result:
    """Let processes die at these boundaries one after the other, then carry on to the end."""
    with case.begun() as place:
        for fault in faults:
            place.order(fault)
        has_died = True
        reconnected = settled = 0
        for end_at in ends:
            ended = case.dies(end_at)
            if ended.is_locked_out:
                reconnected += 1
                case.reconnects()
                ended = case.dies(end_at)
            has_died = has_died and ended.is_killed
            case.company.clock.advance(gap)
        trouble: list[str] = []
        last_seen: tuple[str, ...] | None = None
        looked = Ended(waiting=1)
        for _ in range(ROUNDS):
            looked = case.carries_on(place)
            if looked.signal or looked.error:
                trouble.append(looked.error or f"signal {looked.signal}")
                break
            if looked.is_locked_out:
                reconnected += 1
                case.reconnects()
                continue
            last_seen = looked.seen if last_seen is None else last_seen
            settled += len(looked.settled)
            if not (looked.settled or looked.waiting):
                break
            case.company.clock.advance(LATE)
        if looked.waiting or looked.settled:
            trouble.append(f"never came to its end: {looked.settled}, {looked.waiting}")
        facts = case.facts(place)
        duplicates, lost = compared(facts, facts if must_be is None else must_be)
        return Result(
            ends=tuple(ends),
            gap=str(gap),
            verdict=Verdict(
                duplicates=duplicates, lost=lost, gaps=looked.gaps, trouble=tuple(trouble)
            ),
            facts=dict(facts),
            last_seen=last_seen or (),
            settled=settled,
            reconnected=reconnected,
            processes=case.processes,
            has_died=has_died,
        )
