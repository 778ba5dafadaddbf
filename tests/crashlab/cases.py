"""One case: a company whose processes die where they are told to, until one comes to its end."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ar_bridge.context import BookContext
from ar_bridge.errors import ArBridgeError
from ar_bridge.store import actions as action_store
from connectors.errors import AuthorizationError, ConnectorError
from tests.crashlab import world
from tests.crashlab.boundaries import Boundaries, die, only_at, watch
from tests.crashlab.company import Company
from tests.crashlab.person import settle_by_looking
from tests.crashlab.process import Ended, Process, Stop, Stops, Telling, Visitor, started
from tests.crashlab.protocols import Drives
from tests.crashlab.verdict import Verdict, compared, files_of, retold, untold

SOON = timedelta(minutes=1)
"""The vendor still knows our keys: what is in doubt is sent again as it was."""
LATE = timedelta(minutes=15)
"""It does not, and the lease has run out: what is in doubt is looked for."""

ROUNDS = 8


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
    killed: int = 0
    """Processes that died; the others' ends are copies of what they had left behind."""
    has_died: bool = True
    """Every process that was to die did."""
    world_seconds: float = 0.0
    """Of the processor."""


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a process, and how long after it others begin."""

    nth: int
    gap: timedelta
    is_copied: bool = False
    """It did not die: what it had done by then was copied."""

    @property
    def after(self) -> str:
        return "soon" if self.gap == SOON else "late"


Visits: TypeAlias = Callable[[world.Place, Stop], None]


class Case:
    """A world, a clock and our files, for one company that has just been forked off."""

    def __init__(self, company: Company, root: Path, drive: Drives) -> None:
        self.company = company
        self._root = root
        self._drive = drive
        self.processes = 0
        self.reconnected = 0
        self.world_seconds = 0.0

    @contextmanager
    def begun(self, outer: world.Place | None = None) -> Iterator[world.Place]:
        """Begin where the company is now: on its morning, or in the `outer` world, in which a
        process stands still. At the end nothing of the case is left."""
        company = self.company
        with company.copied(self._root) as time:
            if outer is None:
                place = world.begin(company.sandbox, company.clock)
            else:
                place = outer.copied(time)
            company.meet(*place.mail, place.gateway, place.addresses)
            try:
                yield place
            finally:
                self.world_seconds += place.end()

    def starts(self, work: Callable[[Telling], dict[str, Any]]) -> Process:
        """A process that does this work."""
        self.processes += 1
        return started(work)

    def process(self, work: Callable[[], dict[str, Any]]) -> Ended:
        """One process, to its end."""
        return self.starts(lambda _: work()).wait()

    def runs(
        self,
        nth: int = 0,
        happens: Callable[[], None] = die,
        *,
        stops: Stops | None = None,
        is_daemon: bool = False,
    ) -> Process:
        """A process to which something happens at this boundary, where it gets that far; or that
        stands still at some. A daemon holds the place of the only one first."""
        place = self.company.only_one if is_daemon else nullcontext

        def work(telling: Telling) -> dict[str, Any]:
            boundaries = Boundaries(telling.at(stops) if stops else only_at(nth, happens))
            watch(boundaries)
            try:
                with place(), self.company.opened() as desk:
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

    def carries_on(
        self, place: world.Place, stops: Stops | None = None, visit: Visitor | None = None
    ) -> Ended:
        """A process that nobody kills, and a person who looks at what then waits for one."""

        def work(telling: Telling) -> dict[str, Any]:
            boundaries = Boundaries(telling.at(stops) if stops else None)
            watch(boundaries)
            try:
                with self.company.opened() as desk:
                    self._drive(desk)
                    boundaries.rest()
                    seen = tuple(boundaries.seen)
                    return {"seen": seen, **_looked(desk, place)}
            except AuthorizationError:
                return {"is_locked_out": True}
            except ConnectorError as error:
                return {"refusal": str(error), "waiting": 1}

        return self.starts(work).wait(visit)

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


def played(
    case: Case,
    deaths: Sequence[Death],
    must_be: Counter[str] | None,
    *,
    outer: world.Place | None = None,
    before: Sequence[Death] = (),
    stops: Stops | None = None,
    visit: Visits | None = None,
) -> Result:
    """Let processes die one after the other, then carry on to the end.

    In an `outer` world a process stands still where the first of them is copied to have died;
    `before` it others did. The first process that comes to its end is
    visited where it `stops`.
    """
    with case.begun(outer) as place:
        has_died = True
        for death in deaths:
            if not death.is_copied:
                ended = case.dies(death.nth)
                if ended.is_locked_out:
                    case.reconnects()
                    ended = case.dies(death.nth)
                has_died = has_died and ended.is_killed
            case.passes(death.gap)
        visitor = None if visit is None else partial(visit, place)
        result = ended_well(case, place, must_be, stops=stops, visit=visitor)
    return msgspec.structs.replace(
        result,
        ends=tuple(death.nth for death in (*before, *deaths)),
        gap=", ".join(death.after for death in (*before, *deaths)),
        killed=sum(not death.is_copied for death in deaths),
        has_died=has_died,
        world_seconds=case.world_seconds,
    )


def ended_well(
    case: Case,
    place: world.Place,
    must_be: Counter[str] | None,
    *,
    told: Callable[[str], str] = str,
    stops: Stops | None = None,
    visit: Visitor | None = None,
) -> Result:
    """Carry on with processes that nobody kills, and a person who settles what they cannot know,
    until nothing is left to do; then look at what is there. `told` leaves out of a fact what may
    be another one. The first process that comes to its end is visited where it `stops`."""
    trouble: list[str] = []
    last_seen: tuple[str, ...] | None = None
    looked = Ended(waiting=1)
    settled = 0
    for _ in range(ROUNDS):
        looked = case.carries_on(place, stops if last_seen is None else None, visit)
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
