"""What one book event says, in the fields of the sandbox's rows."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from connectors.sandbox.bookevents import Fact, items_of, money, tracking_of
from connectors.sandbox.ids import VendorIds
from connectors.sandbox.rows import Allocation, Line, Person
from rules.model.money import Minor, currency_digits

Fields = dict[str, Any]


def describe(fact: Fact, ids: VendorIds, number_limit: int) -> tuple[str, str, Fields] | None:
    """(kind of row, vendor id, fields to set) for an event; None for an event of no interest."""
    described = _DESCRIBE.get(fact.kind)
    if described is None:
        return None
    kind, of, fields = described
    row = fields(fact.fields, ids)
    if "number" in row:
        row["number"] = row["number"][-number_limit:]
    return kind, ids.of_book(kind, str(fact.fields[of])), row


def _customer(event: Mapping[str, Any], ids: VendorIds) -> Fields:
    parent = event.get("parent")
    return {
        "name": str(event.get("name") or event["id"]),
        "currency": str(event.get("currency") or ""),
        "email": str(event.get("email") or ""),
        "phone": str(event.get("phone") or ""),
        "terms_days": event.get("terms_days"),
        "country": str(event.get("country") or ""),
        "parent": ids.of_book("customer", str(parent)) if parent else None,
        "tags": tuple(event.get("tags") or ()),
        "is_active": event.get("active", True) is not False,
        "street": str(event.get("street") or ", ".join(event.get("address") or ())),
        "persons": tuple(_person(one) for one in event.get("contacts") or ()),
    }


def _person(contact: Mapping[str, Any]) -> Person:
    first, _, last = str(contact.get("name") or "").partition(" ")
    return Person(
        first_name=first,
        last_name=last,
        email=str(contact.get("email") or ""),
        is_mailed=contact.get("is_mailed", True) is not False,
    )


def _invoice(event: Mapping[str, Any], ids: VendorIds) -> Fields:
    total = money(event["total"], event["currency"])
    tax = money(event.get("tax") or "0", event["currency"])
    is_fee = bool(event.get("fee_of"))
    return {
        "number": str(event.get("number") or event["id"]),
        "customer": ids.of_book("customer", str(event["customer"])),
        "currency": event["currency"],
        "issued_on": date.fromisoformat(event["date"]),
        "due_on": date.fromisoformat(event["due"]) if event.get("due") else None,
        "total": total,
        "tax": tax,
        "balance": total,
        "deposit": money(event.get("deposit") or "0", event["currency"]),
        "seen": "disputed" if event.get("disputed") else "viewed" if event.get("viewed") else "",
        "is_bounced": event.get("bounced") is True,
        "pays_by_itself": event.get("pays_by_itself") is True,
        "status": "open",
        "sent": event.get("sent", True),
        "is_fee": is_fee,
        "lines": _lines("Late fee" if is_fee else "Goods and services", total, tax, event),
        "po": str(event.get("po") or ""),
        "fields": tuple((str(name), str(text)) for name, text in _table(event.get("fields"))),
        "tags": tuple(event.get("tags") or ()),
    }


def _table(value: object) -> list[tuple[object, object]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def _payment(event: Mapping[str, Any], ids: VendorIds) -> Fields:
    return {
        "customer": ids.of_book("customer", str(event["customer"])),
        "currency": event["currency"],
        "on": date.fromisoformat(event["date"]),
        "amount": money(event["amount"], event["currency"]),
        "allocations": _allocations(event, ids),
        "status": "live",
    }


def _credit(event: Mapping[str, Any], ids: VendorIds) -> Fields:
    total = money(event["total"], event["currency"])
    return {
        "number": str(event.get("number") or event["id"]),
        "customer": ids.of_book("customer", str(event["customer"])),
        "currency": event["currency"],
        "on": date.fromisoformat(event["date"]),
        "total": total,
        "remaining": total,
        "allocations": _allocations(event, ids),
        "lines": (_one_line("Credit", total, 0, event),),
        "status": "live",
    }


def _estimate(event: Mapping[str, Any], ids: VendorIds) -> Fields:
    total = money(event["total"], event["currency"])
    return {
        "number": str(event.get("number") or event["id"]),
        "customer": ids.of_book("customer", str(event["customer"])),
        "currency": event["currency"],
        "on": date.fromisoformat(event["date"]),
        "expires_on": date.fromisoformat(event["expires"]) if event.get("expires") else None,
        "total": total,
        "status": event.get("status") or "open",
        "lines": (_one_line("Goods and services", total, 0, event),),
    }


def _reversal(event: Mapping[str, Any], ids: VendorIds) -> Fields:
    return {"status": "void", "amount": 0, "reason": str(event.get("reason") or "")}


def _void(event: Mapping[str, Any], ids: VendorIds) -> Fields:
    nothing = Line(id="1", description="Void", amount=0, unit_price=Decimal(0))
    return {"status": "void", "total": 0, "tax": 0, "lines": (nothing,)}


def _one_line(description: str, total: Minor, tax: Minor, event: Mapping[str, Any]) -> Line:
    net = total - tax
    price = Decimal(net).scaleb(-currency_digits(event["currency"]))
    return Line(
        id="1",
        description=description,
        amount=net,
        tax=tax,
        unit_price=price,
        tracking=tracking_of(event),
    )


def _lines(
    description: str, total: Minor, tax: Minor, event: Mapping[str, Any]
) -> tuple[Line, ...]:
    """One line for each item of the book file. It does not say what of the total each came to:
    all of it stands on the first, as where the others are included in its price."""
    whole = _one_line(description, total, tax, event)
    names = items_of(event)
    if not names:
        return (whole,)
    first = msgspec.structs.replace(whole, description=names[0], item=names[0])
    return (
        first,
        *(
            Line(
                id=str(position),
                description=name,
                amount=0,
                unit_price=Decimal(0),
                item=name,
                tracking=whole.tracking,
            )
            for position, name in enumerate(names[1:], start=2)
        ),
    )


def _allocations(event: Mapping[str, Any], ids: VendorIds) -> tuple[Allocation, ...]:
    on = date.fromisoformat(event["date"])
    return tuple(
        Allocation(
            ids.of_book("invoice", str(part["invoice"])),
            money(part["amount"], event["currency"]),
            date.fromisoformat(part["on"]) if part.get("on") else on,
        )
        for part in event.get("alloc") or ()
    )


_DESCRIBE: dict[str, tuple[str, str, Callable[[Mapping[str, Any], VendorIds], Fields]]] = {
    # kind of event: (kind of row, field that names it, what it says)
    "customer": ("customer", "id", _customer),
    "invoice": ("invoice", "id", _invoice),
    "estimate": ("estimate", "id", _estimate),
    "payment": ("payment", "id", _payment),
    "payment_reversed": ("payment", "payment", _reversal),
    "credit_note": ("credit_note", "id", _credit),
    "void": ("invoice", "invoice", _void),
}
