"""Books that the sandbox tests start from."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

from tests.shared_material import shared

COMPANY: dict[str, Any] = {
    "t": "company",
    "id": "acme",
    "name": "Acme Ltd",
    "base_currency": "USD",
    "timezone": "America/New_York",
    "country": "US",
}


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


def small_book() -> list[dict[str, Any]]:
    """Two customers, one the parent of a third; every kind of ledger fact."""
    return [
        COMPANY,
        {"t": "customer", "id": "C1", "date": "2026-01-05", "name": "North Ltd", "currency": "USD",
         "email": "ap@north.example", "terms_days": 30, "country": "US", "tags": ["vip"]},
        {"t": "customer", "id": "C2", "date": "2026-01-05", "name": "South Inc", "currency": "USD",
         "email": "ap@south.example"},
        {"t": "customer", "id": "C3", "date": "2026-01-05", "name": "South Depot",
         "currency": "USD", "parent": "C2"},
        {"t": "invoice", "id": "INV-1", "date": "2026-01-10", "due": "2026-02-09",
         "customer": "C1", "currency": "USD", "total": "1200.00", "tax": "200.00"},
        {"t": "invoice", "id": "INV-2", "date": "2026-01-12", "due": "2026-02-11",
         "customer": "C2", "currency": "USD", "total": "80.00", "sent": None},
        {"t": "invoice", "id": "INV-3", "date": "2026-01-12", "due": None,
         "customer": "C3", "currency": "USD", "total": "50.00", "sent": False},
        {"t": "payment", "id": "P1", "date": "2026-02-01", "known": "2026-02-03",
         "customer": "C1", "currency": "USD", "amount": "500.00",
         "alloc": [{"invoice": "INV-1", "amount": "400.00"}]},
        {"t": "payment_reversed", "date": "2026-02-10", "payment": "P1", "reason": "returned"},
        {"t": "credit_note", "id": "CN1", "date": "2026-02-05", "customer": "C2",
         "currency": "USD", "total": "30.00", "alloc": [{"invoice": "INV-2", "amount": "20.00"}]},
        {"t": "void", "date": "2026-02-12", "invoice": "INV-3"},
        {"t": "dispute", "date": "2026-02-13", "invoice": "INV-1", "customer": "C1",
         "reason": "short delivery"},
        {"t": "invoice", "id": "INV-4", "number": "2026/4", "date": "2026-03-01",
         "due": "2026-03-31", "customer": "C1", "currency": "USD", "total": "10.00"},
    ]  # fmt: skip


def wide_book() -> list[dict[str, Any]]:
    """The small book with what few companies have: estimates, deposits, contact persons."""
    return [
        *small_book(),
        {"t": "customer", "id": "C4", "date": "2026-01-05", "name": "West Ltd", "currency": "USD",
         "email": "ap@west.example", "street": "1 Quay", "terms_days": 14, "contacts": [
             {"name": "Ann Lee", "email": "ann@west.example"},
             {"name": "Bo", "email": "bo@west.example", "is_mailed": False}]},
        {"t": "estimate", "id": "E1", "number": "Q-7", "date": "2026-01-20", "customer": "C1",
         "currency": "USD", "total": "1200.00", "expires": "2026-02-20", "status": "open"},
        {"t": "estimate", "id": "E1", "number": "Q-7", "date": "2026-02-01", "customer": "C1",
         "currency": "USD", "total": "1200.00", "expires": "2026-02-20", "status": "accepted",
         "deposit": "300.00"},
        {"t": "estimate", "id": "E2", "date": "2026-01-21", "customer": "C2", "currency": "USD",
         "total": "90.00", "status": "declined"},
        {"t": "estimate", "id": "E3", "date": "2026-01-21", "customer": "C2", "currency": "USD",
         "total": "70.00", "expires": "2026-01-31", "status": "expired"},
        {"t": "estimate", "id": "E4", "date": "2026-01-21", "customer": "C2", "currency": "USD",
         "total": "50.00", "status": "invoiced"},
        {"t": "estimate", "id": "E5", "date": "2026-01-21", "customer": "C2", "currency": "USD",
         "total": "40.00", "status": "open"},
        {"t": "estimate", "id": "E5", "date": "2026-02-02", "customer": "C2", "currency": "USD",
         "total": "40.00", "status": "void"},
        {"t": "invoice", "id": "INV-5", "date": "2026-01-25", "due": "2026-02-08",
         "customer": "C4", "currency": "USD", "total": "1000.00", "deposit": "250.00",
         "viewed": True, "tracking": ["Region: East"]},
        {"t": "invoice", "id": "INV-6", "date": "2026-01-25", "due": "2026-02-08",
         "customer": "C4", "currency": "USD", "total": "60.00", "disputed": True},
        {"t": "invoice", "id": "INV-7", "date": "2026-01-25", "due": "2026-02-08",
         "customer": "C4", "currency": "USD", "total": "70.00", "bounced": True},
        {"t": "invoice", "id": "INV-8", "date": "2026-01-25", "due": "2026-02-08",
         "customer": "C4", "currency": "USD", "total": "80.00", "pays_by_itself": True},
    ]  # fmt: skip


def grocers() -> list[dict[str, Any]]:
    """Real receivables of 120 customers."""
    with gzip.open(shared("data/book_grocers_small.jsonl.gz")) as lines:
        return [json.loads(line) for line in lines]
