"""Small books for the tests of the store: one company, a few customers and their papers."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from ar_bridge.store import books
from ar_bridge.store.actions import insert_actions, set_state
from ar_bridge.store.books import BookRow
from ar_bridge.store.plans import insert_plan
from rules.actions.action import Item
from rules.model import (
    Allocation,
    Company,
    CreditNote,
    Customer,
    Invoice,
    Payment,
)

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

COMPANY = Company(
    id="acme", ledger="xero", name="Acme", base_currency="GBP", timezone="Europe/London"
)


def a_book(conn: Connection, *, name: str = "acme") -> BookRow:
    """A connected book."""
    return books.register(conn, COMPANY, name=name, connected_on=date(2026, 10, 1))


def customer(id: str = "C1", **facts: Any) -> Customer:
    return Customer(**{"id": id, "name": f"{id} Ltd", "currency": "GBP", **facts})


def invoice(id: str = "I1", **facts: Any) -> Invoice:
    return Invoice(
        **{
            "id": id,
            "number": f"INV-{id}",
            "customer": "C1",
            "currency": "GBP",
            "issued_on": date(2026, 9, 1),
            "due_on": date(2026, 10, 1),
            "total": 120_000,
            "balance": 120_000,
            **facts,
        }
    )


def payment(id: str = "P1", *, settles: dict[str, int] | None = None, **facts: Any) -> Payment:
    parts = settles if settles is not None else {"I1": 40_000}
    return Payment(
        **{
            "id": id,
            "customer": "C1",
            "currency": "GBP",
            "on": date(2026, 10, 20),
            "amount": sum(parts.values()),
            "allocations": tuple(Allocation(i, amount) for i, amount in parts.items()),
            **facts,
        }
    )


def credit(id: str = "N1", *, settles: dict[str, int] | None = None, **facts: Any) -> CreditNote:
    parts = settles or {}
    return CreditNote(
        **{
            "id": id,
            "customer": "C1",
            "currency": "GBP",
            "on": date(2026, 10, 22),
            "total": 5_000,
            "remaining": 5_000 - sum(parts.values()),
            "allocations": tuple(Allocation(i, amount) for i, amount in parts.items()),
            **facts,
        }
    )


def an_action(
    conn: Connection,
    book: BookRow,
    *,
    key: str,
    items: tuple[Item, ...],
    state: str = "done",
    **columns: Any,
) -> int:
    """An action of ours in some state, as the planner would have stored it."""
    insert_plan(
        conn,
        id="plan-1",
        book_id=book.id,
        on=TODAY.isoformat(),
        book_as_of=NOW.isoformat(),
        policy_name="standard",
        policy_hash="0" * 64,
        made_at=NOW.isoformat(),
        body="{}",
        digest="0" * 64,
    )
    (row_id,) = insert_actions(
        conn,
        [
            {
                "book_id": book.id,
                "plan_id": "plan-1",
                "key": key,
                "revision": 1,
                "kind": "reminder",
                "state": "planned",
                "mode": "auto",
                "customer": "C1",
                "currency": "GBP",
                "channel": "email",
                "send_on": TODAY.isoformat(),
                "send_at": NOW.isoformat(),
                "body": "{}",
                "reasons": "[]",
                "facts": "{}",
                "facts_digest": "0" * 64,
                "policy_hash": "0" * 64,
                "items": items,
                **columns,
            }
        ],
    )
    set_state(conn, [row_id], state, now=NOW)
    return row_id
