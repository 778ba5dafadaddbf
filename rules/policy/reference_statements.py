"""What statements and discounts say about other parts of the policy file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from rules.policy.facts import FACTS
from rules.policy.reading import Misread, PathPart, did_you_mean

Table: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[PathPart, ...]

_OF_AN_INVOICE: Final = frozenset(
    {
        "days_past_due",
        "po",
        "reference",
        "sent",
        "contacts_served",
    }
)


def is_about_an_invoice(fact: str) -> bool:
    """Whether a fact means something only of one invoice, not of a customer."""
    return fact in _OF_AN_INVOICE or fact.startswith("invoice_")


def statement_problems(
    data: Table,
    statements: Sequence[tuple[int, Table]],
    stages: Sequence[str],
    segments: Sequence[str],
) -> Iterator[Misread]:
    """Segments that nothing is called, ids that a stage has, conditions about an invoice."""
    for number, row in statements:
        place: Place = ("statement", number)
        own = row.get("id")
        if isinstance(own, str) and own in stages:
            yield Misread(
                f'a stage has the id "{own}" too',
                "give the statement an id of its own",
                (*place, "id"),
            )
        yield from _segments(row, place, segments)
        for key in ("when", "unless"):
            yield from _conditions(row.get(key), (*place, key))
    discount = data.get("discount")
    if isinstance(discount, Mapping):
        yield from _segments(discount, ("discount",), segments)
        named = discount.get("offer_in")
        for at, name in enumerate(named if isinstance(named, list) else ()):
            if isinstance(name, str) and name not in stages:
                yield Misread(
                    f'offer_in names the unknown stage "{name}"',
                    did_you_mean(name, stages),
                    ("discount", "offer_in", at),
                )


def _segments(row: Table, place: Place, known: Sequence[str]) -> Iterator[Misread]:
    for key in ("only", "skip"):
        named = row.get(key)
        for at, name in enumerate(named if isinstance(named, list) else ()):
            if isinstance(name, str) and name not in known:
                hint = did_you_mean(name, known) or "there is no segment in this file"
                yield Misread(f'{key} names the unknown segment "{name}"', hint, (*place, key, at))


def _conditions(value: object, place: Place) -> Iterator[Misread]:
    tables = value if isinstance(value, list) else [value]
    for at, table in enumerate(tables):
        for fact in table if isinstance(table, Mapping) else ():
            if fact in FACTS and is_about_an_invoice(fact):
                path = (*place, at, fact) if isinstance(value, list) else (*place, fact)
                yield Misread(
                    f"{fact} is about one invoice, and a statement is about the customer",
                    "use customer_overdue, overdue_invoices or another fact about the customer",
                    path,
                )
