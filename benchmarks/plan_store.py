"""How long a plan takes from the SQLite store: load the book, decide, render, store the plan.

    python -m benchmarks.plan_store [--invoices 100000] [--customers 20000]

The book is that of `benchmarks.decide`. It observes, so that nothing is approved and the whole
plan is made. Filling the store is not measured.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import Connection

from ar_bridge.clock import VirtualClock
from ar_bridge.context import BookContext
from ar_bridge.home import Home
from ar_bridge.planner import make_plan
from ar_bridge.settings import BookSettings, MailSettings, Settings
from ar_bridge.store import books, marks, mirror, plans
from ar_bridge.store.engine import Store, open_store
from ar_bridge.store.tables import action_items, actions, touched_customers
from ar_bridge.wiring import database_url, desk
from benchmarks import decide
from benchmarks.decide import TODAY
from connectors.bookfile.client import BookFileConnector
from rules.actions.keys import fee_notice_item
from rules.model import Book
from rules.policy.schema import Policy


def filled(store: Store, made: Book, now: datetime) -> int:
    """Put a book into the store; returns its row id."""
    with store.write() as conn:
        row = books.register(
            conn, made.company, name="benchmark", connected_on=TODAY - timedelta(days=400)
        )
        mirror.upsert(conn, row.id, "customers", list(made.customers.values()), seen_on=TODAY)
        mirror.upsert(conn, row.id, "invoices", made.invoices, seen_on=TODAY)
        mirror.upsert(conn, row.id, "payments", made.payments, seen_on=TODAY)
        remember(conn, row.id, made)
        marks.remember(conn, row.id, [marks.COMPANY], at=now)
        books.record_sync(conn, row.id, cursor=None, synced_at=now)
    return row.id


def remember(conn: Connection, book_id: int, made: Book) -> None:
    """What was done before, as the store has it: messages, calls, fees and their notices."""
    plan = {"on": "2026-09-01", "book_as_of": "", "policy_name": "", "policy_hash": ""}
    plans.insert_plan(
        conn, id="before", book_id=book_id, made_at="2026-09-01", body="{}", digest="", **plan
    )
    done: dict[str, dict[str, Any]] = {}
    items: list[dict[str, Any]] = []

    def add(key: str, kind: str, customer: str, on: date, **more: Any) -> int:
        row = done.get(key)
        if row is None:
            row = done[key] = {
                "id": len(done) + 1,
                "book_id": book_id,
                "plan_id": "before",
                "key": key,
                "revision": 1,
                "kind": kind,
                "state": "done",
                "mode": "auto",
                "customer": customer,
                "send_on": on.isoformat(),
                "send_at": f"{on.isoformat()}T09:30:00+00:00",
                "ended_at": f"{on.isoformat()}T09:30:00+00:00",
                "body": "{}",
                "reasons": "[]",
                "facts": "{}",
                "facts_digest": "",
                "policy_hash": "",
                "channel": "",
                "number": "",
                "amount": None,
                "currency": "",
                **more,
            }
        number: int = row["id"]
        return number

    def carry(action: int, key: str, kind: str, invoice: str, **more: Any) -> None:
        row = {"action_id": action, "book_id": book_id, "key": key, "state": "done", "kind": kind}
        items.append({**row, "invoice": invoice, "stage": None, "fee": None, **more})

    for one in made.served:
        assert one.invoice is not None
        key = one.message if one.kind == "reminder" else str(one.key)
        action = add(key, one.kind, one.customer, one.on, channel=one.channel)
        carry(action, str(one.key), one.kind, one.invoice, stage=one.stage)
    for fee in made.fees:
        body = {"invoice": fee.invoice, "fee_id": fee.fee, "through": fee.through}
        action = add(
            str(fee.key),
            "late_fee",
            fee.customer,
            fee.on,
            number=fee.document,
            amount=fee.amount,
            currency=fee.currency,
            body=json.dumps({**body, "charge": fee.amount}, default=str),
        )
        carry(action, str(fee.key), "late_fee", fee.invoice, fee=fee.fee)
        told = add(f"msg/{fee.customer}/told", "reminder", fee.customer, fee.on, channel="email")
        carry(told, str(fee_notice_item(fee.key)), "fee_notice", fee.invoice, fee=fee.fee)
    for table, rows in ((actions, list(done.values())), (action_items, items)):
        for start in range(0, len(rows), 1000):
            conn.execute(table.insert(), rows[start : start + 1000])
    conn.execute(touched_customers.delete())


@contextmanager
def opened(
    folder: Path,
    invoices: int = 0,
    customers: int = 0,
    *,
    made: Book | None = None,
    policy: Policy | None = None,
    mode: str = "observe",
    can_charge: bool = False,
) -> Iterator[BookContext]:
    """A filled book, open for planning: the one given, or that of `benchmarks.decide`."""
    home = Home(folder)
    clock = VirtualClock(datetime(TODAY.year, TODAY.month, TODAY.day, 9, 30, tzinfo=UTC))
    empty = folder / "book.jsonl"
    empty.write_text('{"t":"company","id":"benchmark","base_currency":"GBP"}\n')
    settings = Settings.model_construct(book={}, mail=MailSettings())
    given = BookSettings.model_validate(
        {
            "name": "benchmark",
            "ledger": "bookfile",
            "file": empty,
            "policy": "standard",
            "mode": mode,
            "fee_account": "200" if can_charge else "",
            "fee_tax": "NONE" if can_charge else "",
        }
    )
    url = database_url(settings, home)
    child = os.fork()
    if child == 0:
        # In a process of its own: what it takes to make the tables and the book is not measured.
        filled(open_store(url), made or decide.book(invoices, customers), clock.now())
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("the store could not be filled")
    store, row_id = open_store(url), 1
    with store.read() as conn:
        row = books.get(conn, row_id)
    connector = BookFileConnector(empty, clock)
    try:
        yield desk(settings, given, home, clock, store, row, policy or decide.policy(), connector)
    finally:
        store.close()


def peak_rss_mb() -> int:
    """The most memory that this process has held."""
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // scale


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
            start, cpu = perf_counter(), process_time()
            plan = make_plan(made)
            seconds, cpu = perf_counter() - start, process_time() - cpu
            print(
                json.dumps(
                    {
                        "benchmark": f"plan_from_sqlite_{run}",
                        "n": sizes.invoices,
                        "seconds": round(seconds, 3),
                        "cpu_seconds": round(cpu, 3),
                        "invoices_per_s": round(sizes.invoices / seconds),
                        "peak_rss_mb": peak_rss_mb(),
                        "actions": plan.planned + plan.kept,
                    }
                )
            )


if __name__ == "__main__":
    main()
