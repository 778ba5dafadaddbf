"""Staying small: what a process that mostly waits need not hold."""

import contextlib
import ctypes
import gc
import sys
from importlib import import_module
from typing import Any, Final

_FOR_TERMINALS: Final = ("rich", "pygments", "httpx._main")
"""What httpx and structlog take along for people at a terminal, where it is installed: 7 MB."""


def without_terminals() -> None:
    """Load those two without it. To be called before anything else loads them; nothing happens
    where it is too late."""
    if "httpx" in sys.modules or "structlog" in sys.modules:
        return
    hidden = [name for name in _FOR_TERMINALS if name not in sys.modules]
    # With None in its place a module counts as not installed.
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))
    try:
        for name in ("httpx", "structlog"):
            import_module(name)
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def give_back() -> None:
    """What loading took and needs no more goes back to the system, where the C library can."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
