"""Who does the work: worker processes that come when something is due and go when nothing is."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from ar_bridge.daemon.orders import Brought, Order, Settled
from ar_bridge.daemon.troubles import SENTENCES

KILLED_AFTER: Final = 5.0
"""Seconds in which a process that was killed has to be gone."""


class Hands(Protocol):
    """Somebody who does jobs, one at a time."""

    def begin(self, order: Order) -> None:
        """Start on a job."""
        ...

    def take(self) -> list[Settled]:
        """What has ended since the last time."""
        ...

    def cut_off(self, run: int) -> None:
        """End a job that takes too long; it comes back as failed."""
        ...

    def rest(self) -> None:
        """There is nothing to do: give everything back."""
        ...

    def stop(self, within: float) -> None:
        """Finish what is in hand, but not for longer than `within` seconds."""
        ...


class WorkerProcesses:
    """Worker processes, as many as jobs are to be done at once."""

    def __init__(self, brought: Brought, on_settled: Callable[[], None]) -> None:
        self._brought = brought
        self._on_settled = on_settled
        self._done: queue.SimpleQueue[Settled] = queue.SimpleQueue()
        self._workers: list[_Worker] = []

    def renew(self, brought: Brought) -> None:
        """From now on workers get other settings; what is in hand ends with the old ones."""
        self._brought = brought
        self.rest()
        for worker in self._workers:
            worker.is_last = True

    def begin(self, order: Order) -> None:
        self._workers = [worker for worker in self._workers if worker.is_alive]
        free = [worker for worker in self._workers if worker.order is None and not worker.is_last]
        if free:
            worker = free[0]
        else:
            worker = _Worker(self._brought, self._ended)
            self._workers.append(worker)
        worker.give(order)

    def take(self) -> list[Settled]:
        found: list[Settled] = []
        while True:
            try:
                found.append(self._done.get_nowait())
            except queue.Empty:
                return found

    def cut_off(self, run: int) -> None:
        for worker in self._workers:
            if worker.order is not None and worker.order.run == run:
                worker.kill("stuck")

    def rest(self) -> None:
        for worker in self._workers:
            if worker.order is None:
                worker.release()
        self._workers = [worker for worker in self._workers if worker.order is not None]

    def stop(self, within: float) -> None:
        for worker in self._workers:
            worker.tell()
        for worker in self._workers:
            worker.join(within)
        self._workers = []

    def kill(self) -> None:
        """At once: from a signal, when nobody is to be waited for."""
        for worker in self._workers:
            worker.kill("stuck")

    def _ended(self, settled: Settled) -> None:
        self._done.put(settled)
        self._on_settled()


class _Worker:
    """One worker process and the thread that listens to it."""

    def __init__(self, brought: Brought, on_settled: Callable[[Settled], None]) -> None:
        self.order: Order | None = None
        self.is_last = False
        """It gets no more orders."""
        self._why = "worker"
        self._is_told = False
        self._on_settled = on_settled
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ar_bridge.daemon.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # An interruption at the terminal is ours to pass on.
            start_new_session=True,
        )
        self._say(msgspec.json.encode(brought))
        self._listener = threading.Thread(target=self._listen, name="worker", daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def give(self, order: Order) -> None:
        self.order = order
        self._say(msgspec.json.encode(order))

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except OSError:
            """It has ended: the listener says so."""

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                settled = msgspec.json.decode(line, type=Settled)
                self.order = None
                if self.is_last:
                    self.release()
                self._on_settled(settled)
        self._process.wait()
        self.release()
        order, self.order = self.order, None
        if order is not None and self._is_told and self._process.returncode == -signal.SIGTERM:
            # It was told to end before it could listen: nothing was begun.
            self._on_settled(Settled(run=order.run, outcome="stopped"))
        elif order is not None:
            self._on_settled(
                Settled(
                    run=order.run, outcome="failed", code=self._why, reason=SENTENCES[self._why]
                )
            )

    def release(self) -> None:
        """No more orders: it ends by itself."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                """It has ended already."""

    def tell(self) -> None:
        """To end after what is in hand."""
        self._is_told = True
        self._signal(signal.SIGTERM)

    def kill(self, why: str) -> None:
        """At once. What it had begun is looked for by whoever goes on."""
        self._why = why
        self._signal(signal.SIGKILL)

    def join(self, within: float) -> None:
        """Wait for its end, and make an end where that takes too long."""
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill("stuck")
            self._process.wait(KILLED_AFTER)
        self._listener.join(KILLED_AFTER)

    def _signal(self, number: int) -> None:
        if self._process.poll() is None:
            os.kill(self._process.pid, number)
