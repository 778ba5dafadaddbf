"""Several pieces of work at once, in threads, so that waiting for answers costs no time.

A crew of one works in the calling thread, one piece after the other: what happens is then the
same every time, and a virtual clock, which any thread's sleep moves for all, stays honest.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextvars import copy_context
from threading import Event
from types import TracebackType
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Crew:
    """So many workers. Use it as a context: at the end nobody is at work any more."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, "ar-bridge-writer") if size > 1 else None
        self._stop = Event()

    @property
    def is_stopping(self) -> bool:
        """Work that can pause between two steps ends there."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()

    def each(self, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
        """The results, as they come. The first error, or an interruption, keeps the rest from
        beginning, lets what runs come to its next pause, and is raised then."""
        if self._pool is None:
            for item in items:
                if not self.is_stopping:
                    yield work(item)
            return
        # Each in a context of its own: what is bound to the log or the calls comes along.
        running: list[Future[_Result]] = [
            self._pool.submit(copy_context().run, self._unless_stopping, work, item)
            for item in items
        ]
        try:
            for future in as_completed(running):
                try:
                    result = future.result()
                except _SkippedError:
                    continue
                yield result
        finally:
            if any(not future.done() for future in running):
                self.stop()
                wait(running)

    def _unless_stopping(self, work: Callable[[_Item], _Result], item: _Item) -> _Result:
        if self.is_stopping:
            raise _SkippedError
        try:
            return work(item)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=True)


class _SkippedError(Exception):
    """Not begun."""
