"""Processes that run `ar-bridge` and may be killed at any instant."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.soak.clock import SharedClock

ROOT = Path(__file__).resolve().parents[2]
KILLED = -signal.SIGKILL


class Process:
    """`ar-bridge ...` in a process of its own."""

    def __init__(self, nursery: "Nursery", files: tuple[Path, Path]) -> None:
        self._nursery = nursery
        self._number = 0
        self._files = files
        self._is_born = threading.Event()
        self._is_over = threading.Event()
        self._guard = threading.Lock()
        self._is_buried = False

    def born(self, number: int) -> None:
        """It runs under this number."""
        self._number = number
        self._is_born.set()

    def kill(self) -> None:
        """`kill -9`; returns when nothing of it runs any more."""
        self._is_born.wait(60)
        with self._guard:
            if self._is_buried:
                return
            os.kill(self._number, signal.SIGKILL)
        self._is_over.wait(60)

    def wait(self) -> int:
        """The exit code; KILLED where it was killed."""
        code = int(self._nursery.read())
        self._is_over.set()
        with self._guard:
            self._is_buried = True
            self._nursery.order("")
        return code

    @property
    def out(self) -> str:
        return self._files[0].read_text()

    @property
    def err(self) -> str:
        return self._files[1].read_text()


class Nursery:
    """Where processes come from, one after the other."""

    def __init__(self, folder: Path, compiled: dict[str, str]) -> None:
        self._folder = folder
        self._made = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._mother = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **compiled},
            cwd=ROOT,
            text=True,
        )

    def start(
        self,
        home: Path,
        clock: SharedClock,
        arguments: Sequence[str],
        *,
        commit: int = 0,
        when: str = "before",
        watch: Callable[[Process], None] | None = None,
    ) -> Process:
        """Begin; with `commit` it ends `when` its nth commit is made. `watch` is told of the
        process before it does its first step."""
        self._made += 1
        files = (self._folder / f"{self._made}.out", self._folder / f"{self._made}.err")
        order: dict[str, Any] = {
            "arguments": ["--home", str(home), *arguments],
            "clock": str(clock.file),
            "out": str(files[0]),
            "err": str(files[1]),
            "commit": commit,
            "when": when,
        }
        process = Process(self, files)
        if watch is not None:
            watch(process)
        self.order(json.dumps(order))
        process.born(int(self.read()))
        return process

    def order(self, line: str) -> None:
        assert self._mother.stdin is not None
        self._mother.stdin.write(line + "\n")
        self._mother.stdin.flush()

    def read(self) -> str:
        assert self._mother.stdout is not None
        return self._mother.stdout.readline()

    def close(self) -> None:
        self._mother.communicate(timeout=60)
