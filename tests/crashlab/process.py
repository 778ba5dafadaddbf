"""A process that is born ready to run, and how it ended.

It may stand still at some boundaries until a visitor has left. Whoever copies our files and the
world meanwhile has what a death there would leave; so that a copy takes it for dead, it goes by
the name of a process that does not live.
"""

import json
import os
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from ar_bridge import processes
from tests.crashlab.boundaries import At

LONGEST = 120
"""Seconds of real time that a process may take."""


_STOP = b"stop "

_NOBODY = 1 << 22
"""No process has a number from here on."""


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


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A boundary at which a process stands still, until its visitor has left."""

    nth: int
    label: str


Visitor: TypeAlias = Callable[[Stop], None]
Stops: TypeAlias = Callable[[int, str], bool]
"""Whether a process stops at a boundary, given its number and its label."""


class Process:
    """A process that may be visited, stopped, continued and waited for."""

    def __init__(self, pid: int, reading: int, going: int) -> None:
        self.pid = pid
        self._reading = reading
        self._going = going

    def has_stalled(self) -> bool:
        """Wait until it stands still; False where it has ended instead."""
        found = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return found is not None and found.si_code == os.CLD_STOPPED

    def goes_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def wait(self, visit: Visitor | None = None) -> Ended:
        """How it ended. Whatever it stops at is visited."""
        told = b""
        with os.fdopen(self._reading, "rb") as pipe:
            for line in pipe:
                if visit is None or not line.startswith(_STOP):
                    told = line
                    continue
                visit(msgspec.json.decode(line[len(_STOP) :], type=Stop))
                os.write(self._going, b".")
        os.close(self._going)
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            return Ended(signal=os.WTERMSIG(status))
        if not told:
            return Ended(error=f"exit code {os.waitstatus_to_exitcode(status)}")
        return msgspec.json.decode(told, type=Ended)


class Telling:
    """What a process tells of itself, and waits for."""

    def __init__(self, writing: int, waiting: int) -> None:
        self._writing = writing
        self._waiting = waiting

    def at(self, stops: Stops) -> At:
        """Stand still at these boundaries. To whoever looks it has ended: as a process of that
        name does not live."""
        processes._own = lambda number: f"{socket.gethostname()}/{_NOBODY + number}/1"

        def at(nth: int, label: str) -> None:
            if stops(nth, label):
                signal.alarm(0)
                os.write(self._writing, _STOP + msgspec.json.encode(Stop(nth=nth, label=label)))
                os.write(self._writing, b"\n")
                if not os.read(self._waiting, 1):
                    os._exit(71)
                signal.alarm(LONGEST)

        return at

    def end(self, told: dict[str, Any]) -> None:
        """It comes to its end, and this is what it has to say."""
        os.write(self._writing, json.dumps(told).encode() + b"\n")


def started(work: Callable[[Telling], dict[str, Any]]) -> Process:
    """A process that does this work."""
    reading, writing = os.pipe()
    waiting, going = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        os.close(waiting)
        return Process(pid, reading, going)
    os.close(reading)
    os.close(going)
    code = 0
    try:
        signal.alarm(LONGEST)
        telling = Telling(writing, waiting)
        telling.end(work(telling))
    except BaseException:
        traceback.print_exc()
        code = 70
    finally:
        os._exit(code)


_NOBODY = 1 << 22
"""No process has a number from here on."""
