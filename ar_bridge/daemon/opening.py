"""Opening the database at the start: waited for where it may come back by itself.

After a power cut the daemon may be there before the database server is. A service that ended then
would have to be started by hand, so it says on /healthz what it waits for and tries again. What
no waiting mends, such as a damaged file or a wrong password, still ends it at once.
"""

import os
import queue
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeAlias

import structlog

from ar_bridge import __version__
from ar_bridge.daemon.lock import InstanceLock, only_one
from ar_bridge.errors import DatabaseAwayError
from ar_bridge.store.engine import Store, open_store
from connectors.port import Clock

_log = structlog.get_logger("ar_bridge.daemon")

Served: TypeAlias = Callable[
    [Callable[[], tuple[int, dict[str, Any]]]], AbstractContextManager[object]
]
"""Answers /healthz with what it is given, as long as the block runs."""


class Opening:
    """The lock and the database of a daemon that begins."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        serve: Served,
        say: Callable[[str], None],
        alive: Callable[[], None],
        told: Callable[[float], int],
        seconds: float,
    ) -> None:
        """`say` tells who runs it, `alive` the service manager at each try; `told` waits for a
        signal for so many `seconds` and raises queue.Empty where none came."""
        self._url = url
        self._clock = clock
        self._serve = serve
        self._say = say
        self._alive = alive
        self._told = told
        self._seconds = seconds
        self._reason = ""
        self._since = clock.now()

    def opened(
        self, stack: ExitStack, *, is_end: Callable[[int], bool]
    ) -> tuple[InstanceLock, Store] | None:
        """Both, closed with `stack`; None where a signal ended it first.

        Raises SetupError where waiting mends nothing.
        """
        with ExitStack() as waiting:
            while True:
                try:
                    return self._try(stack)
                except DatabaseAwayError as error:
                    self._note(error, waiting)
                self._alive()
                try:
                    if is_end(self._told(self._seconds)):
                        return None
                except queue.Empty:
                    """Nobody wants anything: once more."""

    def look(self) -> tuple[int, dict[str, Any]]:
        """What /healthz answers while it waits."""
        reason = {
            "level": "failing",
            "code": "database",
            "text": self._reason,
            "since": self._since.isoformat(),
            "job": "",
        }
        return 503, {
            "status": "failing",
            "version": __version__,
            "process": os.getpid(),
            "since": self._since.isoformat(),
            "at": self._clock.now().isoformat(),
            "reasons": [reason],
            "books": {},
        }

    def _try(self, stack: ExitStack) -> tuple[InstanceLock, Store]:
        with ExitStack() as held:
            lock = held.enter_context(only_one(self._url))
            store = open_store(self._url)
            held.callback(store.close)
            with store.write():
                """It can be written: whoever only reads is not kept out by a holder."""
            stack.push(held.pop_all())
            return lock, store

    def _note(self, error: DatabaseAwayError, waiting: ExitStack) -> None:
        is_first = not self._reason
        if is_first:
            waiting.enter_context(self._serve(self.look))
        if self._reason != error.message:
            self._reason = error.message
            _log.warning("the database is waited for", reason=error.message)
            self._say(f"{error.message}: it is waited for.")
