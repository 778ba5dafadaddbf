"""Which process holds something, said so that another one can tell whether it still lives."""

import os
import socket
from functools import cache
from pathlib import Path


def own_process() -> str:
    """This process: its machine, its number, and when it began, for numbers come again."""
    return _own(os.getpid())


@cache
def _own(number: int) -> str:
    return named(number)


def named(number: int) -> str:
    """A process of this machine by its number."""
    return f"{socket.gethostname()}/{number}/{_began(number)}"


def is_of_this_machine(process: str) -> bool:
    """Whether it can be told at all if that process lives."""
    return process.rsplit("/", 2)[0] == socket.gethostname()


def still_lives(process: str) -> bool:
    """Whether it is another process of this machine, and has not ended."""
    return process != own_process() and is_of_this_machine(process) and not is_gone(process)


def number_of(process: str) -> str:
    """The number by which it is ended."""
    return process.rsplit("/", 2)[1]


def is_gone(process: str) -> bool:
    """Whether a process of this machine has ended. Of others nobody can tell: False."""
    machine, _, began_then = process.rpartition("/")
    number = machine.rpartition("/")[2]
    if not number.isdigit() or not is_of_this_machine(process):
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    began = _began(int(number))
    return bool(began_then) and bool(began) and began_then != began


def _began(number: int) -> str:
    """When a process began, in the kernel's ticks; empty where the system does not tell."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name of the program may hold anything; what follows its last bracket is numbers.
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""
