"""What goes wrong besides death: answers that are lost, workers that stall, clocks that jump,
answers that come late, disks that are full, a database that somebody else holds, two runs or two
daemons at once."""

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec

import ar_bridge.store.engine as store_engine
from tests.crashlab import world
from tests.crashlab.boundaries import die, fill_the_disk, stall
from tests.crashlab.cases import LATE, SOON, Case, Ended, Result, ended_well
from tests.crashlab.spots import is_durable, is_send
from tests.crashlab.verdict import undated

PAST_THE_LEASE = timedelta(minutes=11)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong, at one place after the other."""

    name: str
    nth: int
    """Boundary, or number of the call."""
    play: Callable[[Case, world.Place, int], list[str]]
    """What goes wrong; returns in words what went otherwise than it must."""


def scenes(labels: tuple[str, ...], stride: int) -> list[Scene]:
    """All of them for a company whose undisturbed run passes these boundaries; at every so
    manieth place."""
    found: list[Scene] = []
    writes = sum(label.startswith("before write") for label in labels)
    for fault in LOST_ANSWERS:
        for nth in _every(range(1, writes + 1), stride):
            found.append(Scene(name=fault, nth=nth, play=_fault(f"{fault}=1@{nth}")))
    for fault, most in (("drop-after-commit=40", 1), ("mail-silent=1", 1), ("gateway-silent=1", 1)):
        found.append(Scene(name=fault, nth=most, play=_fault(fault)))
    sends = [
        n
        for n, label in enumerate(labels, start=1)
        if is_send(label) and not label.endswith("refresh of tokens")
    ]
    answers = [n for n in sends if labels[n - 1].startswith("after ")]
    durable = [n for n, label in enumerate(labels, start=1) if is_durable(label)]
    for name, play, places in (
        ("stalled past the lease", _stalled, sends),
        ("slow answer past the lease", _slow, answers),
        ("clock set back", _clock_set(-timedelta(hours=1)), sends),
        ("clock set ahead", _clock_set(timedelta(hours=1)), sends),
        ("clock set back while it runs", _clock_jumps(-timedelta(hours=1)), sends),
        ("clock set ahead while it runs", _clock_jumps(timedelta(hours=1)), sends),
        ("disk full", _disk_full, durable),
        ("database locked", _locked, [n for n in durable if labels[n - 1] == "after commit"]),
        ("two runs, one dies", _two_runs, durable),
        ("two daemons, one dies", _two_daemons, durable),
    ):
        found += [Scene(name=name, nth=nth, play=play) for nth in _every(places, stride)]
    found.append(Scene(name="two runs", nth=0, play=_two_runs))
    return found


LOST_ANSWERS = (
    "drop-before-commit",
    "drop-after-commit",
    "half-answer-after-commit",
    "http-500-after-commit",
    "gateway-after-commit",
)


def over_a_weekend(case: Case, must_be: Counter[str] | None, nth: int) -> Result:
    """It dies on the Friday before summer time ends, and goes on when Monday's hours begin: the
    local time of everything has moved, and what is written names another day."""
    with case.begun() as place:
        ended = case.dies(nth)
        case.company.clock.set(case.company.morning(days=3))
        result = ended_well(case, place, must_be, told=undated)
    return msgspec.structs.replace(
        result, ends=(nth,), gap="over a weekend", killed=1, has_died=ended.is_killed
    )


def staged(case: Case, scene: Scene, must_be: Counter[str]) -> Result:
    """Let it go wrong, then carry on to the end."""
    with case.begun() as place:
        trouble = scene.play(case, place, scene.nth)
        result = ended_well(case, place, must_be)
    verdict = result.verdict
    return msgspec.structs.replace(
        result,
        ends=(scene.nth,) if scene.nth else (),
        gap=scene.name,
        verdict=msgspec.structs.replace(verdict, trouble=(*verdict.trouble, *trouble)),
    )


def _every(places: "range | list[int]", stride: int) -> Iterator[int]:
    yield from places[::stride]


def _fault(order: str) -> Callable[[Case, world.Place, int], list[str]]:
    """The other side misbehaves in one run."""

    def play(case: Case, place: world.Place, nth: int) -> list[str]:
        place.order(order)
        ended = case.runs().wait()
        case.passes(SOON)
        return _unexpected(ended, "")

    return play


def _stalled(case: Case, place: world.Place, nth: int) -> list[str]:
    """A worker stands still past its lease, another one takes over, and the first goes on."""
    first = case.runs(nth, stall)
    if not first.has_stalled():
        return ["it did not stall"]
    case.passes(PAST_THE_LEASE)
    second = case.runs().wait()
    first.goes_on()
    trouble = _unexpected(first.wait(), "") + _unexpected(second, "")
    case.passes(LATE)
    return trouble


def _slow(case: Case, place: world.Place, nth: int) -> list[str]:
    """An answer takes longer than the lease lasts, and nobody else is there."""
    ended = case.runs(nth, lambda: case.passes(PAST_THE_LEASE)).wait()
    case.passes(SOON)
    return _unexpected(ended, "")


def _clock_jumps(by: timedelta) -> Callable[[Case, world.Place, int], list[str]]:
    """A clock that keeps local time is put right in the middle of a run, as in a night in which
    the hour changes."""

    def play(case: Case, place: world.Place, nth: int) -> list[str]:
        clock = case.company.clock
        ended = case.runs(nth, lambda: setattr(clock, "skew", by)).wait()
        case.passes(SOON)
        return _unexpected(ended, "")

    return play


def _clock_set(by: timedelta) -> Callable[[Case, world.Place, int], list[str]]:
    """After a death our clock is wrong, and the vendor has forgotten our keys."""

    def play(case: Case, place: world.Place, nth: int) -> list[str]:
        ended = case.dies(nth)
        case.company.clock.skew = by
        case.passes(LATE)
        place.order("key-forgotten=40")
        return [] if ended.is_killed else ["it did not die"]

    return play


def _disk_full(case: Case, place: world.Place, nth: int) -> list[str]:
    """From one boundary on, nothing more can be written."""
    ended = case.runs(nth, fill_the_disk).wait()
    case.passes(SOON)
    return _unexpected(ended, "disk")


def _locked(case: Case, place: world.Place, nth: int) -> list[str]:
    """Another program holds the database for longer than anybody waits."""
    store_engine.BUSY_TIMEOUT_MS = 50
    run = case.runs(nth, stall)
    store_engine.BUSY_TIMEOUT_MS = 30_000
    if not run.has_stalled():
        return ["it did not stall"]
    other = sqlite3.connect(case.company.home.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run.goes_on()
    ended = run.wait()
    other.execute("ROLLBACK")
    other.close()
    case.passes(SOON)
    return _unexpected(ended, "held by another process")


def _two_runs(case: Case, place: world.Place, nth: int) -> list[str]:
    """Two runs begin at the same time, and one of them may die."""
    first = case.runs(nth, die)
    # Two processes never begin within the same microsecond.
    case.company.clock.skew = timedelta(milliseconds=1)
    second = case.runs()
    trouble = _unexpected(second.wait(), "")
    ended = first.wait()
    case.passes(LATE)
    return trouble + ([] if ended.is_killed else _unexpected(ended, ""))


def _two_daemons(case: Case, place: world.Place, nth: int) -> list[str]:
    """A second daemon is refused as long as the first one lives, wherever that one stands; once
    it is killed, the next one is let in."""
    first = case.runs(nth, stall, is_daemon=True)
    if not first.has_stalled():
        return ["it did not stall"]
    second = case.runs(is_daemon=True).wait()
    trouble = [] if f"process {first.pid}" in second.refusal else [f"let in: {second}"]
    os.kill(first.pid, signal.SIGKILL)
    ended = first.wait()
    case.passes(SOON)
    third = case.runs(is_daemon=True).wait()
    trouble += [] if ended.is_killed else ["it did not die"]
    return trouble + ([] if third.is_locked_out else _unexpected(third, ""))


def _unexpected(ended: Ended, refusal: str) -> list[str]:
    """How it ended, unless it came to its end or gave up with a word of this kind."""
    if ended.error or ended.signal:
        return [ended.error or f"signal {ended.signal}"]
    if ended.refusal and (not refusal or refusal not in ended.refusal):
        return [ended.refusal]
    return []
