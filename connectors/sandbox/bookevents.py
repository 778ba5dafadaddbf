"""Book-file events as dated facts of the ledger, in the order in which they become known.

Commitments and our own past actions (dispute, promise, pause, fee, ...) are not in an accounting
system, so they are left out here; `settled`, the answer key of the sample data, is never read.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from rules.model.company import Company
from rules.model.money import AmountError, Minor, parse_minor

LEDGER_FACTS: Final = (
    "customer",
    "invoice",
    "payment",
    "payment_reversed",
    "credit_note",
    "void",
    "estimate",
)


_ESTIMATE_STATUSES: Final = ("open", "accepted", "declined", "expired", "invoiced", "void")


class Fact(msgspec.Struct, frozen=True):
    """One event with the day on which it shows in the ledger."""

    known: date
    kind: str
    fields: Mapping[str, Any]


class BookFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A book file as the ledger will come to know it. `problems` names what could not be read."""

    company: Company
    facts: tuple[Fact, ...]
    rates: tuple[tuple[date, str, str], ...]
    """(from day, currency, rate to the base currency)."""
    currencies: frozenset[str]
    terms: tuple[int, ...]
    """Payment terms in days that customers of the book have."""
    tags: tuple[str, ...]
    items: tuple[str, ...] = ()
    """Products and services on the invoices of the book."""
    problems: tuple[str, ...] = ()


def read_facts(events: Iterable[Mapping[str, Any]]) -> BookFacts:
    """Sort a book's events by the day they become known; a bad event is named and left out."""
    facts: list[Fact] = []
    rates: list[tuple[date, str, str]] = []
    problems: list[str] = []
    company: Mapping[str, Any] = {}
    terms: set[int] = set()
    tags: dict[str, None] = {}
    items: dict[str, None] = {}
    currencies: set[str] = set()
    for position, event in enumerate(events, start=1):
        kind = str(event.get("t", ""))
        try:
            if kind == "company":
                company = event
            elif kind == "rate":
                rates.append(
                    (date.fromisoformat(event["date"]), event["currency"], str(event["to_base"]))
                )
            elif kind in LEDGER_FACTS:
                facts.extend(_facts_of(kind, event))
                if kind == "customer":
                    if event.get("terms_days") is not None:
                        terms.add(int(event["terms_days"]))
                    tags.update(dict.fromkeys(event.get("tags") or ()))
                if kind == "invoice":
                    items.update(dict.fromkeys(items_of(event)))
                if event.get("currency"):
                    currencies.add(str(event["currency"]))
        except (KeyError, ValueError, TypeError, AmountError) as trouble:
            problems.append(f"event {position} ({kind or 'no t'}) is left out: {trouble!r}")
    base = str(company.get("base_currency", "USD"))
    first = min((fact.known for fact in facts if fact.known > date.min), default=date(2000, 1, 1))
    facts = [
        Fact(first, fact.kind, fact.fields) if fact.known == date.min else fact for fact in facts
    ]
    facts.sort(key=lambda fact: fact.known)
    return BookFacts(
        company=Company(
            id=str(company.get("id", "company")),
            name=str(company.get("name") or company.get("id") or "Company"),
            base_currency=base,
            timezone=str(company.get("timezone") or "UTC"),
            country=str(company.get("country") or ""),
        ),
        facts=tuple(facts),
        rates=tuple(sorted(rates)),
        currencies=frozenset(currencies | {base}),
        terms=tuple(sorted(terms)),
        tags=tuple(tags),
        items=tuple(items),
        problems=tuple(problems),
    )


def items_of(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Products and services of an invoice, by name."""
    return tuple(str(name) for name in event.get("items") or ())


def tracking_of(event: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(category, option) of an invoice, written `Region: North`; two at most, as Xero has it."""
    found = []
    for told in event.get("tracking") or ():
        category, _, option = str(told).rpartition(":")
        found.append((category.strip(), option.strip()))
    return tuple(found[:2])


def _facts_of(kind: str, event: Mapping[str, Any]) -> list[Fact]:
    known = _known(event)
    # Read once here, so that a bad amount or date is a problem of this event alone.
    if kind == "invoice":
        _ = event["id"], event["customer"], money(event["total"], event["currency"])
        if event.get("due"):
            date.fromisoformat(event["due"])
        if event.get("tax"):
            money(event["tax"], event["currency"])
        if event.get("deposit"):
            money(event["deposit"], event["currency"])
        _ = items_of(event), tracking_of(event)
    elif kind == "estimate":
        _ = event["id"], event["customer"], money(event["total"], event["currency"])
        if event.get("expires"):
            date.fromisoformat(event["expires"])
        if event.get("status", "open") not in _ESTIMATE_STATUSES:
            raise ValueError(f"status {event['status']!r}")
    elif kind in ("payment", "credit_note"):
        amount = event["amount" if kind == "payment" else "total"]
        _ = event["id"], event["customer"], money(amount, event["currency"])
        return _allocated_later(kind, event, known)
    else:
        _ = event[{"payment_reversed": "payment", "void": "invoice"}.get(kind, "id")]
    if kind != "customer" and known == date.min:
        raise ValueError("date is missing")
    return [Fact(known, kind, event)]


def _known(event: Mapping[str, Any]) -> date:
    """The day from which the ledger shows it: never before the document's own date."""
    dated = date.fromisoformat(event["date"]) if event.get("date") else date.min
    return max(dated, date.fromisoformat(event["known"])) if event.get("known") else dated


def _allocated_later(kind: str, event: Mapping[str, Any], known: date) -> list[Fact]:
    """A part may be allocated (`on`) after the money came: the document then changes that day."""
    parts = list(event.get("alloc") or ())
    for part in parts:
        _ = part["invoice"], money(part["amount"], event["currency"])
    days = {date.fromisoformat(part["on"]) for part in parts if part.get("on")}
    facts = []
    for day in sorted({known} | {day for day in days if day > known}):
        seen = [p for p in parts if not p.get("on") or date.fromisoformat(p["on"]) <= day]
        facts.append(Fact(day, kind, {**event, "alloc": seen} if len(seen) < len(parts) else event))
    return facts


def money(amount: object, currency: str) -> Minor:
    """A book file's amount as minor units."""
    return parse_minor(str(amount), currency)
