"""What went wrong, and right, with single invoices: the part of the book that tests a policy."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, Final

from ar_bridge.sample.trade import Settlement, Trade

Event = dict[str, Any]


def money(minor: int) -> str:
    """Minor units as the file writes them; both currencies of the book have two digits."""
    return f"{minor // 100}.{minor % 100:02d}"


def tell(trades: Iterable[Trade]) -> list[Event]:
    """Change what became of the invoices that a story is about, and return its own events.

    An invoice has one story at most; stories come in the order of the list below.
    """
    by_customer: dict[str, list[Trade]] = {}
    for trade in trades:
        by_customer.setdefault(trade.customer.id, []).append(trade)
    taken: set[str] = set()
    events: list[Event] = []
    for customer, from_day, story in STORIES:
        trade = next(
            each
            for each in by_customer[customer]
            if each.issued_on >= date.fromisoformat(from_day) and each.number not in taken
        )
        taken.add(trade.number)
        events.extend(story(trade))
    return events


def _dispute(trade: Trade, day: date, part: int | None, reason: str) -> Event:
    return {
        "t": "dispute",
        "id": f"D-{trade.number}",
        "date": day.isoformat(),
        "invoice": trade.number,
        "customer": trade.customer.id,
        "amount": None if part is None else money(part),
        "reason": reason,
    }


def _dispute_end(trade: Trade, day: date, won_by: str) -> Event:
    return {
        "t": "dispute_end",
        "date": day.isoformat(),
        "invoice": trade.number,
        "customer": trade.customer.id,
        "won_by": won_by,
    }


def _credit(trade: Trade, day: date, amount: int, applied: bool = True) -> Event:
    parts = [{"invoice": trade.number, "amount": money(amount)}] if applied else []
    return {
        "t": "credit_note",
        "id": f"CN-{trade.number.removeprefix('INV-')}",
        "number": f"CN-{trade.number.removeprefix('INV-')}",
        "date": day.isoformat(),
        "customer": trade.customer.id,
        "currency": trade.customer.currency,
        "total": money(amount),
        "alloc": parts,
    }


def short_delivery(trade: Trade) -> list[Event]:
    """A part was disputed, the customer was right, the rest was paid."""
    part = trade.total // 5
    begun = trade.issued_on + timedelta(days=9)
    ended = begun + timedelta(days=26)
    trade.settled = [Settlement(ended + timedelta(days=8), trade.total - part)]
    return [
        _dispute(trade, begun, part, "two pallets short"),
        _credit(trade, ended, part),
        _dispute_end(trade, ended, "customer"),
    ]


def price_dispute_lost(trade: Trade) -> list[Event]:
    """The whole invoice was disputed without ground; it was paid in the end."""
    begun = trade.due_on + timedelta(days=4)
    ended = begun + timedelta(days=30)
    trade.settled = [Settlement(ended + timedelta(days=12), trade.total)]
    return [_dispute(trade, begun, None, "price not agreed"), _dispute_end(trade, ended, "us")]


def open_dispute(trade: Trade) -> list[Event]:
    """Still argued about: nothing is paid."""
    trade.settled = []
    return [_dispute(trade, trade.due_on + timedelta(days=2), None, "goods damaged in transit")]


def open_part_dispute(trade: Trade) -> list[Event]:
    """A part is argued about, the rest is simply late."""
    trade.settled = []
    return [
        _dispute(trade, trade.due_on - timedelta(days=3), trade.total // 4, "wrong items delivered")
    ]


def _promise(trade: Trade, day: date, due: date) -> Event:
    return {
        "t": "promise",
        "id": f"P-{trade.number}",
        "date": day.isoformat(),
        "customer": trade.customer.id,
        "invoices": [trade.number],
        "amount": money(trade.total),
        "on": due.isoformat(),
    }


def promise_kept(trade: Trade) -> list[Event]:
    """Late, then promised, then paid as promised."""
    made = trade.due_on + timedelta(days=12)
    due = made + timedelta(days=10)
    trade.settled = [Settlement(due, trade.total)]
    return [_promise(trade, made, due)]


def promise_broken(trade: Trade) -> list[Event]:
    """Promised and not paid."""
    made = trade.due_on + timedelta(days=10)
    trade.settled = []
    return [_promise(trade, made, made + timedelta(days=8))]


def promise_broken_then_paid(trade: Trade) -> list[Event]:
    """Promised, missed, and paid three weeks after."""
    made = trade.due_on + timedelta(days=8)
    due = made + timedelta(days=7)
    trade.settled = [Settlement(due + timedelta(days=21), trade.total)]
    return [_promise(trade, made, due)]


def payment_returned(trade: Trade) -> list[Event]:
    """Paid on time, returned by the bank five days later, paid again after a month."""
    again = trade.due_on + timedelta(days=35)
    trade.settled = [
        Settlement(trade.due_on, trade.total),
        Settlement(again, trade.total),
    ]
    return [
        {
            "t": "payment_reversed",
            "date": (trade.due_on + timedelta(days=5)).isoformat(),
            "payment": _single_payment(trade, trade.due_on),
            "reason": "returned",
        }
    ]


def _single_payment(trade: Trade, on: date) -> str:
    return f"PAY-{trade.customer.id}-{on:%y%m%d}-{trade.number}"


def instalments(trade: Trade) -> list[Event]:
    """Four parts agreed; two are paid, then nothing."""
    agreed = trade.due_on + timedelta(days=15)
    part = trade.total // 4
    amounts = [part, part, part, trade.total - 3 * part]
    days = [agreed + timedelta(days=30 * (nth + 1)) for nth in range(4)]
    trade.settled = [Settlement(days[0], amounts[0]), Settlement(days[1], amounts[1])]
    return [
        {
            "t": "instalments",
            "id": f"PLAN-{trade.number}",
            "date": agreed.isoformat(),
            "customer": trade.customer.id,
            "invoices": [trade.number],
            "parts": [
                {"on": day.isoformat(), "amount": money(amount)}
                for day, amount in zip(days, amounts, strict=True)
            ],
        }
    ]


def retention(trade: Trade) -> list[Event]:
    """A tenth may be held back for half a year; the rest is paid on time."""
    held = trade.total // 10
    trade.settled = [Settlement(trade.due_on, trade.total - held)]
    return [
        {
            "t": "withheld",
            "date": trade.issued_on.isoformat(),
            "invoice": trade.number,
            "customer": trade.customer.id,
            "amount": money(held),
            "until": (trade.issued_on + timedelta(days=180)).isoformat(),
            "reason": "retention agreed in the order",
        }
    ]


def paused(trade: Trade) -> list[Event]:
    """Nobody writes for three weeks: the owner asked for it."""
    begun = trade.due_on + timedelta(days=6)
    trade.settled = [Settlement(begun + timedelta(days=40), trade.total)]
    return [
        {
            "t": "pause",
            "date": begun.isoformat(),
            "customer": trade.customer.id,
            "invoice": trade.number,
            "until": (begun + timedelta(days=21)).isoformat(),
            "reason": "accounts team is moving office",
        }
    ]


def insolvent(trade: Trade) -> list[Event]:
    """An administrator is appointed: everything stops."""
    trade.settled = []
    return [
        {
            "t": "stop",
            "date": (trade.due_on + timedelta(days=20)).isoformat(),
            "customer": trade.customer.id,
            "because": "insolvency",
            "reason": "administrator appointed",
        }
    ]


def never_sent(trade: Trade) -> list[Event]:
    """The ledger failed to deliver it, and nobody noticed."""
    trade.sent, trade.settled = False, []
    return []


def sending_unknown(trade: Trade) -> list[Event]:
    """The ledger cannot tell whether it was sent."""
    trade.sent = None
    trade.settled = []
    return []


def voided(trade: Trade) -> list[Event]:
    """Issued by mistake."""
    trade.settled = []
    day = (trade.issued_on + timedelta(days=3)).isoformat()
    return [{"t": "void", "date": day, "invoice": trade.number}]


def pennies_left(trade: Trade) -> list[Event]:
    """Paid short by less than anyone writes a letter for."""
    trade.settled = [Settlement(trade.due_on, trade.total - 240)]
    return []


def credit_on_account(trade: Trade) -> list[Event]:
    """A credit note that nobody has matched to an invoice yet."""
    trade.settled = []
    return [_credit(trade, trade.due_on + timedelta(days=3), trade.total // 6, applied=False)]


def paid_on_account(trade: Trade) -> list[Event]:
    """A round sum arrived that names no invoice."""
    trade.settled = []
    day = trade.due_on + timedelta(days=5)
    return [
        {
            "t": "payment",
            "id": f"PAY-{trade.customer.id}-{day:%y%m%d}-A",
            "date": day.isoformat(),
            "known": (day + timedelta(days=1)).isoformat(),
            "customer": trade.customer.id,
            "currency": trade.customer.currency,
            "amount": money(trade.total // 10000 * 5000 + 5000),
            "alloc": [],
        }
    ]


STORIES: Final[tuple[tuple[str, str, Callable[[Trade], list[Event]]], ...]] = (
    ("C19", "2025-06-01", short_delivery),
    ("C22", "2025-09-01", short_delivery),
    ("C31", "2026-05-10", short_delivery),
    ("C01", "2026-06-01", short_delivery),
    ("C32", "2025-08-01", price_dispute_lost),
    ("C45", "2026-02-01", price_dispute_lost),
    ("C23", "2026-05-01", open_dispute),
    ("C62", "2026-06-01", open_dispute),
    ("C43", "2026-05-15", open_part_dispute),
    ("C34", "2026-04-15", open_part_dispute),
    ("C21", "2025-07-01", promise_kept),
    ("C61", "2026-05-20", promise_kept),
    ("C44", "2026-06-10", promise_kept),
    ("C40", "2026-04-20", promise_broken),
    ("C39", "2026-05-25", promise_broken),
    ("C46", "2026-06-05", promise_broken),
    ("C48", "2025-10-01", promise_broken_then_paid),
    ("C56", "2026-05-01", promise_broken_then_paid),
    ("C20", "2026-06-10", payment_returned),
    ("C29", "2025-11-01", payment_returned),
    ("C57", "2026-01-01", instalments),
    ("C55", "2026-03-01", instalments),
    ("C10", "2026-02-15", retention),
    ("C37", "2026-06-01", paused),
    ("C54", "2026-04-01", paused),
    ("C59", "2026-02-20", insolvent),
    ("C24", "2026-06-01", never_sent),
    ("C41", "2026-07-10", never_sent),
    ("C63", "2026-06-15", sending_unknown),
    ("C42", "2026-06-20", sending_unknown),
    ("C35", "2025-12-01", voided),
    ("C47", "2026-07-01", voided),
    ("C28", "2026-05-01", pennies_left),
    ("C30", "2026-06-10", pennies_left),
    ("C18", "2026-05-20", credit_on_account),
    ("C32", "2026-05-20", credit_on_account),
    ("C64", "2026-05-10", paid_on_account),
    ("C21", "2026-05-25", paid_on_account),
)
"""Customer, the day from which its next invoice is the story's, and the story."""
