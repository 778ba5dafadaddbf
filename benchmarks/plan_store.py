"""How long a plan takes from the SQLite store: load the book, decide, render, store the plan.

    python -m benchmarks.plan_store [--invoices 100000] [--customers 20000]

The book is that of `benchmarks.decide`. It observes, so that nothing is approved and the whole
plan is made. Filling the store is not measured.
"""

import argparse
import json
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from ar_bridge.clock import VirtualClock
from ar_bridge.context import BookContext
from ar_bridge.home import Home
from ar_bridge.planner import make_plan
from ar_bridge.settings import BookSettings, MailSettings, Settings
from ar_bridge.store import books, mirror
from ar_bridge.store.engine import Store, open_store
from ar_bridge.wiring import database_url, desk
from benchmarks.decide import TODAY, book, policy
from connectors.bookfile.client import BookFileConnector


def filled(store: Store, invoices: int, customers: int, now: datetime) -> int:
    """Put the made-up book into the store; returns its row id."""
    made = book(invoices, customers)
    with store.write() as conn:
        row = books.register(
            conn, made.company, name="benchmark", connected_on=TODAY - timedelta(days=400)
        )
        mirror.upsert(conn, row.id, "customers", list(made.customers.values()), seen_on=TODAY)
        mirror.upsert(conn, row.id, "invoices", made.invoices, seen_on=TODAY)
        mirror.upsert(conn, row.id, "payments", made.payments, seen_on=TODAY)
        books.record_sync(conn, row.id, cursor=None, synced_at=now)
    return row.id


@contextmanager
def opened(folder: Path, invoices: int, customers: int) -> Iterator[BookContext]:
    """A filled book, open for planning."""
    home = Home(folder)
    clock = VirtualClock(datetime(TODAY.year, TODAY.month, TODAY.day, 9, 30, tzinfo=UTC))
    empty = folder / "book.jsonl"
    empty.write_text('{"t":"company","id":"benchmark","base_currency":"GBP"}\n')
    settings = Settings.model_construct(book={}, mail=MailSettings())
    given = BookSettings.model_validate(
        {"name": "benchmark", "ledger": "bookfile", "file": empty, "policy": "standard"}
    )
    store = open_store(database_url(settings, home))
    row_id = filled(store, invoices, customers, clock.now())
    with store.read() as conn:
        row = books.get(conn, row_id)
    connector = BookFileConnector(empty, clock)
    try:
        yield desk(settings, given, home, clock, store, row, policy(), connector)
    finally:
        store.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--invoices", type=int, default=100_000)
    options.add_argument("--customers", type=int, default=20_000)
    sizes = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), sizes.invoices, sizes.customers) as made,
    ):
        for run in ("first", "again"):
            start = perf_counter()
            plan = make_plan(made)
            seconds = perf_counter() - start
            print(
                json.dumps(
                    {
                        "benchmark": f"plan_from_sqlite_{run}",
                        "n": sizes.invoices,
                        "seconds": round(seconds, 3),
                        "invoices_per_s": round(sizes.invoices / seconds),
                        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                        "actions": plan.planned + plan.kept,
                    }
                )
            )


if __name__ == "__main__":
    main()
