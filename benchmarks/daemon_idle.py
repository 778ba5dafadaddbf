"""What an idle daemon with one book takes: memory, processor time, growth.

    python -m benchmarks.daemon_idle [--seconds 60] [--ticks 10000]

First a real process, in real time: its own processor time and memory while nothing is due, and
what one reading of the book costs in the worker that comes for it; `core_share` counts both, at
a reading every 15 minutes. Then that many looks at the timetable in this process, on a virtual
clock. `*_cpu_s` is processor time, which other work on the machine does not change much.
"""

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ar_bridge.__main__ import main as ar_bridge
from ar_bridge.clock import VirtualClock
from ar_bridge.daemon.core import Core
from ar_bridge.daemon.health import Health
from ar_bridge.daemon.lean import give_back
from ar_bridge.daemon.orders import Brought, Order, Settled
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings, Settings, load_settings
from ar_bridge.settings.daemon import DaemonSettings
from ar_bridge.store.engine import Store, open_store

PATIENCE = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")

CONFIG = """\
[[book]]
name = "bench"
ledger = "bookfile"
file = "book.jsonl"
policy = "standard"

[daemon]
port = {port}
plan_at = "00:00"
log = "file"
"""


def book(invoices: int) -> Iterator[dict[str, Any]]:
    """A small company: five invoices a customer, none of them due."""
    yield {"t": "company", "id": "bench", "base_currency": "GBP", "country": "GB"}
    for n in range(invoices // 5):
        yield {
            "t": "customer",
            "id": f"C{n}",
            "date": "2026-01-05",
            "name": f"Customer {n} Ltd",
            "currency": "GBP",
        }
    for n in range(invoices):
        yield {
            "t": "invoice",
            "id": f"I{n}",
            "number": f"INV-{n}",
            "date": date(2026, 6, 1).isoformat(),
            "due": date(2099, 1, 1).isoformat(),
            "customer": f"C{n % max(1, invoices // 5)}",
            "currency": "GBP",
            "total": "100.00",
        }


@contextmanager
def office(invoices: int, port: int) -> Iterator[Path]:
    """A home directory with one book, connected."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        lines = "".join(json.dumps(event) + "\n" for event in book(invoices))
        (home / "book.jsonl").write_text(lines)
        (home / "config.toml").write_text(CONFIG.format(port=port))
        said = sys.stdout
        with open(os.devnull, "w") as nowhere:
            sys.stdout = nowhere
            try:
                code = ar_bridge(["--home", str(home), "connect", "bench"])
            finally:
                sys.stdout = said
        if code:
            raise SystemExit(f"the book could not be connected: {code}")
        yield home


def processor(process: int) -> tuple[float, float]:
    """Seconds of this process, and of its children that have ended."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    own, children = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return own / _TICKS, children / _TICKS


def resident_mb(process: int) -> float:
    """Memory of a process that is in use."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not say")


def children_of(process: int) -> list[str]:
    """Workers that are there."""
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def wait_until_idle(process: int, port: int) -> dict[str, Any]:
    """What /healthz says once the plan of the day is made and no worker is left."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        time.sleep(0.5)
        try:
            body: dict[str, Any] = httpx.get(f"http://127.0.0.1:{port}/healthz").json()
        except httpx.TransportError:
            continue
        bench = body["books"].get("bench", {})
        if bench.get("planned_at") and not body["running"] and not children_of(process):
            return body
    raise SystemExit("the daemon did not come to rest")


def reading_cpu_s(home: Path) -> float:
    """Processor time of a worker that comes, reads the book and goes."""
    config = home / "config.toml"
    brought = Brought(home=str(home), config=str(config), text=config.read_text())
    order = Order(run=1, book_id=1, book="bench", job="sync", slot="")
    lines = b"".join(msgspec.json.encode(one) + b"\n" for one in (brought, order))
    command = [sys.executable, "-P", "-m", "ar_bridge.daemon.worker"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(lines)
        worker.stdin.flush()
        settled = msgspec.json.decode(worker.stdout.readline(), type=Settled)
        worker.stdin.close()
        worker.wait()
    if settled.outcome != "done":
        raise SystemExit(f"the book could not be read: {settled.reason}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_process(seconds: float, invoices: int) -> dict[str, Any]:
    """A real daemon, while nothing is due."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    with office(invoices, port) as home:
        command = [sys.executable, "-m", "ar_bridge", "--home", str(home), "daemon"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_idle(process.pid, port)
            # Of all that a first start does, one worker with one reading is what comes again.
            workers = reading_cpu_s(home)
            began, before = time.monotonic(), processor(process.pid)
            time.sleep(seconds)
            took, after = time.monotonic() - began, processor(process.pid)
            idle = (after[0] - before[0]) / took
            memory = resident_mb(process.pid)
        finally:
            process.terminate()
            code = process.wait(PATIENCE)
    every = DaemonSettings().span("sync_every").total_seconds()
    return {
        "benchmark": "daemon_idle",
        "n": invoices,
        "seconds": round(took, 1),
        "resident_mb": round(memory, 1),
        "own_share": round(idle, 5),
        "worker_cpu_s": round(workers, 2),
        "core_share": round(idle + workers / every, 5),
        "exit_code": code,
    }


class _NobodyWorks:
    """Nothing is ever due here."""

    def begin(self, order: Order) -> None:
        raise RuntimeError(f"{order.job} was due")

    def take(self) -> list[Settled]:
        return []

    def cut_off(self, run: int) -> None: ...

    def rest(self) -> None: ...

    def stop(self, within: float) -> None: ...


def measure_ticks(ticks: int) -> dict[str, Any]:
    """Looks at a timetable on which nothing is due, as many as in some days."""
    with office(50, 0) as home:
        text = (home / "config.toml").read_text().replace('"00:00"', '"never"')
        for key in ("sync_every", "tokens_every", "backup_at"):
            text += f'{key} = "never"\n'
        (home / "config.toml").write_text(text)
        settings: Settings = load_settings(home / "config.toml")
        store = open_store(f"sqlite:///{Home(home).database}")
        clock = VirtualClock(datetime(2026, 6, 1, 12, tzinfo=UTC))

        def find(_: Store, one: BookSettings) -> tuple[int, str]:
            return 1, "Europe/London"

        core = Core(store=store, clock=clock, settings=settings, hands=_NobodyWorks(), find=find)
        core.muster()
        core.known.clear()
        health = Health(core, home, process=os.getpid())
        step = timedelta(seconds=settings.daemon.span("tick").total_seconds() / 1000)
        for _ in range(500):
            core.tick()
            clock.advance(step)
        give_back()
        before, began = resident_mb(os.getpid()), time.process_time()
        for number in range(ticks):
            core.tick()
            clock.advance(step)
            if number % 10 == 0:
                health.look()
        took = time.process_time() - began
        give_back()
        after = resident_mb(os.getpid())
        store.close()
    return {
        "benchmark": "daemon_ticks",
        "n": ticks,
        "seconds": round(took, 2),
        "ms_per_tick": round(1000 * took / ticks, 3),
        "growth_mb": round(after - before, 2),
        "peak_rss_mb": round(after, 1),
    }


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--invoices", type=int, default=500)
    options.add_argument("--ticks", type=int, default=10_000)
    given = options.parse_args()
    print(json.dumps(measure_process(given.seconds, given.invoices)), flush=True)
    print(json.dumps(measure_ticks(given.ticks)), flush=True)


if __name__ == "__main__":
    main()
