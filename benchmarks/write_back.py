"""How much of the vendor's allowed rate writing back keeps busy, and that it never hears a 429.

    python -m benchmarks.write_back [--customers 120] [--ledger quickbooks|xero|both]

A sandbox in a process of its own counts calls as strictly as the vendor, on the real clock, and
takes `--latency` seconds for each answer. Every customer owes a late fee, a reminder that tells
of it and a note; all of that is approved, then applied: first each write by itself, then with
batches. `busy` is the time that the vendor's limits alone make so many calls take, as a share of
the time taken; it means little where the calls are too few to reach a limit.
Xero lets 60 calls a minute through: give it few customers, or minutes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import httpx
import msgspec

from ar_bridge import approvals
from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import SystemClock
from ar_bridge.connecting import connect
from ar_bridge.context import BookContext
from ar_bridge.demo.stage import FEE_SETUP
from ar_bridge.dispatcher import apply
from ar_bridge.home import Home
from ar_bridge.planner import make_plan
from ar_bridge.run import sync_book
from ar_bridge.settings import BookSettings, MailSettings, Settings
from ar_bridge.store import actions, mirror
from ar_bridge.store.engine import open_store
from ar_bridge.wiring import database_url, open_book
from connectors.port import Capabilities, Connector
from connectors.sandbox.service import CLIENT_ID, CLIENT_SECRET, Sandbox

POLICY = """
schema = 1
name = "bench"
legal_basis = "contract:terms"

[calendar]
send_window = "00:00-23:59"
send_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[[stage]]
id = "first"
name = "First reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[fee]]
id = "late"
name = "Late fee"
type = "flat"
amount = "25.00"
grace = "2d"
post = "when_due"
from = "2020-01-01"
cap = { per_invoice = "100" }

[limits]
mails_per_run = 5000
fees_per_run = 5000
first_apply = 5000
"""


def book(customers: int, today: date) -> Iterator[dict[str, Any]]:
    """Each customer has one invoice, four days overdue."""
    yield {"t": "company", "id": "bench", "base_currency": "GBP", "country": "GB"}
    issued, due = today - timedelta(days=34), today - timedelta(days=4)
    for n in range(customers):
        yield {
            "t": "customer",
            "id": f"C{n}",
            "date": (issued - timedelta(days=60)).isoformat(),
            "name": f"Customer {n} Ltd",
            "currency": "GBP",
            "email": f"ap@customer-{n}.example",
        }
        yield {
            "t": "invoice",
            "id": f"I{n}",
            "number": f"INV-{n}",
            "date": issued.isoformat(),
            "due": due.isoformat(),
            "customer": f"C{n}",
            "currency": "GBP",
            "total": "1200.00",
            "sent": True,
        }


def serve(ledger: Any, customers: int, latency: float) -> None:
    """The sandbox alone: its addresses on the first line, then its counts for each line read."""
    clock = SystemClock()
    sandbox = Sandbox(
        book(customers, clock.now().date()),
        ledger=ledger,
        clock=clock,
        faults=[f"slow={latency}"] if latency else [],
    )
    running = sandbox.serve()
    shown = {name: getattr(running, name) for name in running.__struct_fields__ if "url" in name}
    print(json.dumps(shown), flush=True)
    for _ in sys.stdin:
        counts = msgspec.to_builtins(sandbox.stats())
        print(json.dumps(counts | {"notes": len(sandbox.records().notes)}), flush=True)
    running.close()


class OneByOne:
    """The same connector, without batches."""

    def __init__(self, real: Connector) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @property
    def capabilities(self) -> Capabilities:
        return msgspec.structs.replace(self._real.capabilities, write_batch=0)


@contextmanager
def opened(
    ledger: str, customers: int, latency: float, folder: Path
) -> Iterator[tuple[BookContext, "subprocess.Popen[str]"]]:
    """A book at a sandbox of its own process, connected."""
    words = [sys.executable, "-m", "benchmarks.write_back", "--serve", "--ledger", ledger]
    words += ["--customers", str(customers), "--latency", str(latency)]
    with ExitStack() as stack:
        server = stack.enter_context(
            subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(lambda: server.stdin and server.stdin.close())
        assert server.stdout is not None
        where = json.loads(server.stdout.readline())
        where.pop("base_url", None)
        mailbox = stack.enter_context(LocalMailbox())
        home = Home(folder).create()
        (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
        account, tax = FEE_SETUP[ledger]
        settings = BookSettings.model_validate(
            {
                "name": "bench",
                "ledger": ledger,
                "mode": "approve",
                "policy": str(folder / "policy.toml"),
                "fee_account": account,
                "fee_tax": tax,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                **{name: url or None for name, url in where.items()},
            }
        )
        host, port = mailbox.address
        mail = MailSettings.model_validate(
            {"host": host, "port": port, "security": "none", "from": "a@bench.example"}
        )
        everything = Settings.model_construct(book={"bench": settings}, mail=mail)
        clock = SystemClock()
        store = open_store(database_url(everything, home))
        connect(store, settings, home, clock, ask=_consent, actor="bench")
        store.close()
        yield stack.enter_context(open_book(everything, settings, home, clock)), server


def _consent(address: str, redirect_uri: str) -> str:
    with httpx.Client(timeout=30) as browser:
        return str(browser.get(address, follow_redirects=False).headers["Location"])


def approve_all(desk: BookContext) -> int:
    """Release everything that is planned."""
    with desk.store.write() as conn:
        rows = actions.actions_in(conn, desk.book_id, ("planned",))
        ids = {item.invoice for row in rows for item in row.action.items if item.invoice}
        numbers = {one.id: one.number for one in mirror.invoices_by_id(conn, desk.book_id, ids)}
        approvals.approve(conn, desk, rows, actor="bench", reason="measured", numbers=numbers)
    return len(rows)


def fewest_seconds(ledger: str, calls: int) -> float:
    """How long the limits alone make so many calls take, the first at once."""
    if ledger == "xero":
        return (calls - 1) // 60 * 60.0
    return (calls - 1) // 500 * 60.0 + (calls - 1) % 500 // 10


def measure(
    ledger: str, customers: int, latency: float, folder: Path, *, in_batches: bool
) -> dict[str, Any]:
    """Everything that is due, approved and applied."""

    def counts() -> dict[str, int]:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write("\n")
        server.stdin.flush()
        return cast(dict[str, int], json.loads(server.stdout.readline()))

    with opened(ledger, customers, latency, folder) as (desk, server):
        sync_book(desk)
        make_plan(desk)
        if not in_batches:
            desk = replace(desk, connector=cast(Connector, OneByOne(desk.connector)))
        approved = approve_all(desk)
        before, began = counts(), perf_counter()
        report = apply(desk)
        seconds, after = perf_counter() - began, counts()
    calls = after["reads"] + after["writes"] - before["reads"] - before["writes"]
    effects = report.written.get("post_charge", 0) + report.written.get("post_note", 0)
    return {
        "benchmark": "write_back",
        "ledger": ledger,
        "batches": in_batches,
        "n": approved,
        "done": sum(report.applied.values()),
        "written": report.written,
        "calls": calls,
        "write_calls": after["writes"] - before["writes"],
        "seconds": round(seconds, 2),
        "effects_per_s": round(effects / seconds, 2),
        "busy": round(fewest_seconds(ledger, calls) / seconds, 3),
        "throttled": after["throttled"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=120)
    parser.add_argument("--ledger", choices=("quickbooks", "xero", "both"), default="quickbooks")
    parser.add_argument("--latency", type=float, default=0.1)
    parser.add_argument("--batches", choices=("with", "without", "both"), default="both")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.ledger, given.customers, given.latency)
        return 0
    is_good = True
    for ledger in ("quickbooks", "xero") if given.ledger == "both" else (given.ledger,):
        for in_batches in (False, True):
            if given.batches != "both" and in_batches != (given.batches == "with"):
                continue
            with tempfile.TemporaryDirectory() as folder:
                line = measure(
                    ledger, given.customers, given.latency, Path(folder), in_batches=in_batches
                )
            print(json.dumps(line), flush=True)
            is_good = is_good and not line["throttled"] and line["done"] == line["n"]
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
