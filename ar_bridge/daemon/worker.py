"""The process that does the work: it takes orders on standard input until that ends.

Run as `python -m ar_bridge.daemon.worker` by the daemon. It comes when something is due and
goes when nothing is, so that what a large book takes is given back.
"""

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import msgspec
import structlog

from ar_bridge.clock import SystemClock
from ar_bridge.daemon.jobs import JOBS
from ar_bridge.daemon.orders import Brought, Order, Settled
from ar_bridge.daemon.stopping import Stop, Stopped, stoppable
from ar_bridge.daemon.troubles import is_foreseen, trouble_of
from ar_bridge.guard import check_packages
from ar_bridge.home import Home
from ar_bridge.settings import Settings, load_settings
from connectors.port import Clock

_log = structlog.get_logger("ar_bridge.daemon")


def carry_out(
    order: Order,
    settings: Settings,
    home: Home,
    clock: Clock,
    stop: Stop,
    *,
    config: Path | None = None,
    inner: httpx.BaseTransport | None = None,
) -> Settled:
    """Do one job. Every error becomes a result: the next order is somebody else's."""
    from ar_bridge.daemon.work import Bench

    module, _, function = JOBS[order.job].work.partition(":")
    bench = Bench(
        order=order,
        settings=settings,
        home=home,
        clock=clock,
        stop=stop,
        config=config,
        inner=inner,
    )
    began = clock.monotonic()
    with (
        structlog.contextvars.bound_contextvars(run=order.run, book=order.book, job=order.job),
        _every_call_noted(),
    ):
        try:
            did = getattr(import_module(module), function)(bench)
        except Stopped:
            _log.info("stopped between two steps")
            return Settled(run=order.run, outcome="stopped")
        except Exception as error:
            if stop.is_told:
                _log.info("stopped", reason=str(error))
                return Settled(run=order.run, outcome="stopped")
            trouble = trouble_of(error)
            if is_foreseen(error):
                _log.error("job failed", code=trouble.code, reason=str(error) or trouble.reason)
            else:
                _log.error("job failed", code=trouble.code, exc_info=error)
            return Settled(
                run=order.run,
                outcome="failed",
                code=trouble.code,
                reason=trouble.reason,
                rests_until=trouble.rests_until,
                is_ledger=trouble.is_ledger,
                counts={"calls": bench.calls.counts},
                seconds=clock.monotonic() - began,
            )
        if stop.is_told:
            # What it left out is done under the same slot at the next start.
            _log.info("stopped before everything was done")
            return Settled(run=order.run, outcome="stopped", counts=did.counts)
        seconds = round(clock.monotonic() - began, 3)
        _log.info("job done", seconds=seconds, problems=did.reason, **did.note)
        return Settled(
            run=order.run,
            outcome="problems" if did.has_problems else "done",
            code=did.code,
            reason=did.reason,
            rests_until=did.rests_until,
            note=did.note,
            counts={**did.counts, "calls": bench.calls.counts},
            seconds=seconds,
        )


@contextmanager
def _every_call_noted() -> Iterator[None]:
    """While a job runs, every call to the vendor is in the log, with the run it belongs to."""
    logger = logging.getLogger("connectors.transport")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(before)


def _settled(order: Order, brought: Brought, settings: Settings, stop: Stop) -> Settled:
    clock = stoppable(SystemClock(), stop)
    return carry_out(
        order, settings, Home(Path(brought.home)), clock, stop, config=Path(brought.config)
    )


def _orders(lines: Any, into: "queue.SimpleQueue[bytes | None]", stop: Stop) -> None:
    for line in lines:
        into.put(line)
    # The daemon is gone, or has no more to do.
    stop.tell()
    into.put(None)


def main() -> int:
    """Until standard input ends, or SIGTERM."""
    os.umask(0o077)
    check_packages()
    stop = Stop()
    inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def told(*_: object) -> None:
        stop.tell()
        inbox.put(None)

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = sys.stdin.buffer
    brought = msgspec.json.decode(lines.readline(), type=Brought)
    home = Home(Path(brought.home))
    settings = load_settings(Path(brought.config), secrets=home.secrets, text=brought.text)
    from ar_bridge.logging import configure_logging

    configure_logging(home, is_debug=brought.is_debug, console=settings.daemon.log)
    threading.Thread(target=_orders, args=(lines, inbox, stop), daemon=True).start()
    while (line := inbox.get()) is not None and not stop.is_told:
        settled = _settled(msgspec.json.decode(line, type=Order), brought, settings, stop)
        sys.stdout.buffer.write(msgspec.json.encode(settled) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    # Daemon threads may hold the input: nothing is left to be tidied up.
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
