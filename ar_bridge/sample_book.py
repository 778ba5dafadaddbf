"""The bundled sample book, as a book file: an invented wholesaler and eighteen months of trade.

    python -m ar_bridge.sample_book > sample.jsonl

The company is Harbour Lane Supplies Ltd, a supplier of kitchens and cafes in England: 68
customers, pounds and euros, early, prompt, late and broken payers, disputes, promises,
instalments, credit notes and a few accidents. Every run gives the same lines.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from ar_bridge.sample.customers import PROFILES, Profile
from ar_bridge.sample.stories import money, tell
from ar_bridge.sample.trade import (
    FIRST_DAY,
    LAST_DAY,
    Trade,
    choice,
    items_of,
    tracking_of,
    trades,
)

DEMO_FROM: Final = date(2026, 8, 3)
"""First day of the demo's default span."""
DEMO_TO: Final = date(2026, 9, 30)
"""Last day of the demo's default span."""
COMPANY_ID: Final = "harbour-lane"

Event = dict[str, Any]

# Euro in pounds at the start of each quarter; invented, near what it was.
_RATES: Final = (
    ("2025-03-01", "0.83"),
    ("2025-07-01", "0.86"),
    ("2025-10-01", "0.87"),
    ("2026-01-01", "0.87"),
    ("2026-04-01", "0.86"),
    ("2026-07-01", "0.86"),
)


def sample_events(until: date | None = None) -> Iterator[Event]:
    """The events of the book in the order in which they became known.

    `until` keeps what was known at the end of that day; without it the whole book comes, to
    the end of September 2026. The keys of every event are those of the book file.
    """
    issued = trades()
    told = tell(issued)
    events: list[Event] = [_company(), *_rates(), *map(_customer, PROFILES)]
    events.extend(_invoice(trade) for trade in issued)
    events.extend(_payments(issued))
    events.extend(told)
    last = min(until or LAST_DAY, LAST_DAY)
    order = {"company": 0, "rate": 1, "customer": 2, "invoice": 3}
    yield from sorted(
        (event for event in events if _known(event) <= last),
        key=lambda event: (_known(event), order.get(event["t"], 4), event.get("id", "")),
    )


def _known(event: Event) -> date:
    return date.fromisoformat(event.get("known") or event.get("date") or FIRST_DAY.isoformat())


def _company() -> Event:
    return {
        "t": "company",
        "id": COMPANY_ID,
        "name": "Harbour Lane Supplies Ltd",
        "base_currency": "GBP",
        "timezone": "Europe/London",
        "country": "GB",
    }


def _rates() -> Iterator[Event]:
    for day, rate in _RATES:
        yield {"t": "rate", "currency": "EUR", "date": day, "to_base": rate}


def _customer(profile: Profile) -> Event:
    event: Event = {
        "t": "customer",
        "id": profile.id,
        "date": max(profile.since, FIRST_DAY).isoformat(),
        "name": profile.name,
        "currency": profile.currency,
        "email": f"accounts@{profile.domain}" if profile.has_email else "",
        "terms_days": profile.terms,
        "country": profile.country,
        "tags": list(profile.tags),
        "entity_type": profile.entity,
        "parent": profile.parent or None,
    }
    if profile.size >= 1000 and not profile.parent:
        event["credit_limit"] = f"{profile.size * 10}.00"
    if profile.has_email and choice(3, profile.id, "contact") == 0:
        event["contacts"] = [
            {
                "name": "Purchase Ledger",
                "email": f"purchase.ledger@{profile.domain}",
                "roles": ["billing"],
            },
            {"name": "Finance Director", "email": f"fd@{profile.domain}", "roles": ["owner"]},
        ]
    return event


def _invoice(trade: Trade) -> Event:
    event: Event = {
        "t": "invoice",
        "id": trade.number,
        "number": trade.number,
        "date": trade.issued_on.isoformat(),
        "due": trade.due_on.isoformat(),
        "customer": trade.customer.id,
        "currency": trade.customer.currency,
        "total": money(trade.total),
        "tax": money(trade.tax),
        "sent": trade.sent,
        "items": items_of(trade),
        "tracking": tracking_of(trade),
    }
    if trade.order:
        event["po"] = trade.order
    if trade.customer.habit == "debit":
        event["pays_by_itself"] = True
    return event


def _payments(issued: list[Trade]) -> Iterator[Event]:
    """One remittance per customer and day, as most customers pay; an invoice that is paid more
    than once in full (its payment was returned) has payments of its own."""
    runs: dict[tuple[str, date, str], list[tuple[Trade, int]]] = defaultdict(list)
    for trade in issued:
        is_alone = sum(part.amount for part in trade.settled) > trade.total
        for part in trade.settled:
            runs[trade.customer.id, part.on, trade.number if is_alone else ""].append(
                (trade, part.amount)
            )
    for (customer, on, alone), parts in runs.items():
        suffix = f"-{alone}" if alone else ""
        id_ = f"PAY-{customer}-{on:%y%m%d}{suffix}"
        yield {
            "t": "payment",
            "id": id_,
            "date": on.isoformat(),
            # Payments are entered when the bank statement is: the same day or a few days on.
            "known": (on + timedelta(days=choice(4, id_, "known"))).isoformat(),
            "customer": customer,
            "currency": parts[0][0].customer.currency,
            "amount": money(sum(amount for _, amount in parts)),
            "alloc": [
                {"invoice": trade.number, "amount": money(amount)} for trade, amount in parts
            ],
        }


def main() -> None:
    """Write the whole book to standard output, one event a line."""
    for event in sample_events():
        sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")


if __name__ == "__main__":
    main()
