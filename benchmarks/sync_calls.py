"""How many calls a sync takes, against the fewest that would do.

    python -m benchmarks.sync_calls [--invoices 2500] [--ledger quickbooks|xero|both]

A made-up book lies in the sandbox, in-process. The fewest calls of a full pull are one page per
thousand rows of each entity; the bound is six more. A second sync asks only for what changed.
The clock is virtual, so `waited_s` is what rate limits would have cost in real time.
"""

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import Any

from ar_bridge.clock import VirtualClock
from ar_bridge.store import books
from ar_bridge.store.engine import open_store
from ar_bridge.sync import sync
from connectors.oauth2 import Tokens
from connectors.sandbox.service import CLIENT_ID, CLIENT_SECRET, Sandbox
from connectors.table import BookConnection, open_connector
from connectors.tokens import MemoryVault

NOW = datetime(2026, 10, 14, 9, tzinfo=UTC)
PAGE = 1_000
SPARE = 6
"""Calls that a full pull may take beyond its pages: set-up, short lists, proof of the end."""


def book(invoices: int) -> Iterator[dict[str, Any]]:
    """A book file: each customer has five invoices, every fourth is partly paid."""
    yield {"t": "company", "id": "bench", "base_currency": "GBP", "country": "GB"}
    customers = ceil(invoices / 5)
    start = date(2026, 6, 1)
    for n in range(customers):
        yield {
            "t": "customer",
            "id": f"C{n}",
            "date": "2026-01-05",
            "name": f"Customer {n} Ltd",
            "currency": "GBP",
            "email": f"ap@customer-{n}.example",
        }
    for n in range(invoices):
        issued = start + timedelta(days=n % 90)
        customer = f"C{n % customers}"
        yield {
            "t": "invoice",
            "id": f"I{n}",
            "number": f"INV-{n}",
            "date": issued.isoformat(),
            "due": (issued + timedelta(days=30)).isoformat(),
            "customer": customer,
            "currency": "GBP",
            "total": "120.00",
        }
        if n % 4 == 0:
            yield {
                "t": "payment",
                "id": f"P{n}",
                "date": (issued + timedelta(days=20)).isoformat(),
                "customer": customer,
                "currency": "GBP",
                "amount": "20.00",
                "alloc": [{"invoice": f"I{n}", "amount": "20.00"}],
            }


def measure(ledger: Any, invoices: int, folder: Path) -> Iterator[dict[str, Any]]:
    """A full pull, then an incremental one."""
    clock = VirtualClock(NOW)
    sandbox = Sandbox(book(invoices), ledger=ledger, clock=clock)
    where = sandbox.addresses()
    granted = sandbox.oauth.grant()
    connector = open_connector(
        ledger,
        BookConnection(
            company_id=sandbox.company_id,
            clock=clock,
            vault=MemoryVault(
                Tokens(
                    access_token=granted["access_token"],
                    refresh_token=granted["refresh_token"],
                    expires_at=NOW + timedelta(seconds=granted["expires_in"]),
                    obtained_at=NOW,
                )
            ),
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            api_url=where.api_url,
            authorize_url=where.authorize_url,
            token_url=where.token_url,
            connections_url=where.connections_url,
            inner=sandbox.transport(),
        ),
    )
    store = open_store(f"sqlite:///{folder / ledger}.db")
    company = connector.check().company
    with store.write() as conn:
        row = books.register(conn, company, name="bench", connected_on=NOW.date())
    for what in ("full", "changes"):
        before, began, started = sandbox.stats(), clock.now(), perf_counter()
        report = sync(store, row, connector, clock)
        seconds = perf_counter() - started
        calls = sandbox.stats().reads - before.reads
        fewest = sum(max(1, ceil(rows / PAGE)) for rows in report.read.values())
        yield {
            "benchmark": "sync_calls",
            "ledger": ledger,
            "pull": what,
            "n": sum(report.read.values()),
            "read": dict(report.read),
            "calls": calls,
            "fewest": fewest,
            "bound": fewest + SPARE,
            "within_bound": calls <= fewest + SPARE,
            "throttled": sandbox.stats().throttled - before.throttled,
            "quarantined": len(report.quarantined),
            "waited_s": round((clock.now() - began).total_seconds(), 1),
            "seconds": round(seconds, 3),
            "peak_rss_mb": _peak_rss_mb(),
        }
        clock.advance(timedelta(hours=1))
        with store.read() as conn:
            row = books.get(conn, row.id)
    connector.close()
    store.close()


def _peak_rss_mb() -> int:
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // scale


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=2_500)
    parser.add_argument("--ledger", choices=("quickbooks", "xero", "both"), default="both")
    given = parser.parse_args()
    ledgers = ("quickbooks", "xero") if given.ledger == "both" else (given.ledger,)
    is_good = True
    with tempfile.TemporaryDirectory() as folder:
        for ledger in ledgers:
            for line in measure(ledger, given.invoices, Path(folder)):
                print(json.dumps(line), flush=True)
                is_good = is_good and line["within_bound"] and not line["throttled"]
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
