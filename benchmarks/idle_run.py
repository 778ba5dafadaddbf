"""How long a run takes that has nothing to do: sync without changes, plan, apply.

    python -m benchmarks.idle_run [--invoices 100000] [--customers 20000]

The book is that of `benchmarks.decide` in a SQLite store, the ledger a stand-in that says at once
that nothing changed. The book observes, so that what is due stays planned; the first run of the
day plans it and is not measured. `seconds` is the median of the runs after it.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, cast

from ar_bridge.context import BookContext
from ar_bridge.run import run_book
from ar_bridge.store import books
from benchmarks.plan_store import opened, peak_rss_mb
from connectors.port import Capabilities, Clock, CompanyCheck, Connector, Cursor, Page, Reading
from rules.model import Company

RUNS = 5


class Quiet:
    """A ledger in which nothing happens."""

    def __init__(self, company: Company, clock: Clock) -> None:
        self._company, self._clock = company, clock
        self.capabilities = Capabilities(ledger="bookfile", effects=frozenset(), note_limit=4000)

    def check(self) -> CompanyCheck:
        return CompanyCheck(company=self._company)

    def pull(self, cursor: Cursor | None, *, resume: str = "") -> Iterator[Page]:
        del cursor, resume
        yield Page(entity="invoices", cursor=Cursor(at=self._clock.now()))

    def read(self, *given: Iterable[str], **more: Iterable[str]) -> Reading:
        del given, more
        return Reading()

    def close(self) -> None:
        return


def quiet(desk: BookContext) -> BookContext:
    """The same book, with such a ledger, read whole not long ago."""
    ledger: Any = Quiet(desk.company, desk.clock)
    with desk.store.write() as conn:
        now = desk.clock.now()
        cursor = Cursor(at=now)
        books.record_sync(conn, desk.book_id, cursor=cursor, synced_at=now, is_full=True)
    return replace(desk, connector=cast(Connector, ledger))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--invoices", type=int, default=100_000)
    options.add_argument("--customers", type=int, default=20_000)
    sizes = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), sizes.invoices, sizes.customers) as made,
    ):
        desk = quiet(made)
        run_book(desk)
        times: list[tuple[float, float]] = []
        for _ in range(RUNS):
            cast(Any, desk.clock).advance(timedelta(minutes=15))
            start, cpu = perf_counter(), process_time()
            report = run_book(desk)
            times.append((perf_counter() - start, process_time() - cpu))
            assert report.plan.planned == report.plan.superseded == report.plan.withdrawn == 0
        seconds = statistics.median(wall for wall, _ in times)
        print(
            json.dumps(
                {
                    "benchmark": "idle_run",
                    "n": sizes.invoices,
                    "seconds": round(seconds, 3),
                    "cpu_seconds": round(statistics.median(cpu for _, cpu in times), 3),
                    "invoices_per_s": round(sizes.invoices / seconds),
                    "peak_rss_mb": peak_rss_mb(),
                    "planned": report.plan.kept,
                }
            )
        )


if __name__ == "__main__":
    main()
