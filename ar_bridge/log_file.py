"""The log file that several processes write to at once: the daemon, its workers, commands.

Whoever finds it too large turns it over, one at a time; the others see that the name stands for
another file and open that. A line is written where it belongs, or at the end of the older file: it
is never lost. A program such as logrotate may turn it over as well.
"""

import contextlib
import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from logging.handlers import WatchedFileHandler
from pathlib import Path

LARGEST = 5_000_000
"""Bytes after which a new file is begun."""

KEPT = 3
"""Older files."""


class SharedLogFile(WatchedFileHandler):
    """Lines of many processes in one file of bounded size."""

    def __init__(self, path: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        """Raises OSError where the file cannot be written."""
        self._path = path
        self._largest = largest
        self._kept = kept
        self._is_told = False
        super().__init__(path, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, into a new file where this one is large enough."""
        try:
            if os.stat(self._path).st_size >= self._largest:
                with self._alone():
                    self._turn_over()
            super().emit(record)
        except FileNotFoundError:
            self._anew(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once that the log cannot be written: what is logged goes on."""
        if not self._is_told:
            self._is_told = True
            print(f"the log {self._path} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)

    def _anew(self, record: logging.LogRecord) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            super().emit(record)
        except OSError:
            self.handleError(record)

    def _turn_over(self) -> None:
        if os.stat(self._path).st_size < self._largest:
            return  # somebody else was faster
        names = [self._path, *(self._older(n) for n in range(1, self._kept + 1))]
        for newer, older in reversed(list(pairwise(names))):
            with contextlib.suppress(FileNotFoundError):
                os.replace(newer, older)

    def _older(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(self._path.with_name(".turning"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
