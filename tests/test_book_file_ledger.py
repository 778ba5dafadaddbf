"""A book whose ledger is a file: what the file tells besides invoices counts like our own word."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ar_bridge.clock import VirtualClock
from ar_bridge.connecting import connect
from ar_bridge.home import Home
from ar_bridge.planner import make_plan
from ar_bridge.run import sync_book
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.store.engine import open_store
from ar_bridge.wiring import database_url, open_book

NOON = datetime(2026, 10, 14, 11, 0, tzinfo=UTC)

EVENTS: list[dict[str, Any]] = [
    {"t": "company", "id": "acme", "base_currency": "GBP", "timezone": "Europe/London"},
    *(
        {
            "t": "customer",
            "id": customer,
            "date": "2026-01-05",
            "name": f"{customer} Ltd",
            "currency": "GBP",
            "email": f"ap@{customer.lower()}.example",
        }
        for customer in ("North", "South", "East")
    ),
    *(
        {
            "t": "invoice",
            "id": f"INV-{customer}",
            "date": "2026-09-01",
            "due": "2026-10-01",
            "customer": customer,
            "currency": "GBP",
            "total": "100.00",
        }
        for customer in ("North", "South", "East")
    ),
    {"t": "dispute", "date": "2026-10-02", "invoice": "INV-North", "customer": "North"},
    {
        "t": "action",
        "date": "2026-10-04",
        "invoice": "INV-South",
        "customer": "South",
        "kind": "reminder",
        "stage": "first-reminder",
        "channel": "email",
        "key": "reminder/INV-South/first-reminder/1",
    },
]


def plan_of(folder: Path, events: list[dict[str, Any]]) -> dict[str, Any]:
    file = folder / "book.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    home, clock = Home(folder / "home"), VirtualClock(NOON)
    book = BookSettings.model_validate(
        {
            "name": "acme",
            "ledger": "bookfile",
            "file": file,
            "policy": "gentle",
            "mode": "approve",
            "customers": folder / "customers.toml",
        }
    )
    settings = Settings.model_construct(book={"acme": book})
    store = open_store(database_url(settings, home))
    connect(store, book, home, clock, ask=lambda address, redirect: "", actor="test")
    store.close()
    with open_book(settings, book, home, clock) as desk:
        sync_book(desk)
        return make_plan(desk).view


def test_disputes_and_earlier_actions_of_the_file_are_respected(tmp_path: Path) -> None:
    view = plan_of(tmp_path, EVENTS)
    reminded = {
        item["invoice"]
        for action in view["actions"]
        for item in action["items"]
        if item["stage"] == "first-reminder"
    }
    assert reminded == {"INV-East"}
    why = {skip["invoice"]: skip["code"] for skip in view["skips"]}
    assert why["INV-North"] == "disputed"


def test_without_them_everybody_hears_from_us(tmp_path: Path) -> None:
    plain = [event for event in EVENTS if event["t"] not in ("dispute", "action")]
    view = plan_of(tmp_path, plain)
    assert {action["customer"] for action in view["actions"]} == {"North", "South", "East"}
