"""How fast `audit verify` goes through a long record, and how little memory it takes.

    python -m benchmarks.audit_verify [--rows 1000000] [--keep FILE]

A database is made first (not timed): notes that were planned a hundred at a time, approved, written
and told of, three entries each. Then the chain is walked, and every plan, action and effect is
compared with it. `cpu_s` is this process's own time, which other work on the machine does not
change much; `rows_per_s` counts audit entries against it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam

from ar_bridge import audit
from ar_bridge.audit_gaps import gaps
from ar_bridge.business_facts import digest_of
from ar_bridge.plan_seal import digest_of_plan, plan_id_of
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, plans, tables
from ar_bridge.store.engine import open_store
from rules.actions.action import Item
from rules.actions.effects import PostNote
from rules.actions.internal import WriteNote
from rules.decision import Reason
from rules.model import Company, CustomerId, InvoiceId, ItemKey

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = date(2026, 6, 1)
IN_A_PLAN = 100
AT_ONCE = 20
"""Plans in one transaction."""
NOTE = "On 1 June 2026 we reminded the customer of this invoice, which was due on 29 May 2026."


def fill(file: Path, rows: int) -> None:
    """A record of so many entries."""
    store = open_store(f"sqlite:///{file}")
    company = Company(id="bench", base_currency="GBP", timezone="UTC", country="GB")
    with store.write() as conn:
        book = books.register(conn, company, name="bench", connected_on=DAY)
    count = rows // (3 * IN_A_PLAN + 1)
    for start in range(0, count, AT_ONCE):
        with store.write() as conn:
            for number in range(start, min(start + AT_ONCE, count)):
                _plan(conn, book.id, number)
    store.close()


def _plan(conn: Connection, book_id: int, number: int) -> None:
    made = [_action(number * IN_A_PLAN + place) for place in range(IN_A_PLAN)]
    view: dict[str, Any] = {
        "schema": 1,
        "plan": "",
        "on": DAY.isoformat(),
        "policy": {"name": "bench", "hash": "0" * 64},
        "actions": [_shown(action) for action in made],
        "skips": [],
        "number": number,
    }
    digest = digest_of_plan(view)
    view["plan"] = plan_id = plan_id_of(view["on"], digest)
    plans.insert_plan(
        conn,
        id=plan_id,
        book_id=book_id,
        on=view["on"],
        book_as_of=NOW.isoformat(),
        policy_name="bench",
        policy_hash="0" * 64,
        made_at=NOW.isoformat(),
        body=msgspec.json.encode(view),
        digest=digest,
    )
    ids = action_store.insert_actions(conn, [_row(book_id, plan_id, one) for one in made])
    effects = {
        row: PostNote(
            key=f"{action.key}/0/post_note",
            invoices=action.about,
            customer=action.customer,
            mark=f"[arb:{row:012d}]",
            text=f"[arb:{row:012d}] {NOTE}",
        )
        for row, action in zip(ids, made, strict=True)
    }
    seals = action_store.insert_all_effects(conn, book_id, [(r, [e]) for r, e in effects.items()])
    told = [_told("planner", "PlanMade", plan_id, {"digest": digest, "actions": IN_A_PLAN})]
    for row, action in zip(ids, made, strict=True):
        receipt = {"id": str(row), "number": None}
        receipts = [{"effect": "post_note", "key": effects[row].key, "receipt": receipt}]
        common = {"revision": 1, "plan": plan_id, "policy": "0" * 64}
        reasons = msgspec.to_builtins([Reason("stage_due", (("days", "3"),))])
        approved = {**common, "digest": digest_of({}), "outbox": seals[row], "reasons": reasons}
        told += [
            _told("rule", "ActionApproved", action.key, approved),
            _told("rule", "EffectWritten", action.key, {**common, "receipts": receipts}),
            _told("rule", "NoteWritten", action.key, {**common, "receipts": receipts}),
        ]
    audit.append_all(conn, told, book_id=book_id, at=NOW)
    action_store.set_state(conn, ids, "done", now=NOW, approved_by="rule")
    done = tables.effects.update().where(tables.effects.c.action_id == bindparam("row"))
    written = [{"row": row, "said": json.dumps({"id": str(row)})} for row in ids]
    conn.execute(done.values(state="done", receipt=bindparam("said")), written)


def _told(actor: str, event: str, subject: str, payload: dict[str, Any]) -> audit.Told:
    return audit.Told(actor=actor, event=event, subject=subject, payload=payload)


def _action(number: int) -> WriteNote:
    key = ItemKey(f"note/{number}/first-reminder/1")
    return WriteNote(
        key=key,
        customer=CustomerId(f"C{number % 5000}"),
        currency="GBP",
        items=(Item(key=key, kind="note", invoice=InvoiceId(str(number))),),
        invoice=InvoiceId(str(number)),
        text=NOTE,
    )


def _shown(action: WriteNote) -> dict[str, Any]:
    return {
        "key": action.key,
        "revision": 1,
        "kind": "note",
        "customer": action.customer,
        "number": None,
        "amount": None,
        "currency": "GBP",
        "companions": [],
        "message": None,
        "reasons": [{"code": "stage_due", "text": "It was due three days ago."}],
    }


def _row(book_id: int, plan_id: str, action: WriteNote) -> dict[str, Any]:
    return {
        "book_id": book_id,
        "plan_id": plan_id,
        "key": action.key,
        "revision": 1,
        "kind": "note",
        "state": "planned",
        "mode": "auto",
        "customer": action.customer,
        "currency": "GBP",
        "channel": "",
        "send_on": DAY.isoformat(),
        "send_at": NOW.isoformat(),
        "body": msgspec.json.encode(action).decode(),
        "reasons": "[]",
        "facts": "{}",
        "facts_digest": digest_of({}),
        "policy_hash": "0" * 64,
        "items": action.items,
    }


def measure(file: Path) -> None:
    """Print what the two halves of a check take."""
    store = open_store(f"sqlite:///{file}")
    halves: dict[str, Callable[[Connection], list[Any]]] = {
        "audit_chain": audit.verify,
        "audit_gaps": lambda conn: list(gaps(conn, 1)),
    }
    with store.read() as conn:
        count, _ = audit.head(conn)
        for name, check in halves.items():
            began, cpu = time.perf_counter(), time.process_time()
            found = check(conn)
            assert found == [], found[:3]
            seconds, own = time.perf_counter() - began, time.process_time() - cpu
            line = {
                "benchmark": name,
                "n": count,
                "seconds": round(seconds, 2),
                "cpu_s": round(own, 2),
                "rows_per_s": round(count / own),
                "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
            print(json.dumps(line), flush=True)
    store.close()


def main() -> None:
    """Make the record in a process of its own, so that only the check counts for memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="make or use this database and leave it")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        fill(given.keep, given.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = given.keep or Path(folder) / "record.sqlite3"
        if not file.exists():
            own = [sys.executable, "-m", "benchmarks.audit_verify", "--fill"]
            subprocess.run([*own, "--rows", str(given.rows), "--keep", str(file)], check=True)
        measure(file)


if __name__ == "__main__":
    main()
