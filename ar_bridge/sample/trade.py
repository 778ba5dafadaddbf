"""Months of trade: invoices as they were issued and how each was meant to be settled.

Nothing is drawn at random: every choice is a digest of what it is about, so the same book comes
out on every machine and a change to one customer leaves the others as they were.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from ar_bridge.sample.customers import PROFILES, Profile

FIRST_DAY = date(2025, 3, 1)
LAST_DAY = date(2026, 9, 30)


class Settlement(msgspec.Struct, frozen=True):
    """One part of an invoice, paid on a day. Amounts are minor units."""

    on: date
    amount: int


class Trade(msgspec.Struct, kw_only=True):
    """One invoice and what becomes of it. The stories change what happens, never the invoice."""

    number: str
    customer: Profile
    issued_on: date
    due_on: date
    net: int
    tax: int
    order: str = ""
    sent: bool | None = True
    settled: list[Settlement]

    @property
    def total(self) -> int:
        """Minor units, tax included."""
        return self.net + self.tax


_SOLD = ("Disposables", "Crockery", "Cleaning")
_LARGE = 200_000
"""Minor units; who buys for so much buys equipment."""


def items_of(trade: Trade) -> list[str]:
    """What was sold: products and services by name, as they stand on the lines."""
    main = "Equipment" if trade.net >= _LARGE else _SOLD[choice(3, "item", trade.number)]
    return [main, "Delivery"] if choice(4, "delivery", trade.number) == 0 else [main]


def tracking_of(trade: Trade) -> list[str]:
    """Class and location of the sale; both go by the customer."""
    channel = ("Counter", "Web shop", "Key accounts")[choice(3, "class", trade.customer.id)]
    branch = ("Bristol", "Plymouth")[choice(2, "branch", trade.customer.id)]
    return [f"Class: {channel}", f"Location: {branch}"]


def choice(n: int, *about: object) -> int:
    """A number from 0 to n-1 that depends on nothing but what it is about."""
    text = "|".join(str(part) for part in about)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % n


def trades() -> list[Trade]:
    """Every invoice of the book, numbered in order of issue."""
    drafts = sorted(
        (day, profile.id, index, profile)
        for profile in PROFILES
        for month in _months()
        for index, day in enumerate(_days(profile, month))
    )
    return [
        _trade(f"INV-{10001 + position}", profile, day)
        for position, (day, _, _, profile) in enumerate(drafts)
    ]


def _months() -> Iterator[date]:
    day = FIRST_DAY
    while day <= LAST_DAY:
        yield day
        day = (day + timedelta(days=32)).replace(day=1)


def _days(profile: Profile, month: date) -> list[date]:
    if month < profile.since:
        return []
    tenths = profile.monthly
    count = tenths // 10 + (choice(10, profile.id, month, "more") < tenths % 10)
    found = (month + timedelta(days=choice(27, profile.id, month, nth)) for nth in range(count))
    return [_working(day) for day in found]


def _working(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _trade(number: str, customer: Profile, issued: date) -> Trade:
    # Amounts spread from a third to about three times the customer's typical size.
    spread = 35 + choice(130, number, "size") + (choice(100, number, "big") < 6) * 150
    net = customer.size * spread + choice(100, number, "pence")
    tax = (net * 20 + 50) // 100 if customer.country == "GB" else 0
    trade = Trade(
        number=number,
        customer=customer,
        issued_on=issued,
        due_on=issued + timedelta(days=customer.terms),
        net=net,
        tax=tax,
        order=f"PO-{4000 + choice(5000, number, 'order')}" if customer.uses_orders else "",
        settled=[],
    )
    trade.settled = _settled(trade)
    return trade


def _settled(trade: Trade) -> list[Settlement]:
    customer, number = trade.customer, trade.number
    lag = {
        "early": -7 + choice(6, number, "lag"),
        "prompt": -2 + choice(5, number, "lag"),
        "slow": 4 + choice(15, number, "lag"),
        "late": 18 + choice(32, number, "lag"),
        "parts": 2 + choice(10, number, "lag"),
        "erratic": -3 + choice(60, number, "lag"),
        "debit": 0,
    }[customer.habit]
    paid_on = _working(max(trade.due_on + timedelta(days=lag), trade.issued_on))
    if customer.habit == "parts" and choice(3, number, "parts"):
        first = trade.total * (40 + choice(30, number, "first")) // 100
        rest_on = _working(paid_on + timedelta(days=24 + choice(21, number, "rest")))
        settled = [Settlement(paid_on, first), Settlement(rest_on, trade.total - first)]
    else:
        settled = [Settlement(paid_on, trade.total)]
    stops = customer.stops_on
    return [part for part in settled if stops is None or part.on < stops]
