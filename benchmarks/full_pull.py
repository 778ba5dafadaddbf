"""A whole book read over HTTP: our memory, our CPU time and the calls that it takes.

    python -m benchmarks.full_pull [--invoices 50000] [--ledger quickbooks|xero|both]

The sandbox serves a made-up book from a process of its own, so that what is measured is ours
alone: `cpu_s` and `peak_rss_mb` are those of the process that connects, pulls and stores, the
import of the program included. `seconds` holds the time that the ledger's rate limits cost.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
from contextlib import closing
from datetime import timedelta
from math import ceil
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from ar_bridge.clock import SystemClock
from ar_bridge.store import books
from ar_bridge.store.engine import open_store
from ar_bridge.sync import sync
from connectors.oauth2 import Tokens
from connectors.table import BookConnection, open_connector
from connectors.tokens import MemoryVault

PAGE = 1_000
MOST_MB = 300
MOST_CPU_S = 60.0


def served(there: Connection, ledger: Any, invoices: int) -> None:
    """The process of the ledger: says where it is, then how often it was read."""
    from benchmarks.sync_calls import book
    from connectors.sandbox.service import CLIENT_ID, CLIENT_SECRET, Sandbox

    sandbox = Sandbox(book(invoices), ledger=ledger, clock=SystemClock())
    with closing(sandbox.serve()) as running:
        where = sandbox.addresses(running.base_url)
        there.send(
            {
                "company_id": sandbox.company_id,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "granted": sandbox.oauth.grant(),
                "api_url": where.api_url,
                "authorize_url": where.authorize_url,
                "token_url": where.token_url,
                "connections_url": where.connections_url,
            }
        )
        while there.recv() == "calls":
            there.send((sandbox.stats().reads, sandbox.stats().throttled))


def measured(here: Connection, answer: Connection, ledger: str, folder: str) -> None:
    """The process of ours."""
    where = here.recv()
    clock = SystemClock()
    now = clock.now()
    granted = where.pop("granted")
    tokens = Tokens(
        access_token=granted["access_token"],
        refresh_token=granted["refresh_token"],
        expires_at=now + timedelta(seconds=granted["expires_in"]),
        obtained_at=now,
    )
    connection = BookConnection(clock=clock, vault=MemoryVault(tokens), **where)
    started = perf_counter()
    with (
        closing(open_connector(ledger, connection)) as connector,
        closing(open_store(f"sqlite:///{folder}/{ledger}.db")) as store,
    ):
        company = connector.check().company
        with store.write() as conn:
            row = books.register(conn, company, name="bench", connected_on=now.date())
        here.send("calls")
        before, _ = here.recv()
        report = sync(store, row, connector, clock)
        here.send("calls")
        reads, throttled = here.recv()
        here.send("done")
    fewest = sum(max(1, ceil(rows / PAGE)) for rows in report.read.values())
    answer.send(
        {
            "benchmark": "full_pull",
            "ledger": ledger,
            "n": report.read["invoices"],
            "read": dict(report.read),
            "seconds": round(perf_counter() - started, 1),
            "cpu_s": round(process_time(), 1),
            "invoices_per_s": round(report.read["invoices"] / process_time()),
            "calls": reads - before,
            "bound": fewest + 6,
            "throttled": throttled,
            "quarantined": len(report.quarantined),
            "peak_rss_mb": _peak_rss_mb(),
        }
    )


def measure(ledger: str, invoices: int, folder: Path) -> dict[str, Any]:
    """One full pull of so many open invoices."""
    spawned = multiprocessing.get_context("spawn")
    here, there = spawned.Pipe()
    result, answer = spawned.Pipe(duplex=False)
    ledger_process = spawned.Process(target=served, args=(there, ledger, invoices), daemon=True)
    ours = spawned.Process(target=measured, args=(here, answer, ledger, str(folder)), daemon=True)
    ledger_process.start()
    ours.start()
    ours.join()
    ledger_process.terminate()
    if not result.poll():
        raise SystemExit(f"reading the {ledger} book failed")
    line: dict[str, Any] = result.recv()
    return line


def _peak_rss_mb() -> int:
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // scale


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=50_000)
    parser.add_argument("--ledger", choices=("quickbooks", "xero", "both"), default="both")
    given = parser.parse_args()
    ledgers = ("quickbooks", "xero") if given.ledger == "both" else (given.ledger,)
    is_good = True
    with tempfile.TemporaryDirectory() as folder:
        for ledger in ledgers:
            line = measure(ledger, given.invoices, Path(folder))
            print(json.dumps(line), flush=True)
            is_good = (
                is_good
                and line["calls"] <= line["bound"]
                and line["peak_rss_mb"] <= MOST_MB
                and line["cpu_s"] <= MOST_CPU_S
            )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
